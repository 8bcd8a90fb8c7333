/**
 * The pipeline: a hint from the source → a read at one snapshot → each zone's
 * next version → durable → visible → announced → told. In that order, always, here.
 *
 * The primary is the only writer of a zone: one loop reads, builds, commits and
 * swaps; nothing else touches the zone table or the state file's zones. Its
 * folder holds what it is made of: what waits, which serials are taken, what is
 * reported.
 *
 * Owns: which version of each zone is current (through the {@link ZoneTable}),
 * and how far the source was read.
 */
import { canonicalKey, type Name, type Serial } from "./dns/mod.ts";
import { runSliced } from "./ops/mod.ts";
import type { PrimaryParts, PrimaryStatus } from "./primary/parts.ts";
import { type Raised, Raising } from "./primary/raising.ts";
import { Reporting } from "./primary/reporting.ts";
import { SerialGuard } from "./primary/serials.ts";
import { Trouble } from "./primary/trouble.ts";
import { addRead, Waiting } from "./primary/waiting.ts";
import {
  type DueRead,
  type OwnerScope,
  type Reading,
  ReadSchedule,
  type SourceLink,
  type WakeReason,
} from "./source/mod.ts";
import type { Publication, StoredState } from "./store/mod.ts";
import { type BuildSettings, equalSettings, type ZoneBuild, ZoneBuilds } from "./zone/mod.ts";

export type {
  Announcer,
  PrimaryConfig,
  PrimaryParts,
  PrimaryStatus,
  Teller,
  ZoneStatus,
} from "./primary/parts.ts";
export type { Raised } from "./primary/raising.ts";
export type { Unkept } from "./primary/trouble.ts";

/** A read or publication that failed is tried again after this, in ms. */
const RETRY_MS = 5_000;

/** What a read has led to, until it is durable. */
interface Outcome {
  readonly publications: Publication[];
  readonly pending: Map<string, OwnerScope>;
  /** Zones of which all must be read next. */
  readonly incomplete: Name[];
  /** Builds that ended with the zone as the source has it. */
  readonly settled: ZoneBuild[];
}

export class Primary {
  readonly #parts: PrimaryParts;
  readonly #now: () => number;
  readonly #schedule: ReadSchedule;
  readonly #serials: SerialGuard;
  readonly #reporting: Reporting;
  readonly #trouble: Trouble;
  readonly #waiting = new Waiting();
  readonly #raising = new Raising();
  readonly #publishedAt = new Map<string, number>();
  /** The settings each zone was last built with, served or not, by its apex's key. */
  readonly #built = new Map<string, BuildSettings>();
  /** The source's zones that all were looked at: built, or found built, or gone. */
  #settledZones: readonly BuildSettings[] | undefined;
  readonly #reads = { everything: 0, part: 0 };
  #cursor: string | undefined;
  #lastRead: { endedAt: number; ms: number } | undefined;
  #wakeUp: () => void = () => {};
  #closed = false;
  #sourceIsUp = false;
  #loop: Promise<void> = Promise.resolve();
  #proofTimer: ReturnType<typeof setInterval> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why everything is to be read at the retry; undefined where the feed will do. */
  #retryReason: WakeReason | undefined;

