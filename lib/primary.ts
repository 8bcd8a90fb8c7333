/**
 * The pipeline: a hint from the source → a read at one snapshot → each zone's
 * next version → durable → visible → announced. In that order, always, here.
 *
 * The primary is the only writer of a zone: one loop reads, builds, commits and
 * swaps; nothing else touches the zone table or the state file's zones.
 *
 * Owns: which version of each zone is current (through the {@link ZoneTable}),
 * the source cursor, the problems found by the last read.
 *
 * Limitations: every read is a full read until the change feed is there, so its
 * cost follows the zones, not the change.
 */
import { canonicalKey, formatName, type Name, type Serial, ZonecastError } from "./dns/mod.ts";
import { type Logger, runSliced } from "./ops/mod.ts";
import type { Reading, Source, SourceLink, WakeReason } from "./source/mod.ts";
import type { Publication, StateStore, StoredState } from "./store/mod.ts";
import {
  type Problem,
  type SerialPolicy,
  type ZoneBuild,
  ZoneBuilds,
  type ZoneTable,
  type ZoneVersion,
} from "./zone/mod.ts";

/** Whom the primary tells of new versions; the server. */
export interface Announcer {
  /** A version has become current: notify the secondaries. */
  announce(version: ZoneVersion): void;
  /** A zone is no longer served. */
  retire(apex: Name): void;
}

/** How the primary works; times in ms. */
export interface PrimaryConfig {
  /** Serve only these zones; empty means all. */
  readonly zones: readonly Name[];
  /** Changes closer together than this are published together. */
  readonly minPublishIntervalMs: number;
  readonly serialPolicy: SerialPolicy;
  /** No zone gets a serial at or below this one; undefined without. */
  readonly serialFloor: Serial | undefined;
  /** A read proves everything at least this often, changed or not. */
  readonly fullReadIntervalMs: number;
}

/** What the primary is made of. */
export interface PrimaryParts {
  readonly source: Source;
  readonly store: StateStore;
  readonly zones: ZoneTable;
  readonly announcer: Announcer;
  readonly config: PrimaryConfig;
  readonly log: Logger;
  /** ms since the epoch; the default is the clock. */
  readonly now?: () => number;
}

/** One zone's standing, for status. */
export interface ZoneStatus {
  readonly version: ZoneVersion;
  /** ms since the epoch. */
  readonly publishedAt: number;
}

/** The primary's standing, for status. */
export interface PrimaryStatus {
  readonly zones: readonly ZoneStatus[];
  readonly link: SourceLink;
  readonly source: string;
  /** When the source was last read to the end, ms since the epoch; undefined before. */
  readonly lastReadAt: number | undefined;
  readonly lastReadMs: number | undefined;
  readonly problems: readonly Problem[];
  /** Why the last read or publication failed; undefined when it did not. */
  readonly failure: string | undefined;
}

/** Problems kept for status and logged after one read; more are only counted. */
const MAX_PROBLEMS = 1000;
/** A failed publication is tried again after this, in ms; the state file may have room again. */
const RETRY_MS = 5_000;
/**
 * A read that only a timer asked for waits until this many times the last
 * read's duration have passed, so that idle polling stays cheap on large zones.
 */
const IDLE_READ_SPACING = 10;

export class Primary {
  readonly #parts: PrimaryParts;
  readonly #now: () => number;
  readonly #publishedAt = new Map<string, number>();
  #cursor: string | undefined;
  #problems: readonly Problem[] = [];
  #knownProblems = new Set<string>();
  #failure: string | undefined;
  #wakeReason: WakeReason | undefined;
  #wakeUp: () => void = () => {};
  #lastRead: { endedAt: number; ms: number } | undefined;
  #closed = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** Makes the last known versions current; nothing is announced yet. */
  restore(state: StoredState): void {
    this.#cursor = state.cursor;
    for (const { version, publishedAt } of state.zones) {
      if (!this.#isWanted(version.apexKey)) continue;
      this.#parts.zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
    }
  }

  /** Announces what is current, then follows the source until {@link close}. */
  start(): void {
    const { source, log, zones, announcer } = this.#parts;
    for (const version of zones.all()) announcer.announce(version);
    source.start(
      (reason) => this.wake(reason),
      (link) => {
        if (this.#closed) return; // it goes because we do
        if (link.up) log.info("source up", { source: source.description });
        else log.warn("source down", { source: source.description, reason: link.reason });
      },
    );
    this.#loop = this.#run();
  }

  /** Asks for a read; several asked for before it begins are one. */
  wake(reason: WakeReason): void {
    // A change that was signalled must not wait as a mere poll may.
    if (this.#wakeReason === undefined || this.#wakeReason === "poll") this.#wakeReason = reason;
    this.#wakeUp();
  }

  status(): PrimaryStatus {
    const { zones, source } = this.#parts;
    return {
      zones: [...zones.all()].map((version) => ({
        version,
        publishedAt: this.#publishedAt.get(version.apexKey) ?? 0,
      })),
      link: source.link,
      source: source.description,
      lastReadAt: this.#lastRead?.endedAt,
      lastReadMs: this.#lastRead?.ms,
      problems: this.#problems,
      failure: this.#failure,
    };
  }

  /** Ends the loop after the step it is in; the source is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeUp();
    await this.#parts.source.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const reason = await this.#nextWake();
      if (this.#closed) return;
      const startedAt = this.#now();
      try {
        await this.#readAndPublish(reason);
        this.#failure = undefined;
      } catch (error) {
        this.#failed(error);
      }
      const endedAt = this.#now();
      this.#lastRead = { endedAt, ms: endedAt - startedAt };
    }
  }

  /** Waits for a reason to read, and until the read is due. */
  async #nextWake(): Promise<WakeReason> {
    while (!this.#closed) {
      const dueIn = this.#dueInMs();
      if (this.#wakeReason !== undefined && dueIn <= 0) break;
      await this.#sleep(this.#wakeReason === undefined ? undefined : dueIn);
    }
    const reason = this.#wakeReason ?? "request";
    this.#wakeReason = undefined;
    return reason;
  }

  /** How long the read that is asked for must still wait, in ms. */
  #dueInMs(): number {
    if (!this.#lastRead) return 0;
    const { endedAt, ms } = this.#lastRead;
    const { minPublishIntervalMs, fullReadIntervalMs } = this.#parts.config;
    const idle = this.#wakeReason === "poll"
      ? Math.min(IDLE_READ_SPACING * ms, fullReadIntervalMs)
      : 0;
    return endedAt + Math.max(minPublishIntervalMs, idle) - this.#now();
  }

  #sleep(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #failed(error: unknown): void {
    const known = error instanceof ZonecastError;
    const message = error instanceof Error ? error.message : String(error);
    if (message !== this.#failure) {
      this.#parts.log.error("publish failed", {
        error: known ? message : error instanceof Error ? error : message,
        hint: known ? error.hint : undefined,
      });
    }
    this.#failure = message;
    const timer = setTimeout(() => this.wake("request"), RETRY_MS);
    Deno.unrefTimer(timer);
  }

