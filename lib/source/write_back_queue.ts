/**
 * What is to be told to the source, gathered and written in the background, so
 * that publishing never waits for it.
 *
 * One write is under way at a time; what comes meanwhile goes with the next one.
 * A write that fails is tried again, with backoff and as soon as the link is up;
 * newer entries take the place of older ones.
 *
 * Owns: what is not written yet, and the last known standing of each secondary.
 */
import { ZonecastError } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import { ProblemQueue } from "./problem_queue.ts";
import type { Source } from "./source.ts";
import type {
  HeldReport,
  LiveReport,
  ProblemReport,
  PublishedReport,
  SecondaryReport,
  WriteBack,
} from "./write_back.ts";

/**
 * Gathered this long before it is written, in ms. The secondaries fetch a new version within
 * these: they come first, and that they have it is written with it.
 */
const GATHER_MS = 20;
/** Least time between two writes, in ms: many publications a second are written together. */
const MIN_INTERVAL_MS = 50;
/** First pause after a failure, in ms; doubled at each further one. */
const RETRY_FIRST_MS = 200;
const RETRY_LIMIT_MS = 10_000;
/** Pause after a refusal that only an operator can end, in ms. */
const REFUSED_RETRY_MS = 60_000;
/** Versions, and versions shown, kept while they cannot be written. */
const MAX_KEPT = 10_000;
/** Secondaries' standings kept, zone by zone; those of further zones are written once, then forgotten. */
const MAX_STANDINGS = 100_000;
/** A batch that failed so often, by itself and not for want of a link, is given up. */
const MAX_ATTEMPTS = 5;
/** How long closing waits for what is not written yet, in ms. */
const CLOSE_MS = 1000;

/** Errors that last until an operator does something. */
const REFUSALS: ReadonlySet<string> = new Set([
  "source-read-only",
  "source-permission",
  "source-schema-missing",
  "source-columns",
]);

export interface WriteBackOptions {
  /** The id of the state file. */
  readonly instance: string;
  /** Names of the secondaries each zone has, as {@link SecondaryReport.secondary} gives them. */
  readonly secondaries?: readonly string[];
  /**
   * All problems there are. What stands in the source may be of another state file, or of an
   * older dump: after each connect it is compared with all of them.
   */
  readonly problems?: () => Iterable<ProblemReport>;
}

/** How far writing back has come, for status. */
export interface WriteBackStatus {
  /** When it last succeeded, ms since the epoch; undefined before. */
  readonly writtenAt: number | undefined;
  /** Why it does not; undefined when it does. */
  readonly failure: string | undefined;
  /** Versions not written yet. */
  readonly waiting: number;
}

export class WriteBackQueue {
  #published: PublishedReport[] = [];
  #covered: WriteBack["covered"];
  #held: readonly HeldReport[] | undefined;
  readonly #problems: ProblemQueue;
  /**
   * Zones published since the start. Until a new state file has published one, what was told of it
   * before is another instance's, and stays: then all is compared again.
   */
  readonly #ours = new Set<string>();
  #live: LiveReport[] = [];
  /** Secondaries' standings not written yet, and all, by zone and name. */
  #secondaries = new Map<string, SecondaryReport>();
  readonly #standings = new Map<string, SecondaryReport>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #lastEnd = -Infinity;
  #failures = 0;
  #failure: string | undefined;
  /** The failure last logged. */
  #said: string | undefined;
  #writtenAt: number | undefined;
  #closed = false;

  constructor(
    readonly source: Source,
    readonly log: Logger,
    readonly options: WriteBackOptions,
  ) {
    this.#problems = new ProblemQueue(() => options.problems?.() ?? []);
  }

  get status(): WriteBackStatus {
    return {
      writtenAt: this.#writtenAt,
      failure: this.#failure,
      waiting: this.#published.length,
    };
  }

  /** A version was published. */
  published(report: PublishedReport): void {
    this.#published.push(report);
    if (!this.#ours.has(report.zone)) {
      this.#ours.add(report.zone);
      this.#problems.compare();
    }
    this.#wake();
  }

  /** The source was read up to this snapshot; the zones named wait. */
  covered(covered: NonNullable<WriteBack["covered"]>): void {
    this.#covered = covered;
    this.#wake();
  }

  /** How a secondary stands with a zone. */
  secondary(report: SecondaryReport): void {
    const key = `${report.zone} ${report.secondary}`;
    this.#secondaries.set(key, report);
    if (this.#standings.size < MAX_STANDINGS || this.#standings.has(key)) {
      this.#standings.set(key, report);
    }
    this.#wake();
  }

