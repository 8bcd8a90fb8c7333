/**
 * The log's lines on their way to standard error: those of one turn of the event loop in one
 * write, since ten thousand zones published together are ten thousand lines.
 *
 * Owns: the lines not yet written. They are written before anything else that waits for the event
 * loop, when they have become many, with the first that is urgent, and at the end of the process.
 */

/** Characters that wait at most: what a pipe takes at once. */
const MAX_WAITING = 64 * 1024;

export class LogLines {
  #waiting = "";
  #isDue = false;

  /** @param write  takes whole lines, each with its newline */
  constructor(readonly write: (lines: string) => void) {}

  /** @param urgent  written at once, behind those before it */
  add(line: string, urgent: boolean): void {
    this.#waiting += `${line}\n`;
    if (urgent || this.#waiting.length >= MAX_WAITING) return this.flush();
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  /** Writes what waits. */
  flush(): void {
    if (this.#waiting === "") return;
    const lines = this.#waiting;
    this.#waiting = "";
    this.write(lines);
  }
}

const encoder = new TextEncoder();
let standardError: LogLines | undefined;

/** Those of this process' standard error. */
export function standardErrorLines(): LogLines {
  if (standardError) return standardError;
  const lines = standardError = new LogLines(writeToStderr);
  // A turn that ends the process, wanted or not, has no microtasks after it.
  for (const end of ["unload", "error", "unhandledrejection"]) {
    globalThis.addEventListener(end, () => lines.flush());
  }
  return lines;
}

function writeToStderr(lines: string): void {
  const octets = encoder.encode(lines);
  try {
    for (let at = 0; at < octets.length;) {
      at += Deno.stderr.writeSync(octets.subarray(at));
    }
  } catch {
    // Standard error is gone (closed pipe, full disk): serving goes on without a log.
  }
}
