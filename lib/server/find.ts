/**
 * What an authoritative server has to say about a name and type.
 *
 * Pure. Specs: RFC 1034 §4.3.2 (the algorithm), RFC 4592 (wildcards), RFC 6672
 * (DNAME), RFC 8482 (ANY), RFC 4035 §3.1.4.1 (DS at a cut).
 */
import { type Name, type ResourceRecord, TYPE } from "../dns/mod.ts";
import { type Lookup, lookupOwner, type ZoneVersion } from "../zone/mod.ts";

/** One step of the answer. Records keep their owner; a wildcard's are given the name asked for. */
export type Finding =
  | {
    readonly kind: "data";
    readonly records: readonly ResourceRecord[];
    readonly wildcard: boolean;
  }
  | { readonly kind: "cname"; readonly cname: ResourceRecord; readonly wildcard: boolean }
  | { readonly kind: "dname"; readonly dname: ResourceRecord }
  | { readonly kind: "referral"; readonly ns: readonly ResourceRecord[] }
  | { readonly kind: "nodata" }
  | { readonly kind: "nxdomain" };

const NODATA: Finding = { kind: "nodata" };
const NXDOMAIN: Finding = { kind: "nxdomain" };

/** Apex lookups, kept as long as their version: every answer needs one. */
const apexes = new WeakMap<ZoneVersion, readonly ResourceRecord[]>();

function apexRecords(version: ZoneVersion): readonly ResourceRecord[] {
  const known = apexes.get(version);
  if (known) return known;
  const found = lookupOwner(version, version.apex);
  const records = found.kind === "found" ? found.records : [];
  apexes.set(version, records);
  return records;
}

/**
 * What a version has at a name for a type.
 *
 * Walks from the apex down, so a cut or DNAME above the name is met first, and
 * the last name met is the closest encloser (RFC 4592 §3.3.1).
 *
 * @param name  at or below the version's apex
 */
export function findInZone(version: ZoneVersion, name: Name, type: number): Finding {
  const apexAt = name.length - version.apex.length;
  if (apexAt === 0) return findAtOwner(apexRecords(version), type, false);
  const dname = ofType(apexRecords(version), TYPE.DNAME)[0];
  if (dname) return { kind: "dname", dname };
  let encloser = version.apex;
  for (const at of suffixesBelow(name, apexAt)) {
    const suffix = name.subarray(at);
    const found = lookupOwner(version, suffix);
    if (found.kind === "missing") return findByWildcard(version, encloser, type);
    encloser = suffix;
    if (found.kind === "empty") continue;
    const step = findOnTheWay(found.records, at === 0, type);
    if (step) return step;
    if (at === 0) return findAtOwner(found.records, type, false);
  }
  return NODATA; // the name is an empty non-terminal
}

/** Offsets of the suffixes of a name longer than its apex, shortest suffix first. */
function suffixesBelow(name: Name, apexAt: number): number[] {
  const offsets: number[] = [];
  for (let at = 0; at < apexAt; at += 1 + name[at]) offsets.push(at);
  return offsets.reverse();
}

/** A cut or DNAME that answers before the name itself is looked at. */
function findOnTheWay(
  records: readonly ResourceRecord[],
  isName: boolean,
  type: number,
): Finding | undefined {
  const ns = ofType(records, TYPE.NS);
  // The DS at a cut is the parent's (RFC 4035 §3.1.4.1); all else there is the child's.
  if (ns.length > 0 && !(isName && type === TYPE.DS)) return { kind: "referral", ns };
  const dname = isName ? undefined : ofType(records, TYPE.DNAME)[0];
  return dname && { kind: "dname", dname };
}

/** Spec: RFC 4592 §3.3.1 (the source of synthesis is `*` below the closest encloser). */
function findByWildcard(version: ZoneVersion, encloser: Name, type: number): Finding {
  if (encloser.length + 2 > 255) return NXDOMAIN;
  const source = new Uint8Array(encloser.length + 2);
  source[0] = 1;
  source[1] = 0x2a;
  source.set(encloser, 2);
  const found: Lookup = lookupOwner(version, source);
  if (found.kind === "missing") return NXDOMAIN;
  return found.kind === "empty" ? NODATA : findAtOwner(found.records, type, true);
}

function findAtOwner(
  records: readonly ResourceRecord[],
  type: number,
  wildcard: boolean,
): Finding {
  // RFC 8482 §4.1: ANY is answered with one RRset of those there are.
  const wanted = type === TYPE.ANY ? records[0]?.type : type;
  const rrset = ofType(records, wanted);
  if (rrset.length > 0) return { kind: "data", records: rrset, wildcard };
  const cname = ofType(records, TYPE.CNAME)[0];
  return cname ? { kind: "cname", cname, wildcard } : NODATA;
}

export function ofType(records: readonly ResourceRecord[], type: number): ResourceRecord[] {
  return records.filter((record) => record.type === type);
}
