/**
 * Keeps what strangers can cause from filling the log.
 *
 * Owns: when each key was last let through, at most {@link LOG_KEYS} of them.
 */
import { LOG_INTERVAL_MS, LOG_KEYS } from "./limits.ts";

interface Passed {
  at: number;
  held: number;
}

export class LogLimiter {
  readonly #passed = new Map<string, Passed>();

  /** @param now  ms, of any origin */
  constructor(readonly now: () => number = Date.now) {}

  /**
   * Whether an event may be logged now: once in {@link LOG_INTERVAL_MS} for each key.
   *
   * @returns the number of events held back since the last one let through;
   *   undefined when this one is held back too
   */
  pass(key: string): number | undefined {
    const now = this.now();
    const passed = this.#passed.get(key);
    // A clock set back must not silence the log for as long.
    if (passed && now >= passed.at && now - passed.at < LOG_INTERVAL_MS) {
      passed.held++;
      return undefined;
    }
    if (!passed && this.#passed.size >= LOG_KEYS) this.#passed.clear();
    this.#passed.set(key, { at: now, held: 0 });
    return passed?.held ?? 0;
  }
}
