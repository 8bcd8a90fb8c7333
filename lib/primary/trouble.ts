/**
 * What keeps the primary from publishing, and when that is over.
 *
 * Owns: the last failure. Effects: log, once for each failure and once when
 * publishing goes on.
 */
import { ZonecastError } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import { StateError, type StateTrouble } from "../store/mod.ts";

/** Why nothing can be kept, so that nothing is published. */
export interface Unkept {
  /** Since when, ms since the epoch. */
  readonly since: number;
  readonly reason: string;
  /** What to do about it, for an operator. */
  readonly hint: string | undefined;
}

/** The store's own trouble as it is told; undefined where there is none. */
export function unkept(trouble: StateTrouble | undefined): Unkept | undefined {
  return trouble &&
    { since: trouble.since, reason: trouble.error.message, hint: trouble.error.hint };
}

export class Trouble {
  readonly #log: Logger;
  #failure: string | undefined;
  #unkept: Unkept | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Why the last read or publication failed; undefined when it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Undefined while what is published can be kept. */
  get unkept(): Unkept | undefined {
    return this.#unkept;
  }

  /**
   * A read or publication has failed.
   *
   * @param sourceUp  whether the source's link is up: else it tells of that itself
   */
  failed(error: unknown, nowMs: number, sourceUp: boolean): void {
    const known = error instanceof ZonecastError;
    const message = error instanceof Error ? error.message : String(error);
    const hint = known ? error.hint : undefined;
    const isState = error instanceof StateError;
    if (message !== this.#failure) {
      // A source that is away is told of by its link, perhaps a moment later.
      const isAway = !isState && (!sourceUp || known && error.code === "source-unreachable");
      this.#log[isAway ? "debug" : "error"]("publish failed", {
        error: known ? message : error instanceof Error ? error : message,
        hint,
      });
    }
    this.#failure = message;
    if (isState) {
      this.#unkept = { since: this.#unkept?.since ?? nowMs, reason: message, hint };
    }
  }

  /** A read and what it led to went well. */
  passed(nowMs: number): void {
    this.#failure = undefined;
    if (!this.#unkept) return;
    this.#log.info("the state file is written again: publishing goes on", {
      afterMs: Math.max(0, nowMs - this.#unkept.since),
    });
    this.#unkept = undefined;
  }
}
