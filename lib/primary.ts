/**
 * The pipeline: a hint from the source → a read at one snapshot → each zone's
 * next version → durable → visible → announced → told. In that order, always, here.
 *
 * The primary is the only writer of a zone: one loop reads, builds, commits and
 * swaps; nothing else touches the zone table or the state file's zones. Its
 * folder holds what it is made of: what waits, how a zone is built, which serials
 * are taken, what is held, what is reported and told.
 *
 * Owns: which version of each zone is current (through the {@link ZoneTable}),
 * and how far the source was read.
 */
import { canonicalKey, type Name, type Serial } from "./dns/mod.ts";
import { runSliced } from "./ops/mod.ts";
import type { Verdict } from "./primary/approvals.ts";
import type { Outcome } from "./primary/building.ts";
import { Following } from "./primary/following.ts";
import { Loop } from "./primary/loop.ts";
import type { PrimaryHealth, PrimaryParts, PrimaryStatus } from "./primary/parts.ts";
import type { Raised } from "./primary/raising.ts";
import { makeRooms, type Rooms } from "./primary/rooms.ts";
import { Standing } from "./primary/standing.ts";
import { samePending } from "./primary/waiting.ts";
import type { DueRead, ReadDone, Reading, WakeReason } from "./source/mod.ts";
import type { StoredState } from "./store/mod.ts";
import { type KnownProblem, type ProblemChange, ZoneBuilds, type ZoneVersion } from "./zone/mod.ts";

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

export class Primary {
  readonly #parts: PrimaryParts;
  readonly #now: () => number;
  readonly #rooms: Rooms;
  readonly #loop: Loop;
  readonly #following: Following;
  readonly #standing: Standing;
  /** How far the source was read; undefined: everything is read next. */
  #cursor: string | undefined;

