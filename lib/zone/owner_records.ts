/**
 * All records of one owner name, in the one order and form in which a zone keeps them.
 *
 * Pure. Specs: RFC 4034 §6.3 (order of an RRset's records), RFC 2181 §5 (an
 * RRset has no duplicates and one TTL).
 */
import {
  canonicalRdata,
  compareOctets,
  equalOctets,
  type Name,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";

/** One owner with its records: by type, then by RDATA octets; no duplicates, one TTL an RRset. */
export interface OwnerRecords {
  /** {@link canonicalKey} of the owner. */
  readonly key: string;
  readonly owner: Name;
  readonly records: readonly ResourceRecord[];
}

function compareRecords(a: ResourceRecord, b: ResourceRecord): number {
  return a.type - b.type || compareOctets(a.rdata, b.rdata);
}

/**
 * Records of one owner in the form a zone keeps, the same whatever order they came in.
 *
 * One spelling serves all: the least in octet order. Records equal but for the
 * case of names in their RDATA count once, the least in octet order stays; the
 * lowest TTL of an RRset serves for all of it (RFC 2181 §5.2).
 *
 * @param records  owners equal without case; none gives none
 * @returns the records, and whether TTLs differed in an RRset
 */
export function normalizeOwner(
  records: readonly ResourceRecord[],
): { records: ResourceRecord[]; ttlsDiffered: boolean } {
  if (records.length <= 1) return { records: [...records], ttlsDiffered: false };
  let owner = records[0].owner;
  for (const record of records) if (compareOctets(record.owner, owner) < 0) owner = record.owner;
  const sorted = records.slice().sort(compareRecords);
  const out: ResourceRecord[] = [];
  let ttlsDiffered = false;
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    let ttl = sorted[from].ttl;
    for (to = from; to < sorted.length && isSameRRset(sorted[from], sorted[to]); to++) {
      if (sorted[to].ttl !== ttl) ttlsDiffered = true;
      ttl = Math.min(ttl, sorted[to].ttl);
    }
    appendRRset(out, sorted.slice(from, to), owner, ttl);
  }
  return { records: out, ttlsDiffered };
}

/**
 * Whether two records of one owner share a TTL: those of one type do.
 *
 * Spec: RFC 4034 §3 (signatures are no RRset: each has the TTL of what it covers).
 */
function isSameRRset(a: ResourceRecord, b: ResourceRecord): boolean {
  if (a.type !== b.type) return false;
  return a.type !== TYPE.RRSIG || a.rdata[0] === b.rdata[0] && a.rdata[1] === b.rdata[1];
}

/** Appends one sorted RRset without its duplicates, with one owner spelling and TTL. */
function appendRRset(
  out: ResourceRecord[],
  rrset: readonly ResourceRecord[],
  owner: Name,
  ttl: number,
): void {
  const seen = new Set<string>();
  for (const record of rrset) {
    if (rrset.length > 1) {
      const identity = octetString(canonicalRdata(record.type, record.rdata));
      if (seen.has(identity)) continue;
      seen.add(identity);
    }
    const same = record.owner === owner && record.ttl === ttl;
    out.push(same ? record : { owner, type: record.type, ttl, rdata: record.rdata });
  }
}

function octetString(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}

/** Whether two records are the same octet for octet. */
export function equalRecords(a: ResourceRecord, b: ResourceRecord): boolean {
  return a.type === b.type && a.ttl === b.ttl && equalOctets(a.rdata, b.rdata) &&
    equalOctets(a.owner, b.owner);
}
