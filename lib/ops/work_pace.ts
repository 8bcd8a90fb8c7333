/**
 * Keeps what strangers may ask for to a share of the event loop.
 *
 * A piece of work that took a while makes the next one wait several times as long, whoever asks
 * for it: DNS has the rest of the time.
 *
 * Owns: timers, while work waits.
 */

/** One part in ten of the time. */
const SHARE = 0.1;

/** Time a slice of longer work should take, ms: what is asked over UDP waits no longer for it. */
export const PACED_SLICE_MS = 1;

export class WorkPace {
  /** When the next piece may begin, ms of the monotonic clock. */
  #freeAt = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param share  of the time, above 0, at most 1 */
  constructor(readonly share: number = SHARE) {}

  /**
   * Runs a piece of work when its turn has come. What it awaits is not its own time, and holds
   * up nobody.
   */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(() => this.#turn()).then(() => {
      const began = performance.now();
      try {
        return { value: work() };
      } finally {
        this.spent(performance.now() - began);
      }
    });
    this.#last = done.catch(() => {}); // its own caller is told
    return done.then(({ value }) => value);
  }

  /** Counts time that work took behind its first pause, in ms. */
  spent(ms: number): void {
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + ms * (1 / this.share - 1);
  }

  async #turn(): Promise<void> {
    while (true) {
      const waitMs = this.#freeAt - performance.now();
      if (waitMs <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /**
   * Runs a generator to its end in slices of {@link PACED_SLICE_MS} and gives what it returns.
   *
   * @param signal  ends it early
   * @throws what the generator throws; the signal's reason
   */
  async runSliced<T, R>(
    steps: Iterator<T, R>,
    signal: AbortSignal,
    onValue?: (value: T) => void,
  ): Promise<R> {
    while (true) {
      signal.throwIfAborted();
      const result = await this.run(() => {
        const ends = performance.now() + PACED_SLICE_MS;
        do {
          const step = steps.next();
          if (step.done) return { value: step.value };
          onValue?.(step.value);
        } while (performance.now() < ends);
      });
      if (result) return result.value;
    }
  }
}
