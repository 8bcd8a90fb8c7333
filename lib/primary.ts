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
import type { Verdict } from "./primary/approvals.ts";
import { Current } from "./primary/current.ts";
import { type GuardPlan, Holding } from "./primary/holding.ts";
import { Loop } from "./primary/loop.ts";
import type { PrimaryHealth, PrimaryParts, PrimaryStatus } from "./primary/parts.ts";
import { Quarantine } from "./primary/quarantine.ts";
import { type Raised, Raising } from "./primary/raising.ts";
import { Reporting } from "./primary/reporting.ts";
import { SerialGuard } from "./primary/serials.ts";
import { Settling } from "./primary/settling.ts";
import { Trouble, unkept } from "./primary/trouble.ts";
import { addRead, samePending, Waiting } from "./primary/waiting.ts";
import type {
  DueRead,
  OwnerScope,
  ReadDone,
  Reading,
  SourceLink,
  WakeReason,
} from "./source/mod.ts";
import type { Publication, StoredState } from "./store/mod.ts";
import {
  type KnownProblem,
  type ProblemChange,
  type ZoneBuild,
  ZoneBuilds,
  type ZoneVersion,
} from "./zone/mod.ts";

export type { Verdict } from "./primary/approvals.ts";
export { heldNames, type Hold, HoldError, releaseCommand, storedHolds } from "./primary/hold.ts";
export type { GuardSettings } from "./primary/holding.ts";
export type {
  Announcer,
  PrimaryConfig,
  PrimaryHealth,
  PrimaryParts,
  PrimaryStatus,
  Teller,
  ZoneStatus,
} from "./primary/parts.ts";
export { type Forecast, forecast, type ZoneForecast } from "./primary/forecast.ts";
export type { Raised } from "./primary/raising.ts";
export type { Unkept } from "./primary/trouble.ts";

/** What a read has led to, until it is durable. */
interface Outcome {
  readonly publications: Publication[];
  readonly pending: Map<string, OwnerScope>;
  /** Zones of which all must be read next. */
  readonly incomplete: Name[];
  /** Builds that ended with the zone as the source has it, but for what is held. */
  readonly settled: ZoneBuild[];
  /** Of the pending zones those that do not wait as a whole: the guard holds these owners. */
  readonly held: Set<string>;
  /** Builds that came to nothing, because more must be read with them. */
  readonly again: Set<ZoneBuild>;
  readonly guard: GuardPlan;
}

export class Primary {
  readonly #parts: PrimaryParts;
  readonly #now: () => number;
  readonly #loop: Loop;
  readonly #holding: Holding;
  readonly #serials: SerialGuard;
  readonly #reporting: Reporting;
  readonly #quarantine: Quarantine;
  readonly #trouble: Trouble;
  readonly #waiting = new Waiting();
  readonly #raising = new Raising();
  readonly #current: Current;
  readonly #settling: Settling;
  readonly #reads = { everything: 0, part: 0 };
  #cursor: string | undefined;
  #closed = false;
  #sourceIsUp = false;
  #proofTimer: ReturnType<typeof setInterval> | undefined;