  constructor(parts: PrimaryParts) {
    const { config, log, source, store } = parts;
    const now = parts.now ?? Date.now;
    const rooms = makeRooms(parts, now, (apexKey) => this.#readAgain(apexKey));
    const loop = new Loop({
      minIntervalMs: config.minPublishIntervalMs,
      retryMs: parts.retryMs,
      trouble: rooms.trouble,
      isSourceUp: () => source.link.up,
      now,
      between: () => this.#raise(),
      turn: (read) => this.#readAndPublish(read),
    });
    this.#parts = parts;
    this.#now = now;
    this.#rooms = rooms;
    this.#loop = loop;
    this.#following = new Following({
      source,
      log,
      fullReadIntervalMs: config.fullReadIntervalMs,
      wake: (reason) => this.wake(reason),
      linkUp: () => rooms.telling.linkUp(),
    });
    this.#standing = new Standing({ ...rooms, source, store, loop });
  }

  /** Makes the last known versions current; nothing is announced yet. */
  restore(state: StoredState): void {
    const { current, holding, quarantine, waiting } = this.#rooms;
    // Without all the problems there were, rows that nobody touches would seem good.
    this.#cursor = quarantine.restore(state.problems) ? state.cursor : undefined;
    waiting.restore(state.pending);
    const wanted = state.zones.filter(({ version }) => this.#isWanted(version.apexKey));
    for (const zone of wanted) current.restore(zone);
    const served = new Set(wanted.map(({ version }) => version.apexKey));
    holding.restore(state.guard, (key) => served.has(key));
  }

  /** Announces what is current, then follows the source until {@link close}. */
  start(): void {
    const { zones, announcer } = this.#parts;
    for (const version of zones.all()) announcer.announce(version);
    this.#following.start();
    this.#loop.start();
  }

  /** Asks for a read; several asked for before it begins are one. */
  wake(reason: WakeReason): void {
    this.#loop.wake(reason);
  }

  /** A secondary was seen to have a serial of a zone. */
  seen(apex: Name, secondary: string, serial: Serial): void {
    const current = this.#parts.zones.get(apex);
    if (current) this.#rooms.serials.seen(current, secondary, serial);
  }

  /**
   * Publishes a zone as it is served under a serial above the one given: durable
   * when it is answered. Where RFC 1982 lets no single step lead there, it is the
   * first of two.
   *
   * @throws {ZonecastError} the zone is not served, or cannot be kept
   */
  raiseAbove(apex: Name, above: Serial): Promise<Raised> {
    const raised = this.#rooms.raising.ask(apex, above);
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
    return this.#rooms.holding.approve(apex, canonicalKey(apex), id, waitMs);
  }

  /** Whether changes are read and published; costs the same however many zones there are. */
  health(): PrimaryHealth {
    return this.#standing.health();
  }

  /** When a zone's current version was published, ms since the epoch; undefined where there is none. */
  publishedAt(apexKey: string): number | undefined {
    return this.#rooms.current.publishedAt(apexKey);
  }

  status(): PrimaryStatus {
    return this.#standing.status();
  }

  /** All problems that are listed; of too many the rest is only counted. */
  problems(): Iterable<KnownProblem> {
    return this.#rooms.quarantine.all();
  }

  /** Ends the loop after the step it is in; the source is closed. */
  async close(): Promise<void> {
    this.#following.close();
    this.#loop.end();
    await this.#parts.source.close();
    await this.#loop.ended();
    this.#rooms.raising.close();
    this.#rooms.holding.close();
    this.#rooms.serials.close();
  }

  /** One turn of the pipeline; what was due still is when it fails, wherever that is. */
  async #readAndPublish(read: DueRead): Promise<ReadDone> {
    const due = this.#rooms.waiting.takeDue();
    try {
      return await this.#turn(read, new Set(due.keys()));
    } catch (error) {
      this.#rooms.waiting.giveBack(due);
      throw error;
    }
  }

  async #turn(read: DueRead, due: ReadonlySet<string>): Promise<ReadDone> {
    const { building, holding, quarantine, reporting, settling, telling } = this.#rooms;
    const startedAt = this.#now();
    const { builds, reading } = await this.#read(read, due);
    const all = builds.finish(
      reading.scope,
      settling.areAllSettled(reading)
        ? undefined
        : (key, settings) => settling.isSettled(key, settings),
    );
    holding.takeApprovals(reading.approvals);
    const outcome = building.begin(reading);
    const buildRead = { reading, due, reason: read.reason };
    await building.buildAll(all, buildRead, outcome);
    builds.release(); // of those that could not be built
    const isFirst = !this.#standing.hasReadAny;
    if (isFirst && reading.scope !== "everything") building.judgeBadAgain(all, outcome);
    const readMs = this.#now() - startedAt;
    reporting.read(outcome.publications, reading.changedAt, readMs);
    const zoneBuilds = all.filter((build) => !outcome.again.has(build));
    await quarantine.take(zoneBuilds, builds, reading.scope === "everything");
    const problems = await this.#commit(outcome, reading);
    settling.built(zoneBuilds);
    for (const apexKey of outcome.incomplete) this.#readAgain(apexKey);
    reporting.published(outcome.publications, read, this.#now() - startedAt);
    reporting.noteAbsent(this.#parts.config.zones, builds);
    telling.turned(outcome, reading, problems);
    if (!settling.areLookedAt(reading) || holding.hasApprovals) {
      await this.#retireMissing(builds);
    }
    settling.lookedAt(reading);
    const everything = reading.scope === "everything";
    this.#standing.hasRead(everything);
    if (everything) this.#parts.readWhole?.();
    return { everything, published: outcome.publications.length > 0 };
  }

  async #read(
    { everything }: DueRead,
    due: ReadonlySet<string>,
  ): Promise<{ builds: ZoneBuilds; reading: Reading }> {
    const isWanted = (key: string) => this.#isWanted(key);
    const served = (apex: Name) => this.#parts.zones.get(apex);
    const pending = this.#rooms.waiting.toRead(due);
    const { maxRecords } = this.#parts.config;
    let builds: ZoneBuilds | undefined;
    const reading = await this.#parts.source.read(
      { cursor: this.#cursor, everything, pending, due, maxRecords },
      async (rows, zones, everything) => {
        if (!builds) {
          builds = new ZoneBuilds(zones, isWanted, everything ? served : undefined, maxRecords);
          if (everything) await runSliced(this.#rooms.serials.askAhead(builds.notServed(served)));
        }
        await runSliced(builds.take(rows));
      },
    );
    return { builds: builds ?? new ZoneBuilds(reading.zones, isWanted), reading };
  }

  /** Durable, then visible, then announced. Returns what has changed of the problems. */
  async #commit(
    { publications, pending, held, guard }: Outcome,
    { cursor }: Reading,
  ): Promise<ProblemChange> {
    const { store } = this.#parts;
    const { current, holding, quarantine, waiting } = this.#rooms;
    const problems = quarantine.unkept;
    const notes = holding.notesOf(guard);
    const isKept = samePending(pending, waiting.pending);
    const progress = { cursor, pending: isKept ? undefined : pending, guard: notes, problems };
    if (publications.length > 0) await store.publish(publications, progress);
    else if (cursor !== this.#cursor || !isKept || notes.length > 0 || !problems.isEmpty) {
      await store.keepProgress(progress);
    }
    quarantine.kept();
    this.#cursor = cursor;
    waiting.keep(pending, held);
    current.publish(publications);
    holding.keep(guard);
    return problems;
  }

  /** Carries out what operators have asked for. */
  async #raise(): Promise<void> {
    const { zones, store } = this.#parts;
    const { current, raising, reporting, telling } = this.#rooms;
    while (raising.isAsked) {
      await raising.carryOut(zones, this.#now, async (publication) => {
        await store.publish([publication]);
        current.publish([publication]);
        reporting.raised(publication);
        telling.raised(publication);
      });
    }
  }

  /** Stops serving zones that the source no longer has, but for those the guard holds. */
  async #retireMissing(builds: ZoneBuilds): Promise<void> {
    const { holding, telling } = this.#rooms;
    for (const version of [...this.#parts.zones.all()]) {
      if (builds.has(version.apexKey)) await holding.hasReturned(version);
      else if (!await holding.holdsRemoval(version)) await this.#retire(version);
    }
    telling.held();
  }

  async #retire(version: ZoneVersion): Promise<void> {
    const { current, holding, reporting, settling } = this.#rooms;
    await this.#parts.store.removeZone(version.apex);
    current.retire(version);
    settling.retired(version.apexKey);
    reporting.removed(version);
    holding.retired(version);
  }

  /** Has a zone looked at again, with whatever waits of it. */
  #readAgain(apexKey: string): void {
    this.#rooms.waiting.makeDue(apexKey);
    this.wake("request");
  }

  #isWanted(apexKey: string): boolean {
    const { zones } = this.#parts.config;
    return zones.length === 0 || zones.some((zone) => canonicalKey(zone) === apexKey);
  }
}
