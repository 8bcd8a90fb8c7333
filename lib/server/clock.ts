/** Time as the server needs it, so that tests can turn it by hand. */

export interface Clock {
  /** ms since the epoch; never goes back. */
  now(): number;
  /** Runs once after a delay, ms; the function returned cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  // By the monotonic clock from the start on: when the system's clock is set back,
  // nothing that waits for a time waits the longer.
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