  async #readAndPublish(cause: WakeReason): Promise<void> {
    const startedAt = this.#now();
    const { builds, reading } = await this.#read();
    const problems: Problem[] = [...builds.strays];
    const publications: Publication[] = [];
    for (const build of builds.zones.values()) {
      const publication = await this.#build(build, cause);
      problems.push(...build.problems);
      if (publication) publications.push(publication);
    }
    this.#reportProblems(problems);
    await this.#commit(publications, reading);
    await this.#retireMissing(builds);
    for (const { version, diff } of publications) {
      this.#parts.log.info("zone published", {
        zone: formatName(version.apex),
        serial: version.serial,
        records: version.records,
        added: diff?.added.count ?? version.records,
        removed: diff?.removed.count ?? 0,
        cause,
        ms: this.#now() - startedAt,
      });
    }
  }

  /** Reads everything at one snapshot into one build per zone. */
  async #read(): Promise<{ builds: ZoneBuilds; reading: Reading }> {
    const isWanted = (key: string) => this.#isWanted(key);
    let builds: ZoneBuilds | undefined;
    const reading = await this.#parts.source.read(
      { cursor: this.#cursor, everything: true, pending: new Map() },
      (rows, zones) => {
        builds ??= new ZoneBuilds(zones, isWanted);
        return runSliced(builds.take(rows));
      },
    );
    return { builds: builds ?? new ZoneBuilds(reading.zones, isWanted), reading };
  }

  /** One zone's next version, or undefined when there is nothing to publish. */
  async #build(build: ZoneBuild, cause: string): Promise<Publication | undefined> {
    const { zones, config } = this.#parts;
    const previous = zones.get(build.apex);
    const publishedAt = this.#now();
    const result = await runSliced(build.finish(previous, {
      policy: config.serialPolicy,
      nowMs: publishedAt,
      floors: config.serialFloor === undefined ? [] : [config.serialFloor],
    }));
    if (result.kind !== "changed") return undefined;
    return { version: result.version, previous, diff: result.diff, cause, publishedAt };
  }

  /** Durable, then visible, then announced. */
  async #commit(publications: readonly Publication[], reading: Reading): Promise<void> {
    const { store, zones, announcer } = this.#parts;
    if (publications.length === 0) {
      if (reading.cursor !== this.#cursor) {
        await store.keepProgress({ cursor: reading.cursor, pending: new Map() });
      }
      this.#cursor = reading.cursor;
      return;
    }
    await store.publish(publications, { cursor: reading.cursor, pending: new Map() });
    this.#cursor = reading.cursor;
    for (const { version, publishedAt } of publications) {
      zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
    }
    for (const { version } of publications) announcer.announce(version);
  }

  /** Stops serving zones that the source no longer has. */
  async #retireMissing(builds: ZoneBuilds): Promise<void> {
    const { store, zones, announcer, log } = this.#parts;
    for (const version of [...zones.all()]) {
      if (builds.zones.has(version.apexKey)) continue;
      await store.removeZone(version.apex);
      zones.delete(version.apex);
      this.#publishedAt.delete(version.apexKey);
      announcer.retire(version.apex);
      log.warn("zone removed", { zone: formatName(version.apex), serial: version.serial });
    }
  }

  #isWanted(apexKey: string): boolean {
    const { zones } = this.#parts.config;
    return zones.length === 0 || zones.some((zone) => canonicalKey(zone) === apexKey);
  }

  /** Logs each problem once, when it appears, and says when it is gone. */
  #reportProblems(problems: readonly Problem[]): void {
    const { log } = this.#parts;
    const known = new Set<string>();
    for (const problem of problems.slice(0, MAX_PROBLEMS)) {
      const { zone, scope, name, type, content, code, reason, hint } = problem;
      const identity = [zone, scope, name, type, content, code].join("\x00");
      known.add(identity);
      if (this.#knownProblems.has(identity)) continue;
      log.warn("problem", { zone, scope, name, type, content, code, reason, hint });
    }
    if (problems.length > MAX_PROBLEMS) {
      log.warn("problems not shown", { count: problems.length - MAX_PROBLEMS });
    }
    const solved = [...this.#knownProblems].filter((identity) => !known.has(identity)).length;
    if (solved > 0) log.info("problems solved", { count: solved, left: known.size });
    this.#knownProblems = known;
    this.#problems = problems.slice(0, MAX_PROBLEMS);
  }
}
