/**
 * The event loop shared out between connections and the rest of the server.
 *
 * Whatever the connections bring at once, they are read and answered for no more than
 * {@link WORK_SHARE_MS} in each {@link WORK_WINDOW_MS}; more waits its turn, first come first
 * served. Owns: who waits; a timer while somebody does.
 */
import { WORK_SHARE_MS, WORK_WINDOW_MS } from "./limits.ts";

export class WorkShare {
  readonly #waiting: (() => void)[] = [];
  #windowAt = -Infinity;
  #spentMs = 0;
  #timer: number | undefined;

  /** @param now  ms, of any origin; never goes back */
  constructor(readonly now: () => number = () => performance.now()) {}

  /**
   * Does a piece of work in its turn.
   *
   * @param work  synchronous
   */
  async run(work: () => void): Promise<void> {
    if (this.#isSpent()) await this.#turn();
    const began = this.now();
    try {
      work();
    } finally {
      this.#spentMs += this.now() - began;
      this.#resume();
    }
  }

  #isSpent(): boolean {
    const now = this.now();
    if (now - this.#windowAt >= WORK_WINDOW_MS) this.#begin(now);
    return this.#waiting.length > 0 || this.#spentMs >= WORK_SHARE_MS;
  }

  #begin(now: number): void {
    this.#windowAt = now;
    this.#spentMs = 0;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#resume();
    });
  }

  /** One after the other while there is time left, else at the next window. */
  #resume(): void {
    if (this.#waiting.length === 0 || this.#timer !== undefined) return;
    if (this.#spentMs < WORK_SHARE_MS) {
      this.#waiting.shift()!();
      return;
    }
    const rest = this.#windowAt + WORK_WINDOW_MS - this.now();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#begin(this.now());
      this.#resume();
    }, Math.max(1, rest));
  }
}