  /**
   * What has changed of the problems since the last read; called after each.
   *
   * @param put  read once, as is `gone`, perhaps after this has returned
   */
  problems(put: Iterable<ProblemReport>, gone: Iterable<ProblemReport>): void {
    this.#problems.changed(put, gone);
    this.#wake();
  }

  /** All that is held now. */
  held(held: readonly HeldReport[]): void {
    this.#held = held;
    this.#wake();
  }

  /** So many secondaries show a serial. */
  live(report: LiveReport): void {
    this.#live.push(report);
    this.#wake();
  }

  /** The link is up again: what waits is tried at once, and all standings with it. */
  linkUp(): void {
    for (const [key, report] of this.#standings) {
      if (!this.#secondaries.has(key)) this.#secondaries.set(key, report);
    }
    this.#failures = 0;
    this.#problems.compare();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wake();
  }

  /** Writes what waits, if that is quick, and no more afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_MS);
    const last = async () => {
      await this.#running;
      if (!this.#idle && this.#failure === undefined) await this.#write();
    };
    await Promise.race([last(), late.promise]);
    clearTimeout(timer);
  }

  get #idle(): boolean {
    return this.#published.length + this.#secondaries.size + this.#live.length === 0 &&
      this.#covered === undefined && this.#held === undefined && this.#problems.isEmpty;
  }

  /** Sees to it that what waits is written: with what else comes soon, when it is time. */
  #wake(): void {
    this.#bound();
    if (this.#closed || this.#running || this.#timer !== undefined || this.#idle) return;
    if (!this.source.writeBack) {
      this.#problems.clear();
      return this.#drop();
    }
    const pause = this.#failures === 0 ? MIN_INTERVAL_MS : this.#pauseMs;
    const dueIn = Math.max(GATHER_MS, this.#lastEnd + pause - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#write().finally(() => {
        this.#running = undefined;
        this.#lastEnd = performance.now();
        this.#wake();
      });
    }, dueIn);
  }

  #pauseMs = 0;

  /** Writes all that waits; puts it back when that fails. */
  async #write(): Promise<void> {
    await this.#problems.prepare();
    const report = this.#take();
    try {
      await this.source.writeBack?.(report);
      if (this.#failure !== undefined) this.log.info("written back again");
      this.#failures = 0;
      this.#failure = this.#said = undefined;
      this.#writtenAt = Date.now();
    } catch (error) {
      this.#failed(error, report);
    }
  }

  #take(): WriteBack {
    const { instance, secondaries } = this.options;
    const report: WriteBack = {
      instance,
      configured: secondaries,
      published: this.#published,
      covered: this.#covered,
      secondaries: [...this.#secondaries.values()],
      problems: this.#problems.take(),
      held: this.#held,
      live: this.#live,
    };
    this.#drop();
    return report;
  }

  #drop(): void {
    this.#published = [];
    this.#covered = undefined;
    this.#secondaries.clear();
    this.#held = undefined;
    this.#live = [];
  }

  #failed(error: unknown, report: WriteBack): void {
    const { code, hint, message } = error instanceof ZonecastError
      ? error
      : { code: "", hint: undefined, message: String(error) };
    const reason = message;
    // Of a link that is down, or not up yet, is told already.
    if (this.#said !== reason && !this.#closed && this.source.link.up) {
      this.log.warn("cannot write back to the source", { reason, hint });
      this.#said = reason;
    }
    this.#failure = reason;
    this.#failures++;
    if (report.problems) this.#problems.compare();
    this.#pauseMs = REFUSALS.has(code)
      ? REFUSED_RETRY_MS
      : Math.min(RETRY_FIRST_MS * 2 ** (this.#failures - 1), RETRY_LIMIT_MS);
    if (code === "source-query-failed" && this.#failures >= MAX_ATTEMPTS) {
      this.log.error("what cannot be written back is given up", {
        reason,
        versions: report.published.length,
      });
      this.#failures = 0;
    } else this.#putBack(report);
  }

  #putBack(report: WriteBack): void {
    this.#published = [...report.published, ...this.#published];
    this.#live = [...report.live, ...this.#live];
    this.#covered ??= report.covered;
    this.#held ??= report.held;
    for (const standing of report.secondaries) {
      const key = `${standing.zone} ${standing.secondary}`;
      if (!this.#secondaries.has(key)) this.#secondaries.set(key, standing);
    }
    this.#bound();
  }

  /** Forgets the oldest of what is too much. */
  #bound(): void {
    // Twice as many are let come before they are cut: cutting copies.
    if (this.#published.length > 2 * MAX_KEPT) this.#published = this.#published.slice(-MAX_KEPT);
    if (this.#live.length > 2 * MAX_KEPT) this.#live = this.#live.slice(-MAX_KEPT);
  }
}
