/**
 * Whether owners and zones may be served as the source has them.
 *
 * Verdicts depend on the records alone. Only what is served instead uses
 * history: the owner as last published. Pure.
 * Specs: RFC 1034 §3.6.2 and RFC 2181 §10.1 (CNAME stands alone), RFC 6672 §2.4
 * (one DNAME an owner), RFC 2181 §5.2 (one TTL an RRset), RFC 1034 §4.2.1 (a
 * zone has NS records at its apex).
 */
import {
  canonicalKey,
  formatName,
  lowerName,
  type Name,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import type { RawOwner } from "./candidate.ts";
import { getOwner } from "./diff.ts";
import { normalizeOwner, type OwnerRecords } from "./owner_records.ts";
import { type Problem, problemGroup, type RowZone, zoneProblem } from "./rows.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** Types that may stand beside a CNAME: DNSSEC's own (RFC 4034 §2.5, RFC 4035 §2.5). */
const BESIDE_CNAME: ReadonlySet<number> = new Set([
  TYPE.CNAME,
  TYPE.RRSIG,
  TYPE.NSEC,
  25, // KEY, RFC 3007 §3.1.1
]);

interface Conflict {
  readonly code: string;
  readonly reason: string;
  readonly hint: string;
}

/** Why an owner's records cannot stand together; undefined when they can. */
function conflictOf(records: readonly ResourceRecord[], isApex: boolean): Conflict | undefined {
  let cnames = 0;
  let dnames = 0;
  let others = isApex; // the SOA
  for (const { type } of records) {
    if (type === TYPE.CNAME) cnames++;
    else if (type === TYPE.DNAME) dnames++;
    if (!BESIDE_CNAME.has(type)) others = true;
  }
  if (cnames > 0 && others) {
    return {
      code: "cname-and-other-data",
      reason: isApex
        ? "a CNAME cannot stand at the apex, beside the SOA and NS records"
        : "a CNAME cannot stand beside other records of its owner",
      hint: "remove the CNAME, or the other records",
    };
  }
  if (cnames > 1) {
    return {
      code: "several-cnames",
      reason: `an owner can have one CNAME, this one has ${cnames}`,
      hint: "keep one of them",
    };
  }
  if (dnames > 1) {
    return {
      code: "several-dnames",
      reason: `an owner can have one DNAME, this one has ${dnames}`,
      hint: "keep one of them",
    };
  }
  return undefined;
}

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

/**
 * The owners to serve: checked, normalised, bad ones replaced by what is
 * served now; undefined as places to pause.
 *
 * @param current  the version served now; undefined for a zone's first
 * @param report  called for each problem, in canonical order of owners
 */
export function* checkOwners(
  owners: Iterable<RawOwner | undefined>,
  zone: RowZone,
  current: ZoneVersion | undefined,
  report: (problem: Problem) => void,
): Generator<OwnerRecords | undefined, void> {
  for (const raw of owners) {
    if (raw === undefined) {
      yield undefined;
      continue;
    }
    const { records, ttlsDiffered } = normalizeOwner(raw.records);
    const conflict = conflictOf(records, raw.key === zone.apexKey);
    if (conflict) report(ownerProblem(zone, records[0].owner, "owner", conflict));
    else if (ttlsDiffered) report(ownerProblem(zone, records[0].owner, "rrset", TTLS_DIFFER));
    const bad = raw.troubled || conflict !== undefined;
    const kept = bad && current ? getOwner(current.pages, raw.key) : undefined;
    if (kept) yield kept;
    else if (!conflict && records.length > 0) {
      yield { key: raw.key, owner: records[0].owner, records };
    }
  }
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
