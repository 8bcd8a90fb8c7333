/**
 * Whether owners and zones may be served as the source has them.
 *
 * Verdicts depend on the records alone. Only what is served instead uses
 * history: the owner as last published. Pure.
 * Specs: RFC 2181 §5.2 (one TTL an RRset), RFC 1034 §4.2.1 (a zone has NS records
 * at its apex); `conflicts.ts` for what cannot stand together.
 */
import {
  canonicalKey,
  formatName,
  lowerName,
  type Name,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import { type Conflict, conflictOf } from "./conflicts.ts";
import { normalizeOwner, type OwnerRecords } from "./owner_records.ts";
import { type Problem, problemGroup, type RowZone, zoneProblem } from "./rows.ts";

function ownerProblem(
  zone: RowZone,
  owner: Name,
  scope: Problem["scope"],
  what: Conflict,
): Problem {
  return {
    zone: zone.name,
    group: problemGroup(canonicalKey(owner), ""),
    owner: formatName(lowerName(owner)),
    scope,
    name: formatName(owner),
    type: "",
    content: "",
    ...what,
  };
}

/** An owner that a read is about, with what was read of it. */
export interface ReadOwner {
  readonly key: string;
  /** Not yet normalised; none when it has no rows, or all are bad. */
  readonly records: readonly ResourceRecord[];
  /** Whether a row of this owner could not be read. */
  readonly troubled: boolean;
  /** As it is served now; undefined when it is not. */
  readonly served: OwnerRecords | undefined;
}

/**
 * The owner to serve: checked, normalised, a bad one replaced by what is served
 * now; undefined for none.
 *
 * @param report  called for its problem
 */
export function checkOwner(
  { key, records: rows, troubled, served }: ReadOwner,
  zone: RowZone,
  report: (problem: Problem) => void,
): OwnerRecords | undefined {
  const { records, ttlsDiffered } = normalizeOwner(rows);
  const conflict = conflictOf(records, key === zone.apexKey);
  if (conflict) report(ownerProblem(zone, records[0].owner, "owner", conflict));
  else if (ttlsDiffered) report(ownerProblem(zone, records[0].owner, "rrset", TTLS_DIFFER));
  if ((troubled || conflict) && served) return served;
  if (conflict || records.length === 0) return undefined;
  return { key, owner: records[0].owner, records };
}

const TTLS_DIFFER: Conflict = {
  code: "ttls-differ",
  reason: "the records of one RRset have different TTLs; the lowest is served",
  hint: "give all rows of this name and type one TTL",
};

/** The problem of a zone that has no NS records; undefined when it has some. */
export function checkApex(zone: RowZone, apex: OwnerRecords | undefined): Problem | undefined {
  if (apex?.records.some(({ type }) => type === TYPE.NS)) return undefined;
  return zoneProblem(zone.name, {
    code: "zone-without-ns",
    reason: `the zone ${zone.name} has no NS records at its apex, so secondaries would refuse it`,
    hint: `add its public nameservers: zonecast set ${zone.name} @ NS ns1.example.net.`,
  });
}
