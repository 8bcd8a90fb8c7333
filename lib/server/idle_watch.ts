/**
 * Ends a connection that asks nothing. Owns: one timer, however many messages come.
 */
export class IdleWatch {
  #deadline: number;
  #timer: number | undefined;

  /**
   * @param ms  time until the first {@link extend}
   * @param isBusy  whether the client waits for us and not we for it: then there is no hurry
   * @param end  called once, when the time is up
   */
  constructor(ms: number, readonly isBusy: () => boolean, readonly end: () => void) {
    this.#deadline = performance.now() + ms;
    this.#timer = setTimeout(() => this.#look(ms), ms);
  }

  /** Gives the connection so many ms from now on. */
  extend(ms: number): void {
    this.#deadline = performance.now() + ms;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(ms: number): void {
    this.#timer = undefined;
    const left = this.isBusy() ? ms : this.#deadline - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.#look(ms), Math.max(1, left));
    else this.end();
  }
}
