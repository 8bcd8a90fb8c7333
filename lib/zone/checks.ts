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
  typeName,
} from "../dns/mod.ts";
import { type Conflict, conflictsOf, odditiesOf, type Oddity } from "./conflicts.ts";
import { normalizeOwner, type OwnerRecords } from "./owner_records.ts";
import { type Flaw, type Problem, problemGroup, zoneProblem } from "./problem.ts";
import type { RowZone } from "./rows.ts";

/** What is served where a row, or the rows of an owner together, cannot be. */
export const BAD_ROWS = ["keep", "omit", "hold"] as const;

/**
 * "keep": the owner as last published, else what of it is good. "omit": what is good.
 * "hold": as "keep", but the zone is not published.
 */
export type BadRows = typeof BAD_ROWS[number];

function ownerProblem(
  zone: RowZone,
  owner: Name,
  what: Flaw & Partial<Pick<Problem, "scope" | "severity" | "type">>,
): Problem {
  return {
    zone: zone.name,
    group: problemGroup(canonicalKey(owner), ""),
    owner: formatName(lowerName(owner)),
    scope: "owner",
    severity: "error",
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
 * The owner to serve: checked, normalised, a bad one perhaps replaced by what is
 * served now; undefined for none.
 *
 * @param report  called for its problems
 */
export function checkOwner(
  { key, records: rows, troubled, served }: ReadOwner,
  zone: RowZone,
  badRows: BadRows,
  report: (problem: Problem) => void,
): OwnerRecords | undefined {
  const { records, ttlsDiffered } = normalizeOwner(rows);
  const isApex = key === zone.apexKey;
  const conflicts = conflictsOf(records, isApex);
  const isBad = conflicts.length > 0;
  for (const one of conflicts) report(conflictProblem(zone, records[0].owner, one));
  if (!isBad) {
    if (ttlsDiffered) report(ownerProblem(zone, records[0].owner, TTLS_DIFFER));
    for (const oddity of odditiesOf(records, isApex)) {
      report(oddityProblem(zone, records[0].owner, oddity));
    }
  }
  if ((troubled || isBad) && served && badRows !== "omit") return served;
  const good = isBad ? records.filter(({ type }) => isSpared(type, conflicts)) : records;
  return good.length === 0 ? undefined : { key, owner: good[0].owner, records: good };
}

/** Whether a type is served though others of its owner cannot be. */
function isSpared(type: number, conflicts: readonly Conflict[]): boolean {
  return conflicts.every((one) => one.type !== undefined && one.type !== type);
}

function conflictProblem(zone: RowZone, owner: Name, { type, ...flaw }: Conflict): Problem {
  if (type === undefined) return ownerProblem(zone, owner, flaw);
  return ownerProblem(zone, owner, { ...flaw, scope: "rrset", type: typeName(type) });
}

function oddityProblem(zone: RowZone, owner: Name, { type, ...flaw }: Oddity): Problem {
  const what = type === 0 ? { scope: "owner" as const } : {
    scope: "rrset" as const,
    type: typeName(type),
  };
  return ownerProblem(zone, owner, { ...flaw, ...what, severity: "warning" });
}

/** The problem of an owner that nobody could see. */
export function belowDname(zone: RowZone, owner: Name, dname: Name): Problem {
  return ownerProblem(zone, owner, {
    code: "below-dname",
    reason: `records below the DNAME at ${formatName(dname)} could never be seen`,
    hint: "remove them, or the DNAME; NSD and BIND would hide them, Knot would refuse the zone",
  });
}

const TTLS_DIFFER = {
  scope: "rrset",
  severity: "warning",
  code: "ttls-differ",
  reason: "the records of one RRset have different TTLs; the lowest is served",
  hint: "give all rows of this name and type one TTL",
} as const;

/** The problem of a zone that has no NS records; undefined when it has some. */
export function checkApex(zone: RowZone, apex: OwnerRecords | undefined): Problem | undefined {
  if (apex?.records.some(({ type }) => type === TYPE.NS)) return undefined;
  return zoneProblem(zone.name, {
    code: "zone-without-ns",
    reason: `the zone ${zone.name} has no NS records at its apex, so secondaries would refuse it`,
    hint: `add its public nameservers: zonecast set ${zone.name} @ NS ns1.example.net.`,
  });
}

/** The problem of a zone that is not published because rows of it are bad. */
export function heldProblem(zone: RowZone): Problem {
  return zoneProblem(zone.name, {
    code: "held-for-bad-rows",
    reason: `the zone ${zone.name} is not published while it has bad rows (--bad-rows hold)`,
    hint: `mend the rows: \`zonecast problems ${zone.name}\` lists them`,
  });
}
