/**
 * How values are spread, in a few hundred octets: counted in steps, each a quarter above the last.
 *
 * Owns: the counts. A quantile is true to an eighth.
 */

/** From one step to the next. */
const FACTOR = 1.25;
/** The middle of the first step, in seconds; what is less counts as this. */
const FIRST = 0.0005;
/** Steps: the last stands for 40 minutes and more. */
const STEPS = 70;

export class Quantiles {
  readonly #counts = new Uint32Array(STEPS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(seconds: number): void {
    const step = Math.round(Math.log(seconds / FIRST) / Math.log(FACTOR));
    this.#counts[Math.min(STEPS - 1, Math.max(0, step || 0))]++;
    this.#count++;
  }

  /** Counts what another has, too. */
  addAll(other: Quantiles): void {
    other.#counts.forEach((count, step) => this.#counts[step] += count);
    this.#count += other.#count;
  }

  /**
   * The value below or at which a share of all lies, in seconds; undefined without any.
   *
   * @param share  0 to 1
   */
  at(share: number): number | undefined {
    let left = Math.max(1, Math.ceil(share * this.#count));
    if (this.#count === 0) return undefined;
    for (let step = 0; step < STEPS; step++) {
      left -= this.#counts[step];
      if (left <= 0) return FIRST * FACTOR ** step;
    }
    return FIRST * FACTOR ** (STEPS - 1);
  }
}
