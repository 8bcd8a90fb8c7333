/**
 * Which read is due, and when.
 *
 * Owns: what was asked for and not yet begun. Pure otherwise: takes the time, in
 * ms of any clock.
 *
 * Requests are merged: one read serves all that were made before it began. Reads
 * are at least `minIntervalMs` apart, so changes closer together are published
 * together; polls that find nothing do not count. Reads of everything are at
 * least twice the last one's duration apart; the feed is read in between.
 */
import type { WakeReason } from "./source.ts";

/** One read to make. */
export interface DueRead {
  readonly reason: WakeReason;
  /** Whether every record must be read, whatever the feed says. */
  readonly everything: boolean;
}

/** What came of a read. */
export interface ReadDone {
  /** Whether everything was read. */
  readonly everything: boolean;
  /** Whether a zone was published. */
  readonly published: boolean;
}

/** A read of everything waits this many times the duration of the last one. */
const FULL_READ_SPACING = 2;
/**
 * A source without a feed reads everything at each poll: it waits this many
 * times as long as that takes, so that an idle server stays idle.
 */
const IDLE_READ_SPACING = 10;

/** Reasons that only a read of everything answers. */
const FULL: ReadonlySet<WakeReason> = new Set<WakeReason>(["notification", "restart", "proof"]);

export class ReadSchedule {
  #full: WakeReason | undefined;
  #part: WakeReason | undefined;
  #endedAt = -Infinity;
  #lastFull: { endedAt: number; ms: number } | undefined;
  #feedless = false;

  constructor(readonly minIntervalMs: number) {}

  /** Asks for a read. */
  ask(reason: WakeReason): void {
    if (FULL.has(reason)) this.#full ??= reason;
    // What signals a change must not wait as a mere poll may.
    else if (this.#part === undefined || this.#part === "poll") this.#part = reason;
  }

  /**
   * When the next read asked for is due, in ms from now: 0 or less means now;
   * undefined when none was asked for.
   */
  dueIn(now: number): number | undefined {
    const dues = [this.#fullDueAt(), this.#partDueAt()].filter((at) => at !== undefined);
    return dues.length === 0 ? undefined : Math.min(...dues) - now;
  }

  /** Takes the read that is due; undefined when none is. */
  take(now: number): DueRead | undefined {
    const full = this.#fullDueAt();
    if (full !== undefined && full <= now) {
      const reason = this.#full!;
      this.#full = this.#part = undefined;
      return { reason, everything: true };
    }
    const part = this.#partDueAt();
    if (part === undefined || part > now) return undefined;
    const reason = this.#part!;
    this.#part = undefined;
    return { reason, everything: false };
  }

  /**
   * Notes the end of a read.
   *
   * @param done  what came of it; undefined when it failed
   */
  ended(read: DueRead, startedAt: number, now: number, done: ReadDone | undefined): void {
    // A poll that found nothing delays no change: polls are far enough apart by themselves.
    if (read.reason !== "poll" || done?.everything !== false || done.published) this.#endedAt = now;
    if (done?.everything) this.#lastFull = { endedAt: now, ms: now - startedAt };
    if (done && !read.everything) this.#feedless = done.everything;
  }

  #fullDueAt(): number | undefined {
    if (this.#full === undefined) return undefined;
    return Math.max(this.#endedAt + this.minIntervalMs, this.#afterFull(FULL_READ_SPACING));
  }

  #partDueAt(): number | undefined {
    if (this.#part === undefined) return undefined;
    const idle = this.#part === "poll" && this.#feedless;
    return Math.max(
      this.#endedAt + this.minIntervalMs,
      idle ? this.#afterFull(IDLE_READ_SPACING) : -Infinity,
    );
  }

  #afterFull(spacing: number): number {
    return this.#lastFull ? this.#lastFull.endedAt + spacing * this.#lastFull.ms : -Infinity;
  }
}
