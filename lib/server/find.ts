/**
 * What an authoritative server has to say about a name and type.
 *
 * Pure. Specs: RFC 1034 §4.3.2 (the algorithm), RFC 4592 (wildcards), RFC 6672
 * (DNAME), RFC 8482 (ANY), RFC 4035 §3.1.4.1 (DS at a cut).
 */
import { MAX_NAME_OCTETS, type Name, type ResourceRecord, TYPE } from "../dns/mod.ts";
import { MAX_UDP_OCTETS } from "../wire/mod.ts";
import { type AnswerRoom, lookupOwner, type ZoneVersion } from "../zone/mod.ts";

/**
 * What decides the answer for a name; records are those of one owner: all that the answer
 * may have of it, but of an RRset without room only as many as show that.
 */
export type Place =
  /** The name itself, or the wildcard that stands for it. */
  | {
    readonly kind: "owner";
    readonly records: readonly ResourceRecord[];
    readonly wildcard: boolean;
  }
  /** A DNAME above the name. */
  | { readonly kind: "dname"; readonly records: readonly ResourceRecord[] }
  /** A zone cut at or above the name. */
  | { readonly kind: "cut"; readonly records: readonly ResourceRecord[] }
  /** The name, or the wildcard that stands for it, is an empty non-terminal. */
  | { readonly kind: "empty" }
  | { readonly kind: "missing" };

/** What a place has for a type. */
export type Finding =
  /** The RRset of {@link type}, which is the one asked for unless that is ANY. */
  | (Extract<Place, { kind: "owner" }> & { readonly answer: "data"; readonly type: number })
  | (Extract<Place, { kind: "owner" }> & { readonly answer: "cname" })
  | { readonly answer: "nodata" };

const NODATA: Finding = { answer: "nodata" };
const EMPTY: Place = { kind: "empty" };
const MISSING: Place = { kind: "missing" };

/** Apex lookups, kept as long as their version: every answer needs one. */
type Apexes = WeakMap<ZoneVersion, readonly ResourceRecord[]>;
/** For answers over UDP, as they are by default, and for all others. */
const SMALL_ROOM: AnswerRoom = { octets: MAX_UDP_OCTETS, type: TYPE.ANY };
const [smallApexes, apexes]: Apexes[] = [new WeakMap(), new WeakMap()];

/**
 * The records of the apex, the SOA among them.
 *
 * @param room  in the answer
 */
export function apexRecords(
  version: ZoneVersion,
  room: AnswerRoom,
): readonly ResourceRecord[] {
  const isSmall = room.octets <= MAX_UDP_OCTETS;
  const kept = isSmall ? smallApexes : apexes;
  const known = kept.get(version);
  if (known) return known;
  const found = lookupOwner(version, version.apex, isSmall ? SMALL_ROOM : undefined);
  const records = found.kind === "found" ? found.records : [];
  kept.set(version, records);
  return records;
}

/**
 * Where in a version the answer for a name lies.
 *
 * Walks from the apex down, so a cut or DNAME above the name is met first, and
 * the last name met is the closest encloser (RFC 4592 §3.3.1).
 *
 * @param name  at or below the version's apex
 * @param type  the DS at a cut is the parent's; all else there is the child's
 * @param room  in the answer
 */
export function locate(
  version: ZoneVersion,
  name: Name,
  type: number,
  room: AnswerRoom,
): Place {
  const apexAt = name.length - version.apex.length;
  const atApex = apexRecords(version, room);
  if (apexAt === 0) return { kind: "owner", records: atApex, wildcard: false };
  if (hasType(atApex, TYPE.DNAME)) return { kind: "dname", records: atApex };
  let encloser = version.apex;
  for (const at of suffixesBelow(name, apexAt)) {
    const suffix = name.subarray(at);
    const found = lookupOwner(version, suffix, room);
    if (found.kind === "missing") return locateWildcard(version, encloser, room);
    encloser = suffix;
    if (found.kind === "empty") continue;
    const { records } = found;
    const isName = at === 0;
    // Spec: RFC 4035 §3.1.4.1.
    if (hasType(records, TYPE.NS) && !(isName && type === TYPE.DS)) return { kind: "cut", records };
    if (isName) return { kind: "owner", records, wildcard: false };
    if (hasType(records, TYPE.DNAME)) return { kind: "dname", records };
  }
  return EMPTY;
}

/** Offsets of the suffixes of a name longer than its apex, shortest suffix first. */
function suffixesBelow(name: Name, apexAt: number): number[] {
  const offsets: number[] = [];
  for (let at = 0; at < apexAt; at += 1 + name[at]) offsets.push(at);
  return offsets.reverse();
}

/** Spec: RFC 4592 §3.3.1 (the source of synthesis is `*` below the closest encloser). */
function locateWildcard(version: ZoneVersion, encloser: Name, room: AnswerRoom): Place {
  if (encloser.length + 2 > MAX_NAME_OCTETS) return MISSING;
  const source = new Uint8Array(encloser.length + 2);
  source[0] = 1;
  source[1] = 0x2a;
  source.set(encloser, 2);
  const found = lookupOwner(version, source, room);
  if (found.kind === "missing") return MISSING;
  return found.kind === "empty" ? EMPTY : { kind: "owner", records: found.records, wildcard: true };
}

/** What an owner has for a type. */
export function findAt(place: Extract<Place, { kind: "owner" }>, type: number): Finding {
  const { records } = place;
  const wanted = type === TYPE.ANY ? typeForAny(records) : type;
  if (hasType(records, wanted)) return { ...place, answer: "data", type: wanted };
  return hasType(records, TYPE.CNAME) ? { ...place, answer: "cname" } : NODATA;
}

/** RFC 8482 §4.1: ANY is answered with one RRset of those there are; signatures are not the one. */
function typeForAny(records: readonly ResourceRecord[]): number {
  return (records.find(({ type }) => type !== TYPE.RRSIG) ?? records[0]).type;
}

export function hasType(records: readonly ResourceRecord[], type: number): boolean {
  for (const record of records) if (record.type === type) return true;
  return false;
}

export function ofType(records: readonly ResourceRecord[], type: number): ResourceRecord[] {
  return records.filter((record) => record.type === type);
}

/** The signatures over an RRset of these records' owner (RFC 4034 §3.1.1: Type Covered stands first). */
export function signaturesOf(
  records: readonly ResourceRecord[],
  type: number,
): ResourceRecord[] {
  return records.filter((record) =>
    record.type === TYPE.RRSIG && (record.rdata[0] << 8 | record.rdata[1]) === type
  );
}
