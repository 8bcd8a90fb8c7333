/**
 * The owners of a read that are to become other than they are served: each judged, in
 * canonical order. Pure.
 */
import { MAX_NAME_OCTETS, type Name } from "../dns/mod.ts";
import type { BelowDname } from "./below_dname.ts";
import type { CandidateZone } from "./candidate.ts";
import { type BadRows, belowDname, checkOwner, type ReadOwner } from "./checks.ts";
import { equalOwners } from "./diff.ts";
import { normalizeOwner, type OwnerRecords } from "./owner_records.ts";
import type { OwnerChange } from "./page_edit.ts";
import type { Problem } from "./problem.ts";
import { allRead, partRead } from "./read_owners.ts";
import type { RowZone } from "./rows.ts";
import type { ServedRecords } from "./served_records.ts";
import { MAX_KEY_OCTETS, ownerOfKey, writeKey } from "./wire_record.ts";

/** What was read, and how it is judged. */
export interface OwnersRead {
  readonly zone: RowZone;
  readonly candidate: CandidateZone;
  /** Of a read of everything in which rows were compared with what is served: that. */
  readonly served: ServedRecords | undefined;
  /** Whether the rows of all owners there are were read, and something is served. */
  readonly isWhole: boolean;
  /** With the pages served. */
  readonly dnames: BelowDname;
  readonly badRows: BadRows;
  readonly report: (problem: Problem) => void;
}

/** The changes; undefined as a place to pause. The same each time, but for what is reported. */
export function* ownerChanges(read: OwnersRead): Generator<OwnerChange | undefined, void> {
  const { candidate, dnames, served, isWhole } = read;
  const { pages } = dnames;
  const owners = isWhole ? allRead(candidate, pages, served, dnames) : partRead(candidate, pages);
  for (const owner of owners) {
    if (!owner) {
      yield undefined;
      continue;
    }
    const { key, served: before } = owner;
    const after = judge(owner, read);
    dnames.decide(key, before, after);
    if (before && after ? !equalOwners(before, after) : before !== after) {
      yield { key, before, after };
    }
  }
}

/** What an owner becomes; its problems are reported. */
function judge(
  owner: ReadOwner,
  { dnames, zone, badRows, report }: OwnersRead,
): OwnerRecords | undefined {
  const dname = dnames.above(owner.key);
  if (dname === undefined) return checkOwner(owner, zone, badRows, report);
  const [first] = normalizeOwner(owner.records).records; // as any other owner is spelled
  if (first) report(belowDname(zone, first.owner, ownerOf(dname, zone)));
  return undefined;
}

/** The name a key of the zone stands for, in lower case. */
function ownerOf(key: string, { apex, apexKey }: RowZone): Name {
  const octets = writeKey(key, apexKey, keyScratch);
  return nameScratch.slice(0, ownerOfKey(keyScratch, 0, octets, apex, nameScratch));
}

const keyScratch = new Uint8Array(MAX_KEY_OCTETS);
const nameScratch = new Uint8Array(MAX_NAME_OCTETS);
