/** Zones made by hand for the store's tests: pages uncompressed, a few owners each. */
import { canonicalKey, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import { parseName } from "../../../lib/dns/mod.ts";
import {
  NO_RECORDS,
  packRecords,
  type Page,
  recordOctets,
  type ZoneDiff,
  ZoneVersion,
} from "../../../lib/zone/mod.ts";
import type { PendingOwners, Progress, Publication } from "../../../lib/store/mod.ts";

/** ms since the epoch at which all test versions are published. */
export const PUBLISHED_AT = 1_700_000_000_000;

export function soaRecord(apex: string, serial: number): ResourceRecord {
  const rdata = new Uint8Array(22);
  new DataView(rdata.buffer).setUint32(2, serial); // MNAME and RNAME are the root
  return { owner: parseName(apex), type: TYPE.SOA, ttl: 3600, rdata };
}

export function aRecord(owner: string, address: number): ResourceRecord {
  const rdata = new Uint8Array(4);
  new DataView(rdata.buffer).setUint32(0, address);
  return { owner: parseName(owner), type: TYPE.A, ttl: 300, rdata };
}

/** A page of records, each the only one of its owner, in canonical order. */
export function pageOf(records: readonly ResourceRecord[], part = 0): Page {
  let at = 0;
  const owners = records.map((record) => {
    const start = at;
    at += recordOctets(record);
    return start;
  });
  return {
    block: packRecords(records).octets,
    owners: Uint32Array.from(owners),
    records: records.length,
    firstKey: canonicalKey(records[0].owner),
    part,
  };
}

/** Pages of `each` A records: h00000.APEX, h00001.APEX, … */
export function hostPages(apex: string, pages: number, each = 3): Page[] {
  return Array.from({ length: pages }, (_, p) =>
    pageOf(Array.from({ length: each }, (_, i) => {
      const n = p * each + i;
      return aRecord(`h${String(n).padStart(7, "0")}.${apex}`, n);
    })));
}

/** The version after one: some pages exchanged, a higher serial, and the way there. */
export function nextVersion(
  previous: ZoneVersion,
  serial: number,
  pages: readonly Page[] = previous.pages,
  records: { removed?: ResourceRecord[]; added?: ResourceRecord[] } = {},
): Publication {
  const apexSoa = { ...previous.soa, rdata: previous.soa.rdata.slice() };
  new DataView(apexSoa.rdata.buffer).setUint32(2, serial);
  const version = new ZoneVersion(apexSoa, pages);
  const diff: ZoneDiff = {
    fromSoa: previous.soa,
    toSoa: version.soa,
    removed: records.removed ? packRecords(records.removed) : NO_RECORDS,
    added: records.added ? packRecords(records.added) : NO_RECORDS,
  };
  return { version, previous, diff, cause: "poll", publishedAt: PUBLISHED_AT };
}

/** A zone's first publication. */
export function firstVersion(apex: string, serial: number, pages: readonly Page[]): Publication {
  return {
    version: new ZoneVersion(soaRecord(apex, serial), pages),
    previous: undefined,
    diff: undefined,
    cause: "start",
    publishedAt: PUBLISHED_AT,
  };
}

/** A cursor and what is pending there. */
export function progress(cursor: string, pending: PendingOwners = new Map()): Progress {
  return { cursor, pending };
}

/** Octets as a string, which is compared fast. */
export function octetText(octets: Uint8Array): string {
  return new TextDecoder("latin1").decode(octets);
}

/** A version as plain values, fit for assertEquals. */
export function plain(version: ZoneVersion): unknown {
  return {
    soa: { ...version.soa, owner: [...version.soa.owner], rdata: [...version.soa.rdata] },
    pages: version.pages.map((page) => ({
      ...page,
      block: octetText(page.block),
      owners: page.owners.join(" "),
    })),
  };
}
