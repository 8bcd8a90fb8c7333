/**
 * What the guard holds of the zones, and what it remembers to judge by.
 *
 * One turn of the pipeline at a time is judged into a {@link GuardPlan}, which goes
 * into the state file with what the turn publishes, and is in force from then on.
 *
 * Owns: each zone's sizes of late, its hold, and approvals not used yet. Effects: log.
 */
import { formatName, type Name, parseName } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import type { GuardNote, StateStore } from "../store/mod.ts";
import {
  type BuildResult,
  type GuardLimits,
  type GuardRules,
  heldRemoval,
  type HeldRoom,
  type ReadOwners,
  type ZoneVersion,
} from "../zone/mod.ts";
import { Approvals, type Verdict } from "./approvals.ts";
import { type Hold, makeHold, mustBeHeld, readHold, writeHold } from "./hold.ts";
import { HoldLog } from "./hold_log.ts";
import { roomBeside, sizeOf, withHold } from "./held_room.ts";
import { addPeak, mostOwners, type Peak, peaksWithin } from "./peaks.ts";
import { zoneKey } from "./waiting.ts";

/** Owners looked up between two pauses. */
const OWNERS_PER_PAUSE = 256;

/** What the guard lets pass, and how long a zone's former size counts. */
export interface GuardSettings {
  readonly limits: GuardLimits;
  readonly windowMs: number;
}

/** What is remembered of a zone. */
interface ZoneGuard {
  readonly peaks: readonly Peak[];
  readonly hold: Hold | undefined;
}

const NOTHING: ZoneGuard = { peaks: [], hold: undefined };

/** What a turn makes of the guard's memory: in force once it is durable. */
export interface GuardPlan {
  readonly zones: Map<string, ZoneGuard>;
  /** What became of approvals, by apex key. */
  readonly approvals: Map<string, Verdict>;
  /** What all holds take, those of the plan in place of those before. */
  size: HeldRoom;
}

export interface HoldingOptions {
  /** Undefined: nothing is held. */
  readonly settings: GuardSettings | undefined;
  readonly store: Pick<StateStore, "keepGuard">;
  readonly log: Logger;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Called when a zone is to be judged again. */
  readonly changed: (apex: Name) => void;
}

export class Holding {
  readonly #options: HoldingOptions;
  readonly #zones = new Map<string, ZoneGuard>();
  readonly #approvals: Approvals;
  readonly #log: HoldLog;
  /** Whether holds differ from those last told. */
  #isNews = true;

  constructor(options: HoldingOptions) {
    this.#options = options;
    this.#log = new HoldLog(options.log);
    this.#approvals = new Approvals(options.store);
  }

  /** Takes what the state file kept: what was held still is, before the source is read. */
  restore(notes: readonly GuardNote[], isServed: (apexKey: string) => boolean): void {
    for (const { apexKey, kind, value } of notes) {
      if (value === undefined || !isServed(apexKey)) continue;
      const before = this.#zones.get(apexKey) ?? NOTHING;
      if (kind === "peaks") this.#zones.set(apexKey, { ...before, peaks: JSON.parse(value) });
      else if (kind === "hold") {
        const hold = readHold(value);
        this.#zones.set(apexKey, { ...before, hold });
        this.#log.restored(hold);
      } else this.#approvals.restore(apexKey, value);
    }
  }

