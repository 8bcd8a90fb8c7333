/**
 * How many owners a zone had at most within the guard's window.
 *
 * Pure. Only versions that were larger than all after them are remembered, and of
 * those that ended at about the same time the largest.
 */

/** A version that was current until a time. */
export interface Peak {
  /** ms since the epoch. */
  readonly until: number;
  readonly owners: number;
}

/** Peaks kept for a window: a version is remembered for at most a twentieth of it too long. */
const PEAKS_A_WINDOW = 20;

/** The peaks that count now; the clock may have been set back. */
export function peaksWithin(peaks: readonly Peak[], windowMs: number, nowMs: number): Peak[] {
  return peaks.map(({ until, owners }) => ({ until: Math.min(until, nowMs), owners }))
    .filter(({ until }) => until > nowMs - windowMs);
}

/** The most owners among peaks; 0 without one. */
export function mostOwners(peaks: readonly Peak[]): number {
  return peaks.reduce((most, { owners }) => Math.max(most, owners), 0);
}

/** The peaks once a version of `before` owners was followed by one of `after`. */
export function addPeak(
  peaks: readonly Peak[],
  before: number,
  after: number,
  windowMs: number,
  nowMs: number,
): Peak[] {
  const all = peaksWithin(peaks, windowMs, nowMs);
  const step = windowMs / PEAKS_A_WINDOW;
  const last = all.at(-1);
  if (last && Math.floor(last.until / step) === Math.floor(nowMs / step)) {
    all[all.length - 1] = { until: nowMs, owners: Math.max(last.owners, before) };
  } else all.push({ until: nowMs, owners: before });
  return all.filter(({ owners }, i) =>
    owners > after && all.slice(i + 1).every((later) => later.owners < owners)
  );
}
