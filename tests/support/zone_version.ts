/** Zone versions from a few lines of text, for tests that need a zone and no source. */
import {
  canonicalKey,
  type Name,
  parseName,
  parseRdata,
  type ResourceRecord,
  typeCode,
} from "../../lib/dns/mod.ts";
import { buildPages, normalizeOwner, ZoneVersion } from "../../lib/zone/mod.ts";

/** A record from `NAME TTL TYPE RDATA`; names relative to the apex. */
export function recordOf(line: string, apex: Name): ResourceRecord {
  const match = /^\s*(\S+)\s+(\d+)\s+(\S+)\s+(.*?)\s*$/.exec(line);
  if (!match) throw new Error(`Cannot read record line: ${line}`);
  const type = typeCode(match[3]);
  return {
    owner: parseName(match[1], apex),
    type,
    ttl: Number(match[2]),
    rdata: parseRdata(type, match[4], apex),
  };
}

/** A version of records in any order, without their SOA. */
export function versionOf(
  records: readonly ResourceRecord[],
  soa: ResourceRecord,
): ZoneVersion {
  const byKey = new Map<string, ResourceRecord[]>();
  for (const record of records) {
    const key = canonicalKey(record.owner);
    const owner = byKey.get(key);
    if (owner) owner.push(record);
    else byKey.set(key, [record]);
  }
  const owners = [...byKey.keys()].sort().map((key) => {
    const { records } = normalizeOwner(byKey.get(key)!);
    return { key, owner: records[0].owner, records };
  });
  return new ZoneVersion(soa, [...buildPages(owners)]);
}

/** The SOA every test zone has: TTL 3600, MINIMUM 300. */
export function soaOf(apex: string, serial: number): ResourceRecord {
  const owner = parseName(apex);
  const line = `@ 3600 SOA ns1 hostmaster ${serial} 7200 3600 1209600 300`;
  return { ...recordOf(line, owner), owner };
}

/** A zone version from lines of `NAME TTL TYPE RDATA`, one record each, without the SOA. */
export function zoneVersion(apex: string, serial: number, lines = ""): ZoneVersion {
  const soa = soaOf(apex, serial);
  const records = lines.split("\n").filter((line) => line.trim() !== "").map((line) =>
    recordOf(line, soa.owner)
  );
  return versionOf(records, soa);
}
