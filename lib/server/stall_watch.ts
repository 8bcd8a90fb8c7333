/**
 * Tells a peer that has stopped reading from one that is slow.
 *
 * A write to a peer that has stopped reading never ends. Owns: one timer a
 * session, however much it writes: it looks now and then how long the write on its
 * way has taken, so that a write costs none.
 */

/** The peer has not taken what was written in the time it has. */
export class StalledError extends Error {
  constructor(ms: number) {
    super(`client read nothing for ${ms / 1000} s`);
  }
}

export class StallWatch {
  /** Ends the wait for the write on its way; undefined while there is none. */
  #end: ((error: Error) => void) | undefined;
  /** When the write began, ms of the monotonic clock. */
  #since = 0;
  #timer: number | undefined;

  /** @param ms  time for one write */
  constructor(readonly ms: number) {}

  /**
   * Waits for a write to end, one at a time.
   *
   * @throws {StalledError} it has not in its time; the write itself goes on
   * @throws what the write throws
   */
  async over(writing: Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#end = reject;
    this.#since = performance.now();
    this.#timer ??= setTimeout(() => this.#look(), this.ms);
    writing.then(resolve, reject);
    try {
      await promise;
    } finally {
      this.#end = undefined;
    }
  }

  /** Ends the wait for the write on its way, if there is one. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#end?.(new Error("connection closed"));
  }

  #look(): void {
    this.#timer = undefined;
    if (!this.#end) return;
    const left = this.#since + this.ms - performance.now();
    if (left <= 0) this.#end(new StalledError(this.ms));
    else this.#timer = setTimeout(() => this.#look(), Math.max(1, left));
  }
}
