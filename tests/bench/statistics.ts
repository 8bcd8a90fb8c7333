/** What many samples say in few numbers. Pure. */

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many samples. */
  readonly count: number;
}

/** The sample that `fraction` of all lie at or below, between two samples by the nearest rank. */
export function quantile(samples: readonly number[], fraction: number): number {
  if (samples.length === 0) throw new Error("Cannot take a quantile: there are no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)];
}

/** The middle sample; of an even number the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  return (quantile(samples, 0.5) + quantile(samples, 0.5 + 0.5 / samples.length)) / 2;
}

export function summarize(samples: readonly number[]): Summary {
  return {
    median: median(samples),
    min: quantile(samples, 0),
    max: quantile(samples, 1),
    count: samples.length,
  };
}
