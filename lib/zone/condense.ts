/**
 * Differences put together, and turned round.
 *
 * Pure. Spec: RFC 1995 §6 (condensation: what was added and removed again, or
 * removed and added again, never travels). Equality is of octets, as in every
 * difference.
 */
import { applyDiff, DiffError } from "./diff.ts";
import { equalRecords } from "./owner_records.ts";
import { RecordTally } from "./record_tally.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import type { ZoneVersion } from "./zone_version.ts";

/**
 * One difference that does what several do, one after another: from the first
 * one's SOA to the last one's. No record is in both its lists.
 *
 * Time and memory follow the number of records in all differences together.
 *
 * @param diffs  at least one, oldest first; a single one comes back as it is
 * @throws {DiffError} one does not start from the SOA the one before leads to, or
 *   they add or remove a record twice
 * @throws {RangeError} a list is cut; or there is no difference
 */
export function condense(diffs: readonly ZoneDiff[]): ZoneDiff {
  if (diffs.length === 0) throw new RangeError("Cannot condense differences: there is none");
  const [first] = diffs;
  const last = diffs[diffs.length - 1];
  if (diffs.length === 1) return first;
  for (let at = 1; at < diffs.length; at++) {
    if (equalRecords(diffs[at - 1].toSoa, diffs[at].fromSoa)) continue;
    throw new DiffError(
      "diff-gap",
      "Cannot condense differences: one does not start where the one before ends",
    );
  }
  const tally = new RecordTally(recordsIn(diffs));
  for (const { removed, added } of diffs) {
    tally.count(removed, -1);
    tally.count(added, +1);
  }
  const { fromSoa } = first;
  return { fromSoa, toSoa: last.toSoa, removed: tally.list(-1), added: tally.list(+1) };
}

/** The difference that leads back. */
export function reverseDiff({ fromSoa, toSoa, removed, added }: ZoneDiff): ZoneDiff {
  return { fromSoa: toSoa, toSoa: fromSoa, removed: added, added: removed };
}

/**
 * The version from which differences lead to this one.
 *
 * @param diffs  oldest first; without any it is the version itself
 * @throws {DiffError} they do not lead to this version
 */
export function versionBefore(version: ZoneVersion, diffs: readonly ZoneDiff[]): ZoneVersion {
  return diffs.length === 0 ? version : applyDiff(version, reverseDiff(condense(diffs)));
}

function recordsIn(diffs: readonly ZoneDiff[]): number {
  return diffs.reduce((sum, { removed, added }) => sum + removed.count + added.count, 0);
}