  /** All holds there are. */
  *holds(): Generator<Hold> {
    for (const { hold } of this.#zones.values()) if (hold) yield hold;
  }

  /** The hold of a zone. */
  holdOf(apexKey: string): Hold | undefined {
    return this.#zones.get(apexKey)?.hold;
  }

  /**
   * Whether owners of a zone were read beside what is held of it, and none of that: they
   * are judged alone, and what is held stays so. Yields as places to pause.
   */
  *isBeside(apexKey: string, read: ReadOwners): Generator<undefined, boolean> {
    const hold = this.holdOf(apexKey);
    if (!hold?.owners || isRemoval(hold) || read === "all") return false;
    if (hold.reasons.includes("empty")) return false; // with anything more it is so no longer
    let looked = 0;
    for (const owner of read) {
      if (hold.owners.mayHave(owner)) return false;
      if (++looked % OWNERS_PER_PAUSE === 0) yield;
    }
    return true;
  }

  /** Whether the holds have changed since this was asked last; at first they have. */
  takeNews(): boolean {
    const isNews = this.#isNews;
    this.#isNews = false;
    return isNews;
  }

  /** Whether an approval waits. */
  get hasApprovals(): boolean {
    return this.#approvals.size > 0;
  }

  newPlan(): GuardPlan {
    return { zones: new Map(), approvals: new Map(), size: sizeOf(this.holds()) };
  }

  /**
   * What a zone's build is to be judged by; undefined: nothing is held.
   *
   * @param plan  what the turn has led to so far
   * @param beside  whether none of the owners held was read
   */
  rulesOf(plan: GuardPlan, apexKey: string, beside = false): GuardRules | undefined {
    const { settings, now } = this.#options;
    if (!settings) return undefined;
    const { peaks, hold } = this.#zones.get(apexKey) ?? NOTHING;
    return {
      limits: settings.limits,
      mostOwners: mostOwners(peaksWithin(peaks, settings.windowMs, now())),
      standing: beside || isRemoval(hold) ? undefined : hold?.figures,
      beside,
      lacksNs: beside && hold?.reasons.includes("no-ns") === true,
      isApproved: (id) => this.#approvals.get(apexKey) === id,
      room: roomBeside(plan.size, sizeOf([hold])),
    };
  }

  /** Takes into a plan what became of a zone's build. */
  judged(
    plan: GuardPlan,
    apex: Name,
    apexKey: string,
    previous: ZoneVersion | undefined,
    result: Extract<BuildResult, { kind: "unchanged" | "changed" }>,
  ): void {
    const { settings, now } = this.#options;
    if (!settings) return;
    const nowMs = now();
    const before = this.#zones.get(apexKey) ?? NOTHING;
    const { held, stays } = result;
    const version = result.kind === "changed" ? result.version : previous;
    const released = result.kind === "changed" ? result.released : undefined;
    // What was approved is the size to judge by from now on.
    const peaks = !previous || !version || released
      ? []
      : addPeak(before.peaks, previous.owners, version.owners, settings.windowMs, nowMs);
    const hold = stays
      ? before.hold
      : held && makeHold(apex, held, settings.limits, before.hold, nowMs);
    plan.zones.set(apexKey, { peaks, hold });
    plan.size = withHold(plan.size, before.hold, hold);
    const approved = this.#approvals.get(apexKey);
    if (approved === undefined || stays) return; // it is read again for that
    // So it is where this was approved while it was built without.
    if (approved === hold?.id && !hold.reasons.includes("no-ns")) return;
    plan.approvals.set(apexKey, {
      id: approved,
      zone: formatName(apex),
      serial: released && version?.serial,
      held: hold?.id,
    });
  }

  /** What of a plan the state file must keep. */
  notesOf(plan: GuardPlan): GuardNote[] {
    const notes: GuardNote[] = [];
    for (const [apexKey, { peaks, hold }] of plan.zones) {
      const before = this.#zones.get(apexKey) ?? NOTHING;
      if (hold?.id !== before.hold?.id) {
        notes.push({ apexKey, kind: "hold", value: hold && writeHold(hold) });
      }
      const value = peaks.length > 0 ? JSON.stringify(peaks) : undefined;
      const kept = before.peaks.length > 0 ? JSON.stringify(before.peaks) : undefined;
      if (value !== kept) notes.push({ apexKey, kind: "peaks", value });
    }
    for (const apexKey of plan.approvals.keys()) {
      notes.push({ apexKey, kind: "approved", value: undefined });
    }
    return [...notes, ...this.#approvals.newNotes(plan.approvals)];
  }

  /** Puts a plan into force: it is durable. */
  keep(plan: GuardPlan): void {
    this.#approvals.kept();
    for (const [apexKey, guard] of plan.zones) this.#set(apexKey, guard);
    for (const [apexKey, verdict] of plan.approvals) {
      this.#approvals.end(apexKey, verdict);
      this.#log.approved(verdict);
    }
  }

  #set(apexKey: string, guard: ZoneGuard): void {
    const before = this.#zones.get(apexKey)?.hold;
    if (guard.peaks.length > 0 || guard.hold) this.#zones.set(apexKey, guard);
    else this.#zones.delete(apexKey);
    if (before?.id !== guard.hold?.id) {
      this.#isNews = true;
      this.#log.changed(before, guard.hold);
    } else if (!before?.owners && guard.hold?.owners) {
      this.#isNews = true; // the state file keeps a hold without its owners
    }
  }

  /**
   * Whether a zone that is gone from the source is to be served on; it is held then.
   * One whose removal was approved is not.
   */
  async holdsRemoval(version: ZoneVersion): Promise<boolean> {
    const { settings, store, now } = this.#options;
    const { apex, apexKey } = version;
    if (!settings || settings.limits.maxShrink >= 1) return false;
    const part = heldRemoval(version);
    const before = this.#zones.get(apexKey) ?? NOTHING;
    const approved = this.#approvals.get(apexKey);
    if (approved === part.id) return false;
    const hold = makeHold(apex, part, settings.limits, before.hold, now());
    const plan = this.newPlan();
    plan.zones.set(apexKey, { ...before, hold });
    if (approved !== undefined) {
      const verdict = { id: approved, zone: hold.zone, serial: undefined, held: hold.id };
      plan.approvals.set(apexKey, verdict);
    }
    const notes = this.notesOf(plan);
    if (notes.length > 0) await store.keepGuard(notes);
    this.keep(plan);
    return true;
  }

  /** A zone is in the source: that it was gone is over. */
  async hasReturned({ apex, apexKey }: ZoneVersion): Promise<void> {
    const before = this.#zones.get(apexKey);
    if (!isRemoval(before?.hold)) return;
    const plan = this.newPlan();
    plan.zones.set(apexKey, { peaks: before?.peaks ?? [], hold: undefined });
    await this.#options.store.keepGuard(this.notesOf(plan));
    this.keep(plan);
    this.#options.changed(apex); // owners may have been held before it was gone
  }

  /** A zone is no longer served, and the state file has forgotten it. */
  retired({ apexKey, apex, serial }: ZoneVersion): void {
    const hold = this.holdOf(apexKey);
    this.#zones.delete(apexKey);
    if (hold) this.#isNews = true;
    const approved = this.#approvals.get(apexKey);
    if (approved === undefined) return;
    const verdict = { id: approved, zone: formatName(apex), serial, held: undefined };
    this.#approvals.end(apexKey, verdict);
    this.#log.approved(verdict);
  }

  /** Takes the approvals that stand in the source, by the source's names of zones. */
  takeApprovals(approvals: ReadonlyMap<string, readonly string[]> | undefined): void {
    for (const [zone, ids] of approvals ?? []) {
      const apexKey = zoneKey(zone);
      if (apexKey === undefined || ids.length === 0) continue;
      const held = this.holdOf(apexKey)?.id;
      this.#approvals.add(apexKey, ids.find((id) => id === held) ?? ids[ids.length - 1]);
      this.#options.changed(parseName(zone));
    }
  }

  /**
   * Approves what is held under an id: exactly that content, once it was read again.
   *
   * @returns what became of it; undefined when that is not known in time
   * @throws {HoldError} nothing is held under this id, or it cannot be approved
   */
  async approve(
    apex: Name,
    apexKey: string,
    id: string,
    waitMs: number,
  ): Promise<Verdict | undefined> {
    mustBeHeld(formatName(apex), this.holdOf(apexKey), id);
    const verdict = await this.#approvals.approve(apexKey, id);
    this.#options.changed(apex);
    return await verdict.within(waitMs);
  }

  close(): void {
    this.#log.close();
  }
}

function isRemoval(hold: Hold | undefined): boolean {
  return hold?.reasons.includes("zone-removed") ?? false;
}
