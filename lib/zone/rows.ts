/**
 * Rows of a source made into records, one verdict a row.
 *
 * A verdict depends on the row alone, never on its neighbours or on the past.
 * Pure. Specs: RFC 1035 §5.1 (presentation format), RFC 2181 §8 (TTL).
 */
import {
  canonicalKey,
  formatName,
  isMetaType,
  isWildcard,
  MAX_TTL,
  type Name,
  parseName,
  parseRdata,
  type ResourceRecord,
  TYPE,
  typeCode,
  ZonecastError,
} from "../dns/mod.ts";
import { recordFits } from "./page_build.ts";
import { type Problem, problemGroup, shownContent } from "./problem.ts";

/** A row as text; what a source delivers. */
export interface RowText {
  /** The owner's normal form in the source; undefined where it has none. */
  readonly owner?: string;
  /** Relative to the zone; `@` is the apex; a trailing dot makes it absolute. */
  readonly name: string;
  readonly type: string;
  /** Seconds; null means the zone's default. */
  readonly ttl: number | null;
  readonly content: string;
}

/** A row that is served, with its owner's {@link canonicalKey}. */
export interface GoodRow {
  readonly record: ResourceRecord;
  readonly key: string;
}

/** A row that is not, with its owner's key where the name could be read. */
export interface BadRow {
  readonly problem: Problem;
  readonly key: string | undefined;
}

/** The zone that rows are read for. */
export interface RowZone {
  /** As the source has it. */
  readonly name: string;
  readonly apex: Name;
  readonly apexKey: string;
  /** Seconds; for rows without a TTL of their own. */
  readonly defaultTtl: number;
}

class RowError extends ZonecastError {
  override readonly name = "RowError";
}

/** The record a row stands for, or what is wrong with the row. */
export function readRow(row: RowText, zone: RowZone): GoodRow | BadRow {
  let key: string | undefined;
  try {
    const owner = parseName(row.name, zone.apex);
    key = canonicalKey(owner);
    if (!key.startsWith(zone.apexKey)) throw outOfZone(row, zone);
    const type = readType(row.type);
    refuseOwner(owner, type);
    const ttl = readTtl(row.ttl, zone);
    const record = { owner, type, ttl, rdata: parseRdata(type, row.content, zone.apex) };
    if (!recordFits(record)) {
      throw new RowError(
        "record-too-big",
        "the record does not fit a DNS message of 65,535 octets with its owner and a signature",
        "split it into several records",
      );
    }
    return { record, key };
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return { problem: problemOf(row, zone, key, error), key };
  }
}

function outOfZone(row: RowText, zone: RowZone): RowError {
  return new RowError(
    "out-of-zone",
    `the name "${row.name}" is not at or under ${zone.name}`,
    "names are relative to the zone, and a trailing dot makes one absolute: " +
      "correct the name, or move the row to the zone it belongs to",
  );
}

/** A hash in base32hex: of SHA-1, the only one there is. */
const HASH = /^[0-9a-v]{32}$/i;

/**
 * Refuses an owner that cannot have records of a type: BIND would refuse the whole zone for it.
 *
 * Spec: RFC 5155 §3 (an NSEC3 record stands at a hash), RFC 4592 §4.2 (NS at a wildcard means
 * nothing).
 *
 * @throws {ZonecastError} code "nsec3-owner" or "wildcard-ns"
 */
export function refuseOwner(owner: Name, type: number): void {
  if (type === TYPE.NSEC3 && !HASH.test(firstLabel(owner))) {
    throw new RowError(
      "nsec3-owner",
      `an NSEC3 record cannot stand at ${formatName(owner)}: its first label is no hash`,
      "leave signing to one tool, and take all its records as they are",
    );
  }
  if (type === TYPE.NS && isWildcard(owner)) {
    throw new RowError(
      "wildcard-ns",
      `an NS record cannot stand at the wildcard ${formatName(owner)}`,
      "delegate each name by itself",
    );
  }
}

function firstLabel(name: Name): string {
  return String.fromCharCode(...name.subarray(1, 1 + name[0]));
}

function readType(text: string): number {
  const type = typeCode(text);
  if (type === TYPE.SOA) {
    throw new RowError(
      "soa-row",
      "the SOA is made from the row in zones, not from records",
      "delete this row; set mname, rname and the timers with `zonecast zone set`",
    );
  }
  if (isMetaType(type)) {
    throw new RowError("type-not-data", `${text} is not a type that a zone can hold`);
  }
  return type;
}

function readTtl(ttl: number | null, zone: RowZone): number {
  if (ttl === null) return zone.defaultTtl;
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > MAX_TTL) {
    throw new RowError(
      "ttl-out-of-range",
      `the TTL is ${ttl}`,
      `use whole seconds from 0 to ${MAX_TTL}, or null for the zone's default`,
    );
  }
  return ttl;
}

function problemOf(
  row: RowText,
  zone: RowZone,
  key: string | undefined,
  error: ZonecastError,
): Problem {
  return {
    zone: zone.name,
    group: problemGroup(key, row.owner ?? row.name),
    owner: row.owner ?? null,
    scope: "row",
    severity: "error",
    name: row.name,
    type: row.type,
    content: shownContent(row.content),
    code: error.code,
    reason: error.message,
    hint: error.hint,
  };
}
