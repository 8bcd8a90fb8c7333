/** Waiting for a condition, never for a time. */

/**
 * How long a condition may take that comes at once on a machine of its own, in ms.
 *
 * It only ends a test that would never end: tests run side by side on machines that do other
 * things too, and a process may not run for seconds.
 */
export const DEADLINE_MS = 60_000;

export interface UntilOptions {
  /** What is awaited, for the failure: "NSD has serial 7". */
  readonly what: string;
  /** Default {@link DEADLINE_MS}. */
  readonly timeoutMs?: number;
  /** Pause between two looks; default 10. */
  readonly intervalMs?: number;
  /** Shown when time runs out: what was seen instead, a log. */
  readonly seen?: () => unknown;
}

/** Whether nothing is worth waiting for any more. */
let ended = false;

/** Makes every {@link until} of this program fail at its next look, now and from now on. */
export function endWaits(): void {
  ended = true;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * The condition's first value that is neither undefined nor false.
 *
 * A condition that throws does not hold yet; its last error is the failure's cause.
 *
 * @throws {Error} time ran out, or {@link endWaits}; it names what was awaited and what was seen
 */
export async function until<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { what, timeoutMs = DEADLINE_MS, intervalMs = 10, seen }: UntilOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  while (true) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (ended) throw new Error(`No longer waited for: ${what}`, { cause });
    if (performance.now() >= deadline) {
      const instead = seen ? `; seen instead: ${Deno.inspect(seen())}` : "";
      throw new Error(`Not within ${timeoutMs} ms: ${what}${instead}`, { cause });
    }
    await sleep(intervalMs);
  }
}

/** What {@link within} waited for did not come in time. */
export class TimeoutError extends Error {}

/**
 * The promise's value, if it comes in time.
 *
 * @throws {TimeoutError} time ran out
 */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TimeoutError(`Not within ${timeoutMs} ms: ${what}`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