  constructor(parts: PrimaryParts) {
    const { announcer, config, log } = parts;
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#schedule = new ReadSchedule(config.minPublishIntervalMs);
    this.#reporting = new Reporting(log);
    this.#trouble = new Trouble(log);
    this.#serials = new SerialGuard({
      announcer,
      watched: config.watchedSecondaries,
      policy: config.serialPolicy,
      serialFloor: config.serialFloor,
      log,
      changed: (apex) => this.#readAgain(apex),
    });
  }

  /** Makes the last known versions current; nothing is announced yet. */
  restore(state: StoredState): void {
    this.#cursor = state.cursor;
    this.#waiting.restore(state.pending);
    for (const { version, publishedAt } of state.zones) {
      if (!this.#isWanted(version.apexKey)) continue;
      this.#parts.zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
      this.#serials.restored(version);
    }
  }

  /** Announces what is current, then follows the source until {@link close}. */
  start(): void {
    const { source, zones, announcer, config } = this.#parts;
    for (const version of zones.all()) announcer.announce(version);
    source.start((reason) => this.wake(reason), (link) => this.#linkChanged(link));
    this.#proofTimer = setInterval(() => this.wake("proof"), config.fullReadIntervalMs);
    this.#loop = this.#run();
  }

  #linkChanged({ up, reason, hint }: SourceLink): void {
    const { source: { description }, log, teller } = this.#parts;
    if (this.#closed) return; // it goes because we do
    if (!up) log.warn("source down", { source: description, reason, hint });
    else if (!this.#sourceIsUp) log.info("source up", { source: description });
    this.#sourceIsUp = up; // trouble while it is up is told by the read that failed
    if (up) teller?.linkUp();
  }

  /** Asks for a read; several asked for before it begins are one. */
  wake(reason: WakeReason): void {
    this.#schedule.ask(reason);
    this.#wakeUp();
  }

  /** A secondary was seen to have a serial of a zone. */
  seen(apex: Name, secondary: string, serial: Serial): void {
    const current = this.#parts.zones.get(apex);
    if (current) this.#serials.seen(current, secondary, serial);
  }

  /**
   * Publishes a zone as it is served under a serial above the one given: durable
   * when it is answered. Where RFC 1982 lets no single step lead there, it is the
   * first of two.
   *
   * @throws {ZonecastError} the zone is not served, or cannot be kept
   */
  raiseAbove(apex: Name, above: Serial): Promise<Raised> {
    const raised = this.#raising.ask(apex, above);
    this.#wakeUp();
    return raised;
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
      reads: { ...this.#reads },
      problems: this.#reporting.shownProblems(),
      failure: this.#trouble.failure,
      unkept: this.#trouble.unkept,
    };
  }

  /** Ends the loop after the step it is in; the source is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#proofTimer);
    this.#wakeUp();
    await this.#parts.source.close();
    await this.#loop;
    this.#raising.close();
    clearTimeout(this.#retryTimer);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      while (this.#raising.isAsked) await this.#raise();
      // Intervals are of the monotonic clock: the time of day may be set back.
      const startedAt = performance.now();
      const read = this.#schedule.take(startedAt);
      if (!read) {
        await this.#sleep(this.#schedule.dueIn(startedAt));
        continue;
      }
      let everything: boolean | undefined;
      try {
        everything = await this.#readAndPublish(read);
        this.#trouble.passed(this.#now());
      } catch (error) {
        if (!this.#closed) this.#failed(error, read);
      }
      const now = performance.now();
      this.#schedule.ended(read, startedAt, now, everything);
      if (everything !== undefined) {
        this.#lastRead = { endedAt: this.#now(), ms: Math.round(now - startedAt) };
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
    this.#trouble.failed(error, this.#now(), this.#parts.source.link.up);
    // The cursor has not moved: one read covers all that failed, of everything if one of them was.
    if (read.everything) this.#retryReason = read.reason;
    this.#retryTimer ??= setTimeout(() => {
      const reason = this.#retryReason ?? "request";
      this.#retryTimer = this.#retryReason = undefined;
      this.wake(reason);
    }, this.#parts.retryMs ?? RETRY_MS);
  }

  /** One turn of the pipeline; what was due still is when it fails, wherever that is. */
  async #readAndPublish(read: DueRead): Promise<boolean> {
    const due = this.#waiting.takeDue();
    try {
      return await this.#turn(read, new Set(due.keys()));
    } catch (error) {
      this.#waiting.giveBack(due);
      throw error;
    }
  }

  /** Returns whether everything was read. */
  async #turn(read: DueRead, due: ReadonlySet<string>): Promise<boolean> {
    const startedAt = this.#now();
    const { builds, reading } = await this.#read(read, due);
    const zoneBuilds = builds.finish(
      reading.scope,
      this.#areAllSettled(reading) ? undefined : (key, settings) => this.#isSettled(key, settings),
    );
    const pending = this.#waiting.notRead(reading);
    const outcome: Outcome = { publications: [], pending, incomplete: [], settled: [] };
    for (const build of zoneBuilds) await this.#build(build, reading, read.reason, outcome);
    builds.release(); // of those that could not be built
    const readMs = this.#now() - startedAt;
    this.#reporting.read(outcome.publications, read.reason, reading.changedAt, readMs);
    await this.#commit(outcome, reading);
    for (const { apexKey, settings } of zoneBuilds) this.#built.set(apexKey, settings);
    for (const apex of outcome.incomplete) this.#readAgain(apex);
    this.#reporting.published(outcome.publications, read, this.#now() - startedAt);
    this.#reporting.noteAbsent(this.#parts.config.zones, builds);
    this.#tell(outcome, reading, zoneBuilds, builds);
    if (this.#settledZones !== reading.zones) await this.#retireMissing(builds);
    this.#settledZones = reading.zones;
    const everything = reading.scope === "everything";
    this.#reads[everything ? "everything" : "part"]++;
    return everything;
  }

  async #read(
    { everything }: DueRead,
    due: ReadonlySet<string>,
  ): Promise<{ builds: ZoneBuilds; reading: Reading }> {
    const isWanted = (key: string) => this.#isWanted(key);
    const served = (apex: Name) => this.#parts.zones.get(apex);
    const { pending } = this.#waiting;
    let builds: ZoneBuilds | undefined;
    const reading = await this.#parts.source.read(
      { cursor: this.#cursor, everything, pending, due },
      (rows, zones, everything) => {
        builds ??= new ZoneBuilds(zones, isWanted, everything ? served : undefined);
        return runSliced(builds.take(rows));
      },
    );
    return { builds: builds ?? new ZoneBuilds(reading.zones, isWanted), reading };
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
    const previous = zones.get(build.apex);
    const publishedAt = this.#now();
    const floors = this.#serials.floorsOf(build, previous, reading, publishedAt);
    const result = floors && await runSliced(build.finish(previous, {
      policy: config.serialPolicy,
      nowMs: publishedAt,
      ...floors,
    }));
    if (!result || result.kind === "held") {
      addRead(outcome.pending, reading, name);
    } else if (result.kind === "incomplete") {
      outcome.pending.set(name, "all");
      outcome.incomplete.push(build.apex);
    } else {
      outcome.settled.push(build);
      if (result.kind === "unchanged") return;
      const { version, diff } = result;
      outcome.publications.push({ version, previous, diff, cause, publishedAt });
    }
  }

  /** Durable, then visible, then announced. */
  async #commit({ publications, pending }: Outcome, reading: Reading): Promise<void> {
    const { store } = this.#parts;
    const progress = { cursor: reading.cursor, pending };
    const waited = this.#waiting.pending;
    if (publications.length > 0) await store.publish(publications, progress);
    else if (reading.cursor !== this.#cursor || pending.size > 0 || waited.size > 0) {
      await store.keepProgress(progress);
    }
    this.#cursor = reading.cursor;
    this.#waiting.keep(pending);
    this.#makeCurrent(publications);
  }

  /** Visible, then announced; they are durable. */
  #makeCurrent(publications: readonly Publication[]): void {
    const { zones, announcer } = this.#parts;
    for (const { version, publishedAt } of publications) {
      zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
      this.#serials.published(version);
    }
    for (const { version } of publications) announcer.announce(version);
  }

  /** Carries out what operators have asked for. */
  async #raise(): Promise<void> {
    const { zones, store, teller } = this.#parts;
    await this.#raising.carryOut(zones, this.#now, async (publication) => {
      await store.publish([publication]);
      this.#makeCurrent([publication]);
      this.#reporting.raised(publication);
      teller?.raised(publication);
    });
  }

  /** Stops serving zones that the source no longer has. */
  async #retireMissing(builds: ZoneBuilds): Promise<void> {
    const { store, zones, announcer } = this.#parts;
    for (const version of [...zones.all()]) {
      const { apex, apexKey } = version;
      if (builds.has(apexKey)) continue;
      await store.removeZone(apex);
      zones.delete(apex);
      this.#publishedAt.delete(apexKey);
      this.#built.delete(apexKey);
      this.#serials.retired(version);
      announcer.retire(apex);
      this.#reporting.removed(version);
    }
  }

  #tell(
    { publications, pending, settled }: Outcome,
    reading: Reading,
    zoneBuilds: readonly ZoneBuild[],
    builds: ZoneBuilds,
  ): void {
    const { teller } = this.#parts;
    const everything = reading.scope === "everything";
    const problemsChanged = this.#reporting.takeProblems(zoneBuilds, builds, everything);
    if (!teller) return;
    const names = new Map(settled.map((build) => [build.apexKey, build.settings.name]));
    for (const [apexKey, zone] of names) teller.named(apexKey, zone);
    for (const publication of publications) {
      teller.published(names.get(publication.version.apexKey)!, publication, reading);
    }
    const readNothing = reading.scope !== "everything" && reading.scope.size === 0;
    if (!readNothing) teller.covered(reading, pending);
    if (problemsChanged) teller.problems(this.#reporting.problems());
  }

  /** Has a zone looked at again, with whatever waits of it. */
  #readAgain(apex: Name): void {
    this.#waiting.makeDue(canonicalKey(apex));
    this.wake("request");
  }

  #isWanted(apexKey: string): boolean {
    const { zones } = this.#parts.config;
    return zones.length === 0 || zones.some((zone) => canonicalKey(zone) === apexKey);
  }

  /** Whether no zone need be built but those of which something was read. */
  #areAllSettled({ zones }: Reading): boolean {
    return this.#settledZones === zones && this.#waiting.pending.size === 0 &&
      !this.#serials.mustRaiseAny;
  }

  /** Whether a zone of which nothing was read need not be built. */
  #isSettled(apexKey: string, settings: BuildSettings): boolean {
    const asBuilt = equalSettings(this.#built.get(apexKey), settings);
    if (!this.#waiting.pending.has(settings.name)) {
      return asBuilt && !this.#serials.mustRaise(apexKey);
    }
    // Without what waits of it, it would be judged by what is served.
    if (!asBuilt) {
      this.#waiting.makeDue(apexKey);
      this.wake("request");
    }
    return true;
  }
}
