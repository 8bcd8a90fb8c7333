/**
 * How late the event loop is: whatever keeps it from running keeps every answer waiting.
 *
 * Owns: one timer, which keeps no process alive, and the figures of the last ten seconds.
 * `monitorEventLoopDelay` of node:perf_hooks sees nothing of a busy loop under Deno 2.7.
 */

/** Between two looks, ms: cheap for a server with nothing to do, and no long delay is missed. */
const INTERVAL_MS = 100;
/** Looks that are remembered: ten seconds. */
const LOOKS = 100;

/** By how much the loop was late, ms. */
export interface LoopDelayFigures {
  readonly medianMs: number;
  readonly longestMs: number;
}

export class LoopDelay {
  readonly #late = new Float64Array(LOOKS);
  #looks = 0;
  #due = 0;
  #timer: number | undefined;

  constructor() {
    this.#wait();
  }

  /** Of the last ten seconds, or since the start; zeros before the first look. */
  figures(): LoopDelayFigures {
    const late = this.#late.slice(0, Math.min(this.#looks, LOOKS)).sort();
    return {
      medianMs: tenths(late[late.length >> 1] ?? 0),
      longestMs: tenths(late[late.length - 1] ?? 0),
    };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#due = performance.now() + INTERVAL_MS;
    this.#timer = setTimeout(() => {
      this.#late[this.#looks++ % LOOKS] = Math.max(0, performance.now() - this.#due);
      this.#wait();
    }, INTERVAL_MS);
    Deno.unrefTimer(this.#timer);
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