  constructor(parts: PrimaryParts) {
    const { announcer, config, log, source, store, zones } = parts;
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#trouble = new Trouble(log);
    this.#loop = new Loop({
      minIntervalMs: config.minPublishIntervalMs,
      retryMs: parts.retryMs,
      trouble: this.#trouble,
      isSourceUp: () => source.link.up,
      now: this.#now,
      between: () => this.#raise(),
      turn: (read) => this.#readAndPublish(read),
    });
    this.#holding = new Holding({
      settings: config.guard,
      store,
      log,
      now: this.#now,
      changed: (apex) => this.#readAgain(apex),
    });
    this.#reporting = new Reporting(log);
    this.#quarantine = new Quarantine(log, this.#now);
    this.#serials = new SerialGuard({
      announcer,
      watched: config.watchedSecondaries,
      policy: config.serialPolicy,
      serialFloor: config.serialFloor,
      log,
      changed: (apex) => this.#readAgain(apex),
    });
    this.#current = new Current(zones, announcer, this.#serials);
    this.#settling = new Settling(this.#waiting, this.#serials, (key) => this.#readKeyAgain(key));
  }

  /** Makes the last known versions current; nothing is announced yet. */
  restore(state: StoredState): void {
    // Without all the problems there were, rows that nobody touches would seem good.
    this.#cursor = this.#quarantine.restore(state.problems) ? state.cursor : undefined;
    this.#waiting.restore(state.pending);
    const wanted = state.zones.filter(({ version }) => this.#isWanted(version.apexKey));
    for (const zone of wanted) this.#current.restore(zone);
    const served = new Set(wanted.map(({ version }) => version.apexKey));
    this.#holding.restore(state.guard, (key) => served.has(key));
  }

  /** Announces what is current, then follows the source until {@link close}. */
  start(): void {
    const { source, zones, announcer, config } = this.#parts;
    for (const version of zones.all()) announcer.announce(version);
    source.start((reason) => this.wake(reason), (link) => this.#linkChanged(link));
    this.#proofTimer = setInterval(() => this.wake("proof"), config.fullReadIntervalMs);
    this.#loop.start();
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
    this.#loop.wake(reason);
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
    this.#loop.look();
    return raised;
  }

  /**
   * Approves what is held of a zone under an id: it is published once the source was
   * read again, if it is still the same.
   *
   * @param waitMs  how long to wait for what becomes of it
   * @returns that; undefined: it is not known by then, as while the source is away
   * @throws {HoldError} this is not held, or cannot be approved
   */
  approve(apex: Name, id: string, waitMs: number): Promise<Verdict | undefined> {
    return this.#holding.approve(apex, canonicalKey(apex), id, waitMs);
  }

  /** Whether changes are read and published; costs the same however many zones there are. */
  health(): PrimaryHealth {
    const { source, store } = this.#parts;
    const { failure, unkept: notKept = unkept(store.trouble) } = this.#trouble;
    return { link: source.link, failure, unkept: notKept };
  }

  /** When a zone's current version was published, ms since the epoch; undefined where there is none. */
  publishedAt(apexKey: string): number | undefined {
    return this.#current.publishedAt(apexKey);
  }

  status(): PrimaryStatus {
    return {
      ...this.health(),
      zones: this.#current.status(),
      source: this.#parts.source.description,
      lastReadAt: this.#loop.lastRead?.endedAt,
      lastReadMs: this.#loop.lastRead?.ms,
      reads: { ...this.#reads },
      problems: this.#quarantine.shown(),
      problemCounts: this.#quarantine.counts(),
      held: [...this.#holding.holds()],
    };
  }

  /** All problems that are listed; of too many the rest is only counted. */
  problems(): Iterable<KnownProblem> {
    return this.#quarantine.all();
  }

  /** Ends the loop after the step it is in; the source is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#proofTimer);
    this.#loop.end();
    await this.#parts.source.close();
    await this.#loop.ended();
    this.#raising.close();
    this.#holding.close();
  }

  /** One turn of the pipeline; what was due still is when it fails, wherever that is. */
  async #readAndPublish(read: DueRead): Promise<ReadDone> {
    const due = this.#waiting.takeDue();
    try {
      return await this.#turn(read, new Set(due.keys()));
    } catch (error) {
      this.#waiting.giveBack(due);
      throw error;
    }
  }

  async #turn(read: DueRead, due: ReadonlySet<string>): Promise<ReadDone> {
    const startedAt = this.#now();
    const { builds, reading } = await this.#read(read, due);
    const all = builds.finish(
      reading.scope,
      this.#settling.areAllSettled(reading)
        ? undefined
        : (key, settings) => this.#settling.isSettled(key, settings),
    );
    this.#holding.takeApprovals(reading.approvals);
    const outcome: Outcome = {
      publications: [],
      ...this.#waiting.notRead(reading),
      incomplete: [],
      again: new Set(),
      settled: [],
      guard: this.#holding.newPlan(),
    };
    for (const build of all) await this.#build(build, reading, due, read.reason, outcome);
    builds.release(); // of those that could not be built
    const readMs = this.#now() - startedAt;
    this.#reporting.read(outcome.publications, reading.changedAt, readMs);
    const zoneBuilds = all.filter((build) => !outcome.again.has(build));
    await this.#quarantine.take(zoneBuilds, builds, reading.scope === "everything");
    const problems = await this.#commit(outcome, reading);
    this.#settling.built(zoneBuilds);
    for (const apex of outcome.incomplete) this.#readAgain(apex);
    this.#reporting.published(outcome.publications, read, this.#now() - startedAt);
    this.#reporting.noteAbsent(this.#parts.config.zones, builds);
    this.#tell(outcome, reading, problems);
    if (!this.#settling.areLookedAt(reading) || this.#holding.hasApprovals) {
      await this.#retireMissing(builds);
    }
    this.#settling.lookedAt(reading);
    const everything = reading.scope === "everything";
    this.#reads[everything ? "everything" : "part"]++;
    if (everything) this.#parts.readWhole?.();
    return { everything, published: outcome.publications.length > 0 };
  }

  async #read(
    { everything }: DueRead,
    due: ReadonlySet<string>,
  ): Promise<{ builds: ZoneBuilds; reading: Reading }> {
    const isWanted = (key: string) => this.#isWanted(key);
    const served = (apex: Name) => this.#parts.zones.get(apex);
    const pending = this.#waiting.toRead(due);
    const { maxRecords } = this.#parts.config;
    let builds: ZoneBuilds | undefined;
    const reading = await this.#parts.source.read(
      { cursor: this.#cursor, everything, pending, due, maxRecords },
      (rows, zones, everything) => {
        builds ??= new ZoneBuilds(zones, isWanted, everything ? served : undefined, maxRecords);
        return runSliced(builds.take(rows));
      },
    );
    return { builds: builds ?? new ZoneBuilds(reading.zones, isWanted), reading };
  }

  /** One zone's next version into the outcome: published, settled, or waiting. */
  async #build(
    build: ZoneBuild,
    reading: Reading,
    due: ReadonlySet<string>,
    reason: WakeReason,
    outcome: Outcome,
  ): Promise<void> {
    const { zones, config } = this.#parts;
    const { name } = build.settings;
    const cause = this.#waiting.takeCause(name) ?? reason;
    const beside = this.#waiting.heldBeside(name, reading, due);
    if (beside) {
      outcome.pending.set(name, beside);
      const read = reading.scope === "everything" ? "all" : reading.scope.get(name) ?? new Set();
      if (!await runSliced(this.#holding.isBeside(build.apexKey, read))) {
        return this.#readWithHeld(build, reading, cause, outcome);
      }
    }
    const previous = zones.get(build.apex);
    const publishedAt = this.#now();
    const floors = this.#serials.floorsOf(build, previous, reading, publishedAt);
    const result = floors && await runSliced(build.finish(previous, {
      policy: config.serialPolicy,
      nowMs: publishedAt,
      ...floors,
      guard: this.#holding.rulesOf(outcome.guard, build.apexKey, beside !== undefined),
      badRows: config.badRows,
      hasOtherBadRows: config.badRows === "hold" && this.#quarantine.hasBadRowsBeside(build),
    }));
    if (!result || result.kind === "held") {
      addRead(outcome.pending, reading, name);
      if (!floors) this.#waiting.noteCause(name, cause);
    } else if (result.kind === "incomplete") {
      outcome.pending.set(name, "all");
      outcome.incomplete.push(build.apex);
      this.#waiting.noteCause(name, cause);
    } else if (result.kind === "together") {
      this.#readWithHeld(build, reading, cause, outcome);
    } else {
      outcome.settled.push(build);
      if (result.held) outcome.pending.set(name, result.held.owners.names);
      if (result.held || result.stays) outcome.held.add(name);
      this.#holding.judged(outcome.guard, build.apex, build.apexKey, previous, result);
      if (result.kind === "unchanged") return;
      const { version, diff } = result;
      outcome.publications.push({ version, previous, diff, cause, publishedAt });
    }
  }

  /** What was read of a zone must be judged with what is held of it: both are read next. */
  #readWithHeld(
    build: ZoneBuild,
    reading: Reading,
    cause: WakeReason,
    outcome: Outcome,
  ): void {
    this.#waiting.noteCause(build.settings.name, cause);
    addRead(outcome.pending, reading, build.settings.name);
    outcome.incomplete.push(build.apex);
    outcome.again.add(build);
  }

  /** Durable, then visible, then announced. Returns what has changed of the problems. */
  async #commit(
    { publications, pending, held, guard }: Outcome,
    reading: Reading,
  ): Promise<ProblemChange> {
    const { store } = this.#parts;
    const { cursor } = reading;
    const problems = this.#quarantine.unkept;
    const notes = this.#holding.notesOf(guard);
    const isKept = samePending(pending, this.#waiting.pending);
    const progress = { cursor, pending: isKept ? undefined : pending, guard: notes, problems };
    if (publications.length > 0) await store.publish(publications, progress);
    else if (cursor !== this.#cursor || !isKept || notes.length > 0 || !problems.isEmpty) {
      await store.keepProgress(progress);
    }
    this.#quarantine.kept();
    this.#cursor = cursor;
    this.#waiting.keep(pending, held);
    this.#current.publish(publications);
    this.#holding.keep(guard);
    return problems;
  }

  /** Carries out what operators have asked for. */
  async #raise(): Promise<void> {
    const { zones, store, teller } = this.#parts;
    while (this.#raising.isAsked) {
      await this.#raising.carryOut(zones, this.#now, async (publication) => {
        await store.publish([publication]);
        this.#current.publish([publication]);
        this.#reporting.raised(publication);
        teller?.raised(publication);
      });
    }
  }

  /** Stops serving zones that the source no longer has, but for those the guard holds. */
  async #retireMissing(builds: ZoneBuilds): Promise<void> {
    for (const version of [...this.#parts.zones.all()]) {
      if (builds.has(version.apexKey)) await this.#holding.hasReturned(version);
      else if (!await this.#holding.holdsRemoval(version)) await this.#retire(version);
    }
    this.#tellHeld();
  }

  async #retire(version: ZoneVersion): Promise<void> {
    await this.#parts.store.removeZone(version.apex);
    this.#current.retire(version);
    this.#settling.retired(version.apexKey);
    this.#reporting.removed(version);
    this.#holding.retired(version);
  }

  #tell(
    { publications, pending, held, settled, again }: Outcome,
    reading: Reading,
    problems: ProblemChange,
  ): void {
    const { teller } = this.#parts;
    if (!teller) return;
    const names = new Map(settled.map((build) => [build.apexKey, build.settings.name]));
    for (const [apexKey, zone] of names) teller.named(apexKey, zone);
    for (const publication of publications) {
      teller.published(names.get(publication.version.apexKey)!, publication, reading);
    }
    this.#tellHeld();
    const readNothing = reading.scope !== "everything" && reading.scope.size === 0;
    if (!readNothing && again.size === 0) { // else the read that follows at once tells
      teller.covered(reading, [...pending.keys()].filter((zone) => !held.has(zone)));
    }
    teller.problems(problems);
  }

  #tellHeld(): void {
    const { teller } = this.#parts;
    if (teller && this.#holding.takeNews()) teller.held(this.#holding.holds());
  }

  /** Has a zone looked at again, with whatever waits of it. */
  #readAgain(apex: Name): void {
    this.#readKeyAgain(canonicalKey(apex));
  }

  #readKeyAgain(apexKey: string): void {
    this.#waiting.makeDue(apexKey);
    this.wake("request");
  }

  #isWanted(apexKey: string): boolean {
    const { zones } = this.#parts.config;
    return zones.length === 0 || zones.some((zone) => canonicalKey(zone) === apexKey);
  }
}
