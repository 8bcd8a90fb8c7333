/**
 * The part of a zone's change that is held: what it is, under an id that stands for
 * exactly this content. Pure.
 */
import { createHash, type Hash } from "node:crypto";
import { canonicalKey, formatName, lowerName } from "../dns/mod.ts";
import { compareRecordLists } from "./diff.ts";
import type { GuardFigures, GuardVerdict, HeldRoom, HoldReason } from "./guard.ts";
import { HeldOwners } from "./held_owners.ts";
import type { OwnerChange, Paused } from "./page_edit.ts";
import { packRecords, type RecordList, RecordListWriter } from "./record_list.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** Hexadecimal digits of an id: enough that nobody finds other content with the same. */
const ID_DIGITS = 12;

/** A part that is held. */
export interface HeldPart {
  /** Stands for the content: the same owners with the same records removed and added. */
  readonly id: string;
  readonly reasons: readonly HoldReason[];
  readonly figures: GuardFigures;
  readonly owners: HeldOwners;
  /** Records that would go and come, all of them. */
  readonly removedCount: number;
  readonly addedCount: number;
  /** Of these the first; as many as are worth showing. */
  readonly removed: RecordList;
  readonly added: RecordList;
}

/** Puts the held part together from its owners' changes; yields as places to pause. */
export function* collectHeld(
  { reasons, figures }: GuardVerdict,
  changes: Paused<OwnerChange>,
  room: HeldRoom,
): Generator<undefined, HeldPart> {
  const hash = createHash("sha256");
  const shown = { removed: new RecordListWriter(), added: new RecordListWriter(), octets: 0 };
  const counts = { removed: 0, added: 0 };
  const most = figures.removed + figures.replaced + 1; // the apex may be held for its NS alone
  const owners = new HeldOwners(most, room.owners);
  for (const change of changes) {
    if (!change) {
      yield undefined;
      continue;
    }
    const { before, after } = change;
    owners.add(formatName(lowerName((before ?? after)!.owner)));
    const [removed, added] = [new RecordListWriter(), new RecordListWriter()];
    const isShown = shown.octets < room.octets;
    compareRecordLists(before?.records ?? [], after?.records ?? [], {
      add(record) {
        counts.removed++;
        removed.add(record);
        if (isShown) shown.removed.add(record);
      },
    }, {
      add(record) {
        counts.added++;
        added.add(record);
        if (isShown) shown.added.add(record);
      },
    });
    shown.octets += hashList(hash, removed.finish()) + hashList(hash, added.finish());
  }
  return {
    id: idOf(hash),
    reasons,
    figures,
    owners,
    removedCount: counts.removed,
    addedCount: counts.added,
    removed: shown.removed.finish(),
    added: shown.added.finish(),
  };
}

/** The held removal of a whole zone: its id stands for the version that would go. */
export function heldRemoval({ apex, soa, owners, records }: ZoneVersion): HeldPart {
  const hash = createHash("sha256").update(`removed ${canonicalKey(apex)}`);
  const list = packRecords([soa]);
  hashList(hash, list);
  const figures = {
    owners,
    owned: owners,
    removed: owners,
    added: 0,
    left: 0,
    rrsets: 0,
    replaced: 0,
    nsRemoved: 0,
    nsAdded: 0,
  };
  return {
    id: idOf(hash),
    reasons: ["zone-removed"],
    figures,
    owners: new HeldOwners(0, 0),
    removedCount: records,
    addedCount: 0,
    removed: list,
    added: packRecords([]),
  };
}

/** Adds a list, its length first, so that no two sequences of lists are the same; returns its octets. */
function hashList(hash: Hash, { octets }: RecordList): number {
  hash.update(`${octets.length} `).update(octets);
  return octets.length;
}

function idOf(hash: Hash): string {
  return hash.digest("hex").slice(0, ID_DIGITS);
}
