/**
 * The primary's one loop: a read at a time, as they fall due; one that fails is
 * tried again.
 *
 * Owns: the schedule of reads, and timers.
 */
import { type DueRead, type ReadDone, ReadSchedule, type WakeReason } from "../source/mod.ts";
import type { Trouble } from "./trouble.ts";

/** A read or publication that failed is tried again after this, in ms. */
const RETRY_MS = 5_000;

export interface LoopOptions {
  /** Reads are at least so far apart, but for polls that find nothing. */
  readonly minIntervalMs: number;
  /** In ms; {@link RETRY_MS} without. */
  readonly retryMs: number | undefined;
  /** Told of each turn that failed, and of each that did not. */
  readonly trouble: Trouble;
  readonly isSourceUp: () => boolean;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Work for between two turns. */
  readonly between: () => Promise<void>;
  /** Makes a read and publishes it. */
  readonly turn: (read: DueRead) => Promise<ReadDone>;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #schedule: ReadSchedule;
  #lastRead: { endedAt: number; ms: number } | undefined;
  #wakeUp: () => void = () => {};
  #closed = false;
  #running: Promise<void> = Promise.resolve();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why everything is to be read at the retry; undefined where the feed will do. */
  #retryReason: WakeReason | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#schedule = new ReadSchedule(options.minIntervalMs);
  }

  /** When the last turn ended well, ms since the epoch, and how long it took. */
  get lastRead(): { readonly endedAt: number; readonly ms: number } | undefined {
    return this.#lastRead;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Asks for a read; several asked for before it begins are one. */
  wake(reason: WakeReason): void {
    this.#schedule.ask(reason);
    this.#wakeUp();
  }

  /** Has the work for between two turns looked at. */
  look(): void {
    this.#wakeUp();
  }

  /** Begins no further turn. */
  end(): void {
    this.#closed = true;
    this.#wakeUp();
  }

  /** Resolves when the turn under way is over; {@link end} came before. */
  async ended(): Promise<void> {
    await this.#running;
    clearTimeout(this.#retryTimer);
  }

  async #run(): Promise<void> {
    const { trouble, now: clock, between, turn } = this.#options;
    while (!this.#closed) {
      await between();
      // Intervals are of the monotonic clock: the time of day may be set back.
      const startedAt = performance.now();
      const read = this.#schedule.take(startedAt);
      if (!read) {
        await this.#sleep(this.#schedule.dueIn(startedAt));
        continue;
      }
      let done: ReadDone | undefined;
      try {
        done = await turn(read);
        trouble.passed(clock());
      } catch (error) {
        if (!this.#closed) this.#failed(error, read);
      }
      const now = performance.now();
      this.#schedule.ended(read, startedAt, now, done);
      if (done) {
        this.#lastRead = { endedAt: clock(), ms: Math.round(now - startedAt) };
      }
    }
  }

  #sleep(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, Math.max(1, ms));
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #failed(error: unknown, read: DueRead): void {
    const { trouble, now, isSourceUp, retryMs = RETRY_MS } = this.#options;
    trouble.failed(error, now(), isSourceUp());
    // The cursor has not moved: one read covers all that failed, of everything if one of them was.
    if (read.everything) this.#retryReason = read.reason;
    this.#retryTimer ??= setTimeout(() => {
      const reason = this.#retryReason ?? "request";
      this.#retryTimer = this.#retryReason = undefined;
      this.wake(reason);
    }, retryMs);
  }
}
