/**
 * The pipeline: a hint from the source → a read at one snapshot → each zone's
 * next version → durable → visible → announced → told. In that order, always, here.
 *
 * The primary is the only writer of a zone: one loop reads, builds, commits and
 * swaps; nothing else touches the zone table or the state file's zones.
 *
 * Owns: which version of each zone is current (through the {@link ZoneTable}),
 * how far the source was read, what of it still waits, the problems there are.
 */
import {
  canonicalKey,
  formatName,
  isAhead,
  type Name,
  parseName,
  type Serial,
  ZonecastError,
} from "./dns/mod.ts";
import { type Logger, runSliced } from "./ops/mod.ts";
import {
  type DueRead,
  type Reading,
  ReadSchedule,
  type Source,
  type SourceLink,
  type WakeReason,
} from "./source/mod.ts";
import type { PendingOwners, Publication, StateStore, StoredState } from "./store/mod.ts";
import {
  type AskSerials,
  type BuildSettings,
  incomparableProblem,
  jumpFloor,
  type Problem,
  type ProblemChange,
  ProblemTable,
  SerialFloors,
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
  /** Asks the secondaries which serial of a zone they have; absent where nobody is watched. */
  serials?: AskSerials;
}

/** Whom the primary tells what became of the source's records. Never blocks, never throws. */
export interface Teller {
  published(publication: Publication, reading: Reading): void;
  /** The source was read up to here; zones named wait. */
  covered(reading: Reading, pending: PendingOwners): void;
  /** All problems there are, when they have changed. */
  problems(problems: Iterable<Problem>): void;
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
  readonly teller?: Teller;
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
  /** Reads since the start: of everything, and of what the feed named. */
  readonly reads: { readonly everything: number; readonly part: number };
  readonly problems: readonly Problem[];
  /** Why the last read or publication failed; undefined when it did not. */
  readonly failure: string | undefined;
}

/** Problems shown in status, and logged after one read; more are only counted. */
const MAX_PROBLEMS = 1000;
/** A read or publication that failed is tried again after this, in ms. */
const RETRY_MS = 5_000;

/** What a read has led to, until it is durable. */
interface Outcome {
  readonly publications: Publication[];
  readonly pending: Map<string, ReadonlySet<string> | "all">;
  /** Builds that ended with the zone as the source has it. */
  readonly settled: ZoneBuild[];
}

