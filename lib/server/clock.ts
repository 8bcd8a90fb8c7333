/** Time as the server needs it, so that tests can turn it by hand. */

export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Runs once after a delay, ms; the function returned cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
