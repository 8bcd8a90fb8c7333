/**
 * The log's lines on their way to standard error: a few milliseconds' together, since ten thousand
 * zones published together are ten thousand lines, and since who asks for a change that was just
 * announced is answered before it is written down.
 *
 * Owns: the lines not yet written, and a timer while there are any. They are written soon, when
 * they have become many, with the first that is urgent, and at the end of the process.
 */

/** How long lines wait, in ms: secondaries at hand have fetched a new version by then. */
const WAIT_MS = 10;
/** Lines that wait at most: what a pipe takes at once. */
const MAX_WAITING = 250;

export class LogLines {
  #waiting: (() => string)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param write  takes whole lines, each with its newline */
  constructor(readonly write: (lines: string) => void) {}

  /**
   * @param line  makes the line when it is written; without its newline
   * @param urgent  written at once, behind those before it
   */
  add(line: () => string, urgent: boolean): void {
    this.#waiting.push(line);
    if (urgent || this.#waiting.length >= MAX_WAITING) return this.flush();
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), WAIT_MS);
    Deno.unrefTimer(this.#timer); // the end of the process writes them too
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.write(lines.map((line) => `${line()}\n`).join(""));
  }
}

const encoder = new TextEncoder();
let standardError: LogLines | undefined;

/** Those of this process' standard error. */
export function standardErrorLines(): LogLines {
  if (standardError) return standardError;
  const lines = standardError = new LogLines(writeToStderr);
  // What ends the process, wanted or not, waits for no timer.
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