export class Primary {
  readonly #parts: PrimaryParts;
  readonly #now: () => number;
  readonly #schedule: ReadSchedule;
  readonly #floors: SerialFloors;
  readonly #problems = new ProblemTable();
  readonly #publishedAt = new Map<string, number>();
  /** The settings each zone is served with, by its apex's key. */
  readonly #settled = new Map<string, string>();
  /** Serials that secondaries have and we must pass, by the zone's apex key. */
  readonly #raises = new Map<string, Serial>();
  /** Zones whose serial no secondary has confirmed since the start. */
  readonly #unproven = new Set<string>();
  /** Zones, by apex key, whose waiting owners are to be read whatever the feed says. */
  readonly #due = new Set<string>();
  /** Zones asked for by name that the source does not have, by apex key. */
  #absent = new Set<string>();
  readonly #reads = { everything: 0, part: 0 };
  #pending: PendingOwners = new Map();
  #cursor: string | undefined;
  #failure: string | undefined;
  #lastRead: { endedAt: number; ms: number } | undefined;
  #wakeUp: () => void = () => {};
  #closed = false;
  #loop: Promise<void> = Promise.resolve();
  #proofTimer: ReturnType<typeof setInterval> | undefined;

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#schedule = new ReadSchedule(parts.config.minPublishIntervalMs);
    const ask = parts.announcer.serials?.bind(parts.announcer);
    this.#floors = new SerialFloors(ask, (apex) => this.#reread(apex));
  }

  /** Makes the last known versions current; nothing is announced yet. */
  restore(state: StoredState): void {
    this.#cursor = state.cursor;
    this.#pending = state.pending;
    for (const { version, publishedAt } of state.zones) {
      if (!this.#isWanted(version.apexKey)) continue;
      this.#parts.zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
      this.#unproven.add(version.apexKey);
    }
  }

  /** Announces what is current, then follows the source until {@link close}. */
  start(): void {
    const { source, log, zones, announcer, config } = this.#parts;
    for (const version of zones.all()) announcer.announce(version);
    source.start(
      (reason) => this.wake(reason),
      (link) => {
        if (this.#closed) return; // it goes because we do
        if (link.up) log.info("source up", { source: source.description });
        else log.warn("source down", { source: source.description, reason: link.reason });
      },
    );
    this.#proofTimer = setInterval(() => this.wake("proof"), config.fullReadIntervalMs);
    this.#loop = this.#run();
  }

  /** Asks for a read; several asked for before it begins are one. */
  wake(reason: WakeReason): void {
    this.#schedule.ask(reason);
    this.#wakeUp();
  }

  /**
   * A secondary has a serial of a zone. Ahead of ours it would take nothing more:
   * a zone not yet confirmed since the start (the state file may have been
   * restored) is raised above it; later that is an operator's decision.
   */
  seen(apex: Name, secondary: string, serial: Serial): void {
    const { zones, log } = this.#parts;
    const current = zones.get(apex);
    if (!current) return;
    const key = current.apexKey;
    if (!isAhead(serial, current.serial)) {
      this.#unproven.delete(key);
      return;
    }
    if (this.#raises.get(key) === serial) return;
    const zone = formatName(apex);
    const fields = { zone, secondary, theirs: serial, ours: current.serial };
    if (!this.#unproven.has(key)) {
      const hint = `zonecast zone set ${zone} --serial-floor ${serial}`;
      log.error("a secondary is ahead of us and takes no changes", { ...fields, hint });
      return;
    }
    log.warn(
      "a secondary is ahead of what the state file had; raising the serial above it",
      fields,
    );
    this.#raises.set(key, serial);
    this.#reread(apex);
  }

  status(): PrimaryStatus {
    const { zones, source } = this.#parts;
    const problems: Problem[] = [];
    for (const problem of this.#problems.all()) {
      if (problems.push(problem) === MAX_PROBLEMS) break;
    }
    return {
      zones: [...zones.all()].map((version) => ({
        version,
        publishedAt: this.#publishedAt.get(version.apexKey) ?? 0,
      })),
      link: source.link,
      source: source.description,
      lastReadAt: this.#lastRead?.endedAt,
      lastReadMs: this.#lastRead?.ms,
      reads: { ...this.#reads },
      problems,
      failure: this.#failure,
    };
  }

  /** Ends the loop after the step it is in; the source is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#proofTimer);
    this.#wakeUp();
    await this.#parts.source.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const read = this.#schedule.take(this.#now());
      if (!read) {
        await this.#sleep(this.#schedule.dueIn(this.#now()));
        continue;
      }
      const startedAt = this.#now();
      let everything: boolean | undefined;
      try {
        everything = await this.#readAndPublish(read);
        this.#failure = undefined;
      } catch (error) {
        if (!this.#closed) this.#failed(error, read);
      }
      const endedAt = this.#now();
      this.#schedule.ended(read, startedAt, endedAt, everything);
      if (everything !== undefined) this.#lastRead = { endedAt, ms: endedAt - startedAt };
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
    const known = error instanceof ZonecastError;
    const message = error instanceof Error ? error.message : String(error);
    if (message !== this.#failure) {
      this.#parts.log.error("publish failed", {
        error: known ? message : error instanceof Error ? error : message,
        hint: known ? error.hint : undefined,
      });
    }
    this.#failure = message;
    // The cursor has not moved: the next read covers what this one did.
    const timer = setTimeout(() => this.wake(read.everything ? read.reason : "request"), RETRY_MS);
    Deno.unrefTimer(timer);
  }

  /** One turn of the pipeline. Returns whether everything was read. */
  async #readAndPublish(read: DueRead): Promise<boolean> {
    const startedAt = this.#now();
    const { builds, reading } = await this.#read(read);
    const zoneBuilds = builds.finish(
      reading.scope,
      (key, settings) => this.#isSettled(key, settings),
    );
    const everything = reading.scope === "everything";
    const outcome: Outcome = { publications: [], pending: new Map(), settled: [] };
    this.#keepPending(reading, outcome.pending);
    for (const build of zoneBuilds) await this.#build(build, reading, read.reason, outcome);
    await this.#commit(outcome, reading);
    await this.#retireMissing(builds);
    this.#noteAbsent(builds);
    this.#report(zoneBuilds, everything ? builds.strays : undefined);
    this.#tell(outcome, reading);
    this.#log(outcome.publications, read, startedAt);
    this.#reads[everything ? "everything" : "part"]++;
    return everything;
  }

  async #read(read: DueRead): Promise<{ builds: ZoneBuilds; reading: Reading }> {
    const isWanted = (key: string) => this.#isWanted(key);
    const due = this.#takeDue();
    let builds: ZoneBuilds | undefined;
    try {
      const reading = await this.#parts.source.read(
        {
          cursor: this.#cursor,
          everything: read.everything,
          pending: this.#pending,
          due: new Set(due.keys()),
        },
        (rows, zones) => {
          builds ??= new ZoneBuilds(zones, isWanted);
          return runSliced(builds.take(rows));
        },
      );
      return { builds: builds ?? new ZoneBuilds(reading.zones, isWanted), reading };
    } catch (error) {
      for (const key of due.values()) this.#due.add(key);
      throw error;
    }
  }

  /** The zones whose waiting owners are due, by the source's name, with their apex keys. */
  #takeDue(): Map<string, string> {
    const due = new Map<string, string>();
    for (const zone of this.#pending.keys()) {
      const key = zoneKey(zone);
      if (key !== undefined && this.#due.has(key)) due.set(zone, key);
    }
    this.#due.clear();
    return due;
  }

  /** What waited before and was not read now goes on waiting. */
  #keepPending(reading: Reading, pending: Outcome["pending"]): void {
    if (reading.scope === "everything") return;
    for (const [zone, owners] of this.#pending) {
      if (!reading.scope.has(zone)) pending.set(zone, owners);
    }
  }

  /** One zone's next version into the outcome: published, settled, or waiting. */
  async #build(
    build: ZoneBuild,
    reading: Reading,
    cause: WakeReason,
    outcome: Outcome,
  ): Promise<void> {
    const { zones, config } = this.#parts;
    const { name } = build.settings;
    const wait = () => outcome.pending.set(name, ownersRead(reading, name));
    const previous = zones.get(build.apex);
    const publishedAt = this.#now();
    const floors = this.#floorsOf(build, previous, reading, publishedAt);
    if (!floors) {
      wait();
      return;
    }
    const result = await runSliced(build.finish(previous, {
      policy: config.serialPolicy,
      nowMs: publishedAt,
      floors,
    }));
    if (result.kind === "held") wait();
    else if (result.kind === "incomplete") {
      outcome.pending.set(name, "all");
      this.#reread(build.apex);
    } else {
      outcome.settled.push(build);
      if (result.kind === "unchanged") return;
      const { version, diff } = result;
      outcome.publications.push({ version, previous, diff, cause, publishedAt });
    }
  }

  /** The serials a zone's next must be above; undefined while that is not known. */
  #floorsOf(
    build: ZoneBuild,
    previous: ZoneVersion | undefined,
    reading: Reading,
    nowMs: number,
  ): Serial[] | undefined {
    const own = [this.#parts.config.serialFloor, this.#raises.get(build.apexKey)];
    const chosen = build.settings.serialFloor ?? undefined;
    const floors = own.filter((serial) => serial !== undefined);
    if (previous) return floors;
    const written = reading.publishedSerials?.get(build.settings.name);
    const known = [...floors, chosen, written].filter((serial) => serial !== undefined);
    const verdict = this.#floors.verdict(
      build.apex,
      known,
      chosen !== undefined || own[0] !== undefined,
    );
    switch (verdict.kind) {
      case "asking":
        return undefined;
      case "known":
        return [...verdict.floors];
      case "unanswered":
        this.#parts.log.error(
          "no secondary answered with its serial: starting far above the time",
          {
            zone: formatName(build.apex),
            hint: "a secondary that has a serial ahead of ours is passed as soon as it answers",
          },
        );
        this.#unproven.add(build.apexKey);
        return [jumpFloor(known, nowMs, verdict.jump)];
      case "incomparable":
        build.problems.push(incomparableProblem(build.apex, verdict.serials));
        this.#floors.forget(build.apex);
        return undefined;
    }
  }

  /** Durable, then visible, then announced. */
  async #commit(outcome: Outcome, reading: Reading): Promise<void> {
    const { store, zones, announcer } = this.#parts;
    const { publications, pending } = outcome;
    const progress = { cursor: reading.cursor, pending };
    if (publications.length > 0) await store.publish(publications, progress);
    else if (reading.cursor !== this.#cursor || pending.size > 0 || this.#pending.size > 0) {
      await store.keepProgress(progress);
    }
    this.#cursor = reading.cursor;
    this.#pending = pending;
    for (const { version, publishedAt } of publications) {
      zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
      this.#raises.delete(version.apexKey);
    }
    for (const build of outcome.settled) {
      this.#settled.set(build.apexKey, JSON.stringify(build.settings));
    }
    for (const { version } of publications) announcer.announce(version);
  }

  /** Stops serving zones that the source no longer has. */
  async #retireMissing(builds: ZoneBuilds): Promise<void> {
    const { store, zones, announcer, log } = this.#parts;
    for (const version of [...zones.all()]) {
      const { apex, apexKey, serial } = version;
      if (builds.has(apexKey)) continue;
      await store.removeZone(apex);
      zones.delete(apex);
      for (const state of [this.#publishedAt, this.#settled, this.#raises]) state.delete(apexKey);
      this.#problems.drop(apexKey);
      this.#floors.forget(apex);
      announcer.retire(apex);
      log.warn("zone removed", { zone: formatName(apex), serial });
    }
  }

  /** Says once which zones were asked for by name and are not in the source. */
  #noteAbsent(builds: ZoneBuilds): void {
    const absent = new Set<string>();
    for (const apex of this.#parts.config.zones) {
      const key = canonicalKey(apex);
      if (builds.has(key)) continue;
      absent.add(key);
      if (this.#absent.has(key)) continue;
      const zone = formatName(apex);
      const hint = `add it with \`zonecast zone add ${zone}\`, or correct --zone`;
      this.#parts.log.warn("zone not in the source", { zone, hint });
    }
    this.#absent = absent;
  }

  #isWanted(apexKey: string): boolean {
    const { zones } = this.#parts.config;
    return zones.length === 0 || zones.some((zone) => canonicalKey(zone) === apexKey);
  }

  #isSettled(apexKey: string, settings: BuildSettings): boolean {
    return !this.#raises.has(apexKey) && this.#settled.get(apexKey) === JSON.stringify(settings);
  }

  /** Has a zone looked at again, whatever waits of it included. */
  #reread(apex: Name): void {
    this.#due.add(canonicalKey(apex));
    this.wake("request");
  }

  /** Logs each problem once, when it appears, and says when it is gone. */
  #report(builds: readonly ZoneBuild[], strays: readonly Problem[] | undefined): void {
    const changes = [this.#problems.take(builds)];
    if (strays) changes.push(this.#problems.takeStrays(strays));
    if (changes.every(({ appeared, solved }) => appeared.length + solved.length === 0)) return;
    for (const change of changes) this.#logProblems(change);
    this.#parts.teller?.problems(this.#problems.all());
  }

  #logProblems({ appeared, solved }: ProblemChange): void {
    const { log } = this.#parts;
    for (const problem of appeared.slice(0, MAX_PROBLEMS)) {
      const { group: _, ...fields } = problem;
      log.warn("problem", fields);
    }
    if (appeared.length > MAX_PROBLEMS) {
      log.warn("problems not shown", { count: appeared.length - MAX_PROBLEMS });
    }
    if (solved.length > 0) log.info("problems solved", { count: solved.length });
  }

  #tell({ publications, pending }: Outcome, reading: Reading): void {
    const { teller } = this.#parts;
    if (!teller) return;
    for (const publication of publications) teller.published(publication, reading);
    const readNothing = reading.scope !== "everything" && reading.scope.size === 0;
    if (!readNothing) teller.covered(reading, pending);
  }

  #log(publications: readonly Publication[], read: DueRead, startedAt: number): void {
    const { log } = this.#parts;
    for (const { version, diff } of publications) {
      log.info("zone published", {
        zone: formatName(version.apex),
        serial: version.serial,
        records: version.records,
        added: diff?.added.count ?? version.records,
        removed: diff?.removed.count ?? 0,
        cause: read.reason,
        ms: this.#now() - startedAt,
      });
    }
    if (read.reason === "proof" && publications.length > 0) {
      log.warn("the regular full read found changes that nothing had told of", {
        zones: publications.length,
        hint: "look for tables without triggers, or session_replication_role = replica",
      });
    }
  }
}

/** The owners of a zone that a reading covered. */
function ownersRead(reading: Reading, zone: string): ReadonlySet<string> | "all" {
  return reading.scope === "everything" ? "all" : reading.scope.get(zone) ?? new Set();
}

/** The apex key of a zone by the source's name for it; undefined when that is no name. */
function zoneKey(zone: string): string | undefined {
  try {
    return canonicalKey(parseName(zone));
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}
