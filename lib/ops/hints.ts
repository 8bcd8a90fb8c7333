/**
 * Tells those who watch that something has changed, never what: they read it then.
 *
 * Owns: who waits. Many changes together are one hint.
 */

/** Least time between two hints to one watcher, ms. */
const GAP_MS = 500;
/** A watcher hears something at least this often, ms: so it is known whether it is still there. */
const BEAT_MS = 15_000;

export class Hints {
  #revision = 0;
  readonly #waiting = new Set<() => void>();

  /** Something has changed. */
  changed(): void {
    this.#revision++;
    for (const wake of this.#waiting) wake();
  }

  /** The number of changes so far, at once and then whenever there are more; or again, as a sign of life. */
  async *watch(signal: AbortSignal): AsyncGenerator<number> {
    while (!signal.aborted) {
      const told = this.#revision;
      yield told;
      await this.#pause(GAP_MS, signal, false);
      if (this.#revision === told) await this.#pause(BEAT_MS - GAP_MS, signal, true);
    }
  }

  /** @param early  whether a change ends it */
  #pause(ms: number, signal: AbortSignal, early: boolean): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (early) this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }
}
