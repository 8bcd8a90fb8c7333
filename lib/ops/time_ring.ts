/**
 * Figures of the last hour or day in slots of equal length; what is older is forgotten.
 *
 * Owns: the slots. Time is monotonic, so that a clock that is set loses nothing.
 */

/** A slot that has figures. */
export interface Slot<T> {
  /** How long ago it began, ms. */
  readonly agoMs: number;
  readonly value: T;
}

export class TimeRing<T> {
  readonly #slots: (T | undefined)[];
  /** The number of the newest slot, counted from the clock's zero. */
  #newest = -Infinity;

  /**
   * @param count  slots
   * @param slotMs  length of each
   * @param make  an empty slot
   */
  constructor(readonly count: number, readonly slotMs: number, readonly make: () => T) {
    this.#slots = new Array(count).fill(undefined);
  }

  /** The slot of now, to be counted in. */
  at(tick: number = performance.now()): T {
    this.#forget(tick);
    return this.#slots[this.#newest % this.count] ??= this.make();
  }

  /** All slots, oldest first; one in which nothing happened is undefined. */
  list(tick: number = performance.now()): (Slot<T> | undefined)[] {
    this.#forget(tick);
    return Array.from({ length: this.count }, (_, i) => {
      const number = this.#newest - this.count + 1 + i;
      const value = number < 0 ? undefined : this.#slots[number % this.count];
      return value && { agoMs: tick - number * this.slotMs, value };
    });
  }

  #forget(tick: number): void {
    const now = Math.floor(tick / this.slotMs);
    const first = Math.max(this.#newest + 1, now - this.count + 1, 0);
    for (let number = first; number <= now; number++) this.#slots[number % this.count] = undefined;
    this.#newest = Math.max(this.#newest, now);
  }
}
