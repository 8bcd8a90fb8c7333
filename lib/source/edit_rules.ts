/**
 * What both editors agree on: how a zone is named in storage, and when two
 * records are the same. Pure.
 */
import {
  canonicalRdata,
  equalOctets,
  findTypeCode,
  formatName,
  lowerName,
  parseName,
  parseRdata,
  ZonecastError,
} from "../dns/mod.ts";
import type { ZoneSettings } from "./source.ts";

/** Records written at a time. */
export const WRITE_BATCH = 2000;

/**
 * A zone's name as stored: lower case, one escape form, without a trailing dot; "." is the root.
 *
 * @throws {NameError} it is no name
 */
export function storedZoneName(zone: string): string {
  const name = formatName(lowerName(parseName(zone)));
  return name === "." ? name : name.slice(0, -1);
}

/**
 * The owner that zone and name spell: absolute, lower case, one escape form. For
 * every valid name the same text as the schema's `zonecast.owner`; a name that
 * is none is only equal to itself.
 */
export function normalOwner(zone: string, name: string): string {
  try {
    return formatName(lowerName(parseName(name, parseName(zone))));
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return `${name} in ${zone}`; // the blank keeps it apart from every owner
  }
}

/** A type as stored: mnemonics in upper case. */
export function storedType(type: string): string {
  return type.trim().toUpperCase();
}

/** Whether two contents of one type are the same RDATA; as text when either is none. */
export function sameContent(zone: string, type: string, a: string, b: string): boolean {
  if (a === b) return true;
  const code = findTypeCode(storedType(type));
  if (code === undefined) return a.trim() === b.trim();
  try {
    const origin = parseName(zone);
    const [x, y] = [a, b].map((text) => canonicalRdata(code, parseRdata(code, text, origin)));
    return equalOctets(x, y);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return a.trim() === b.trim();
  }
}

/** What `content` asks for; undefined asks for any. */
export function matchesContent(
  zone: string,
  type: string,
  stored: string,
  content: string | undefined,
): boolean {
  return content === undefined || sameContent(zone, type, stored, content);
}

/** Cuts records, or what stands for them, into batches of {@link WRITE_BATCH}. */
export function* batches<R>(records: readonly R[]): Generator<readonly R[]> {
  for (let at = 0; at < records.length; at += WRITE_BATCH) {
    yield records.slice(at, at + WRITE_BATCH);
  }
}

/** Settings by the name of their column; those that are undefined are left out. */
export function settingColumns(
  settings: Partial<Omit<ZoneSettings, "name">>,
): Record<string, string | number | null> {
  const columns = {
    mname: settings.mname,
    rname: settings.rname,
    refresh: settings.refresh,
    retry: settings.retry,
    expire: settings.expire,
    minimum: settings.minimum,
    default_ttl: settings.defaultTtl,
    soa_ttl: settings.soaTtl,
    serial_floor: settings.serialFloor,
  };
  return Object.fromEntries(
    Object.entries(columns).filter((entry): entry is [string, string | number | null] =>
      entry[1] !== undefined
    ),
  );
}
