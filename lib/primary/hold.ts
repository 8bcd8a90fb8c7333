/**
 * What is held of one zone: as it is shown, and as it is kept in the state file. Pure.
 */
import { canonicalKey, formatName, type Name, ZonecastError } from "../dns/mod.ts";
import type { GuardNote } from "../store/mod.ts";
import {
  type GuardFigures,
  type GuardLimits,
  type HeldOwners,
  type HeldPart,
  type HoldReason,
  type RecordList,
  whyHeld,
} from "../zone/mod.ts";

/** A part of a zone that is not published until an operator approves it. */
export interface Hold {
  /** The zone's name, absolute. */
  readonly zone: string;
  readonly apexKey: string;
  /** Stands for exactly this content. */
  readonly id: string;
  /** Since when this content is held, ms since the epoch. */
  readonly since: number;
  readonly reasons: readonly HoldReason[];
  /** The reasons with their figures, in one line. */
  readonly why: string;
  readonly figures: GuardFigures;
  /** Owners that are held, in the source's normal form; undefined as {@link difference}. */
  readonly owners: HeldOwners | undefined;
  readonly ownerCount: number;
  /** Records that would go and come. */
  readonly removedCount: number;
  readonly addedCount: number;
  /** The first of these; undefined after a restart, until the source was read again. */
  readonly difference: { readonly removed: RecordList; readonly added: RecordList } | undefined;
}

/** What is to be approved is not held, or cannot be. */
export class HoldError extends ZonecastError {
  override readonly name = "HoldError";
}

/** @throws {HoldError} nothing is held of the zone under this id, or it cannot be approved */
export function mustBeHeld(zone: string, hold: Hold | undefined, id: string): void {
  const what = `Cannot approve ${id} of ${zone}`;
  if (!hold) {
    throw new HoldError("not-held", `${what}: nothing is held of it`, "`zonecast held` lists all");
  }
  if (hold.id !== id) {
    const hint = `look at it with \`zonecast held ${zone}\`, then ${releaseCommand(hold)}`;
    throw new HoldError("held-otherwise", `${what}: what is held now is ${hold.id}`, hint);
  }
  if (hold.reasons.includes("no-ns")) {
    throw new HoldError(
      "hold-not-servable",
      `${what}: a zone without NS records at its apex is refused by every secondary`,
      "give it its NS records back; to end the zone, delete its row in zones",
    );
  }
}

/** Its owners by name; "all" where all of the zone is meant, or they are too many. */
export function heldNames({ owners, reasons }: Hold): ReadonlySet<string> | "all" {
  return !owners || reasons.includes("zone-removed") ? "all" : owners.names;
}

/** The command that releases a hold. */
export function releaseCommand({ zone, id }: Pick<Hold, "zone" | "id">): string {
  return `zonecast approve ${zone} ${id}`;
}

/** A hold of what the guard found; one of the same content is held as long as that was. */
export function makeHold(
  apex: Name,
  part: HeldPart,
  limits: GuardLimits,
  before: Hold | undefined,
  nowMs: number,
): Hold {
  const { id, reasons, figures, removed, added } = part;
  const { owners, removedCount, addedCount } = part;
  const ownerCount = reasons.includes("zone-removed") ? figures.owners : owners.count;
  return {
    zone: formatName(apex),
    apexKey: canonicalKey(apex),
    id,
    since: before?.id === id ? before.since : nowMs,
    reasons,
    why: whyHeld(reasons, figures, limits),
    figures,
    owners,
    ownerCount,
    removedCount,
    addedCount,
    difference: { removed, added },
  };
}

/** A hold as the state file keeps it: the owners wait there anyway, and the rest is read again. */
export function writeHold(hold: Hold): string {
  const { owners: _, difference: __, ...kept } = hold;
  return JSON.stringify(kept);
}

/** A hold that the state file kept; our own words, verified by their checksum. */
export function readHold(text: string): Hold {
  return { ...JSON.parse(text), owners: undefined, difference: undefined };
}

/** The holds that the state file kept. */
export function* storedHolds(notes: readonly GuardNote[]): Generator<Hold> {
  for (const { kind, value } of notes) {
    if (kind === "hold" && value !== undefined) yield readHold(value);
  }
}
