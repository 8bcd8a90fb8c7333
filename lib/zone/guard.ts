/**
 * Whether a change of a zone is one that nobody meant: too many owners gone, too
 * many RRsets replaced, its name servers exchanged, or nothing left of it.
 *
 * Counts what each owner's change does, and gives a verdict at the end: what of
 * the change is held, which is never more than the owners that contribute to what
 * exceeded. Pure.
 *
 * Limitations: an RRset cut between two pages, of an owner with more than 16 KiB of
 * records, counts as two; replaced RRsets are those of one publication, not of a window.
 */
import {
  canonicalRdata,
  compareOctets,
  equalOctets,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import type { OwnerRecords } from "./owner_records.ts";
import type { OwnerChange, Paused } from "./page_edit.ts";
import { countRRsets } from "./rrset_count.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** Zones of fewer owners, or of fewer RRsets, may lose or replace any number of them. */
export const GUARDED_FROM = 10;

/** How much of a zone may change without being approved, as shares; Infinity: all of it. */
export interface GuardLimits {
  /** Of the owners, how many may go. */
  readonly maxShrink: number;
  /** Of the RRsets, how many may be replaced. */
  readonly maxChange: number;
}

/** Why a part of a zone is held. */
export type HoldReason =
  /** Too many owners gone. */
  | "shrink"
  /** Too many RRsets gone or with other content. */
  | "change"
  /** No record left. */
  | "empty"
  /** The apex has no NS records left: nothing that can be approved. */
  | "no-ns"
  /** More than one of the apex's NS records exchanged. */
  | "ns-set"
  /** The zone itself is gone from the source. */
  | "zone-removed";

/** What a change comes to. */
export interface GuardFigures {
  /** Owners the zone has at most: now, or within the window. */
  readonly owners: number;
  /** Owners of the version served. */
  readonly owned: number;
  /** Owners that go and that come. */
  readonly removed: number;
  readonly added: number;
  /** Owners that would be left. */
  readonly left: number;
  /** RRsets of the zone, signatures left out; 0 where so few are replaced that nobody counted. */
  readonly rrsets: number;
  /** RRsets of which a record goes: replaced, cut or gone. */
  readonly replaced: number;
  /** NS records of the apex that go and that come. */
  readonly nsRemoved: number;
  readonly nsAdded: number;
}

/** What the guard must know beside the version served. */
export interface GuardRules {
  readonly limits: GuardLimits;
  /** The most owners that a version current within the window had; 0 without one. */
  readonly mostOwners: number;
  /**
   * The figures of what is held already; undefined when nothing is. While something
   * is, what else is published meanwhile loosens no limit.
   */
  readonly standing: Pick<GuardFigures, "owners" | "owned" | "rrsets"> | undefined;
  /**
   * Something is held already, and none of its owners is among those judged now: these
   * are judged alone, and where they exceed together with it, in another build.
   */
  readonly beside: boolean;
  /** What is held beside is that the zone would have no NS records: it still has none. */
  readonly lacksNs: boolean;
  /** Whether an operator released the content of an id. */
  readonly isApproved: (id: string) => boolean;
  /** How much of what is held may be named and kept to be shown. */
  readonly room: HeldRoom;
}

/** Room for what is held of a zone. */
export interface HeldRoom {
  /** Owners named one by one; where there are more, all of the zone is meant. */
  readonly owners: number;
  /** Octets of records kept to be shown. */
  readonly octets: number;
}

/** What is to be held, and why. */
export interface GuardVerdict {
  /** At least one. */
  readonly reasons: readonly HoldReason[];
  readonly figures: GuardFigures;
}

/** Counts the changes of one zone. */
export class GuardJudge {
  #removed = 0;
  #added = 0;
  #replaced = 0;
  #nsRemoved = 0;
  #nsAdded = 0;
  #withoutNs = false;

  constructor(
    readonly current: ZoneVersion,
    readonly rules: Pick<GuardRules, "limits" | "mostOwners" | "standing" | "lacksNs">,
  ) {}

  /** Counts a change of an owner. */
  note({ key, before, after }: OwnerChange): void {
    if (!after) this.#removed++;
    else if (!before) this.#added++;
    this.#replaced += replacedRRsets(before, after);
    if (key === this.current.apexKey) this.#noteApex(before, after);
  }

  /** Whether, with the apex held for want of NS records, no other owner would be left. */
  get leavesOnlyHeldApex(): boolean {
    const others = this.current.owners - 1;
    return this.rules.lacksNs && this.#removed > 0 && others - this.#removed + this.#added === 0;
  }

  /** The same changes, each counted as it is taken. */
  *watch(changes: Paused<OwnerChange>): Generator<OwnerChange | undefined> {
    for (const change of changes) {
      if (change) this.note(change);
      yield change;
    }
  }

  #noteApex(before: OwnerRecords | undefined, after: OwnerRecords | undefined): void {
    const [old, fresh] = [nsOf(before), nsOf(after)];
    this.#nsRemoved = old.filter((one) => !isIn(one, fresh)).length;
    this.#nsAdded = fresh.filter((one) => !isIn(one, old)).length;
    this.#withoutNs = fresh.length === 0;
  }

  /** The verdict on all that was noted; undefined: publish it. Yields as places to pause. */
  *verdict(): Generator<undefined, GuardVerdict | undefined> {
    const { limits } = this.rules;
    const { owned } = this.#sizes[0];
    const sizes = this.#sizes.find((one) => this.#shrinksTooMuch(one)) ?? this.#sizes[0];
    const rrsets = yield* this.#rrsets();
    const reasons: HoldReason[] = [];
    if (this.#removed > 0 && owned - this.#removed + this.#added === 0) reasons.push("empty");
    if (this.#shrinksTooMuch(sizes)) reasons.push("shrink");
    if (rrsets >= GUARDED_FROM && this.#replaced > limits.maxChange * rrsets) {
      reasons.push("change");
    }
    if (this.#withoutNs) reasons.push("no-ns");
    else if (Math.max(this.#nsRemoved, this.#nsAdded) > 1 && limits.maxChange < Infinity) {
      reasons.push("ns-set");
    }
    if (reasons.length === 0) return undefined;
    const figures = {
      ...sizes,
      removed: this.#removed,
      added: this.#added,
      rrsets,
      replaced: this.#replaced,
      nsRemoved: this.#nsRemoved,
      nsAdded: this.#nsAdded,
    };
    return { reasons, figures };
  }

  /**
   * From how many owners to how many: with what is served, and where something is held,
   * as it was when that began. What is new makes up for what is gone, but not for what is
   * held: it may be out already.
   */
  get #sizes(): Pick<GuardFigures, "owners" | "owned" | "left">[] {
    const { mostOwners, standing } = this.rules;
    const { owners: owned } = this.current;
    const most = Math.max(owned, mostOwners);
    if (!standing) {
      return [{ owners: most, owned, left: owned - this.#removed + this.#added }];
    }
    const { owners, owned: then } = standing;
    return [
      { owners: most, owned, left: owned - this.#removed },
      { owners, owned: then, left: then - this.#removed },
    ];
  }

  #shrinksTooMuch({ owners, left }: Pick<GuardFigures, "owners" | "left">): boolean {
    return this.#removed > 0 && owners >= GUARDED_FROM &&
      owners - left > this.rules.limits.maxShrink * owners;
  }

  /** RRsets of the zone, counted only where so many are replaced that it matters. */
  *#rrsets(): Generator<undefined, number> {
    const { limits: { maxChange }, standing } = this.rules;
    // An owner has at least one RRset.
    if (this.#replaced <= maxChange * Math.min(this.current.owners, standing?.rrsets || Infinity)) {
      return 0;
    }
    const rrsets = yield* countRRsets(this.current.pages);
    return Math.min(rrsets, standing?.rrsets || Infinity);
  }
}

/** Whether a verdict holds the change of an owner. */
export function holdsChange(
  { reasons }: GuardVerdict,
  apexKey: string,
  { key, before, after }: OwnerChange,
): boolean {
  return reasons.some((reason) => {
    switch (reason) {
      case "shrink":
      case "empty":
        return !after;
      case "change":
        return replacedRRsets(before, after) > 0;
      case "no-ns":
      case "ns-set":
        return key === apexKey;
      case "zone-removed":
        return true;
    }
  });
}

/**
 * RRsets of an owner that lose a record: with other content, cut, or gone. One that
 * only gets a record more, or another TTL, loses none.
 *
 * Spec: RFC 4034 §3 (signatures are no RRset: signing anew replaces nothing).
 */
export function replacedRRsets(
  before: OwnerRecords | undefined,
  after: OwnerRecords | undefined,
): number {
  const fresh = after?.records ?? [];
  let replaced = 0;
  let counted = -1;
  let at = 0;
  for (const record of before?.records ?? []) {
    if (record.type === TYPE.RRSIG || record.type === counted) continue;
    while (at < fresh.length && compareRecords(fresh[at], record) < 0) at++;
    if (at < fresh.length && compareRecords(fresh[at], record) === 0) continue;
    counted = record.type;
    replaced++;
  }
  return replaced;
}

/** As an owner's records are sorted. */
function compareRecords(a: ResourceRecord, b: ResourceRecord): number {
  return a.type - b.type || compareOctets(a.rdata, b.rdata);
}

/** The NS RDATA of an owner in canonical form: letter case is no change of name server. */
function nsOf(owner: OwnerRecords | undefined): Uint8Array[] {
  const records = owner?.records.filter(({ type }) => type === TYPE.NS) ?? [];
  return records.map(({ type, rdata }) => canonicalRdata(type, rdata));
}

function isIn(one: Uint8Array, all: readonly Uint8Array[]): boolean {
  return all.some((other) => equalOctets(one, other));
}
