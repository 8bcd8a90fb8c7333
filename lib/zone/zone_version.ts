/**
 * One immutable version of a zone.
 *
 * Pure. A version is a sorted list of pages plus its SOA, which lies in no
 * page, so that a new serial costs no page.
 */
import { canonicalKey, type Name, type ResourceRecord, type Serial } from "../dns/mod.ts";
import { changedRange } from "./changed_range.ts";
import type { Page } from "./page.ts";

/** Where SERIAL starts in SOA RDATA, counted in octets from its end (RFC 1035 §3.3.13). */
const SERIAL_FROM_END = 20;

/** The SERIAL of an SOA record (RFC 1035 §3.3.13). */
export function soaSerial(soa: ResourceRecord): Serial {
  const at = soa.rdata.length - SERIAL_FROM_END;
  return new DataView(soa.rdata.buffer, soa.rdata.byteOffset).getUint32(at);
}

/** The same SOA record with another SERIAL, in a fresh buffer. */
export function withSerial(
  soa: ResourceRecord,
  serial: Serial,
): ResourceRecord {
  const rdata = soa.rdata.slice();
  new DataView(rdata.buffer).setUint32(rdata.length - SERIAL_FROM_END, serial);
  return { ...soa, rdata };
}

/** The MINIMUM of an SOA record, in seconds: the negative TTL's bound (RFC 2308 §4). */
export function soaMinimum(soa: ResourceRecord): number {
  return new DataView(soa.rdata.buffer, soa.rdata.byteOffset).getUint32(
    soa.rdata.length - 4,
  );
}

/** The EXPIRE of an SOA record, in seconds (RFC 1035 §3.3.13). */
export function soaExpire(soa: ResourceRecord): number {
  return new DataView(soa.rdata.buffer, soa.rdata.byteOffset).getUint32(soa.rdata.length - 8);
}

/** An immutable zone: SOA and pages. */
export class ZoneVersion {
  readonly apex: Name;
  /** {@link canonicalKey} of the apex. */
  readonly apexKey: string;
  readonly serial: Serial;
  /** Records, the SOA counted. */
  readonly records: number;
  /** Owner names that have records; the apex counts where it has others than the SOA. */
  readonly owners: number;
  /** Octets of all pages. */
  readonly wireOctets: number;

  /**
   * @param soa  the SOA record; its owner is the apex
   * @param pages  in canonical order; every owner at or under the apex
   * @param before  a version that has most of the pages: they are not counted again
   */
  constructor(
    readonly soa: ResourceRecord,
    readonly pages: readonly Page[],
    before?: ZoneVersion,
  ) {
    this.apex = soa.owner;
    this.apexKey = canonicalKey(soa.owner);
    this.serial = soaSerial(soa);
    const { from, beforeEnd, afterEnd } = changedRange(before?.pages ?? [], pages);
    const [gone, come] = [
      count(before?.pages ?? [], from, beforeEnd),
      count(pages, from, afterEnd),
    ];
    this.records = (before?.records ?? 1) - gone.records + come.records;
    this.owners = (before?.owners ?? 0) - gone.owners + come.owners;
    this.wireOctets = (before?.wireOctets ?? 0) - gone.octets + come.octets;
  }
}

/** What a run of pages has. */
function count(pages: readonly Page[], from: number, to: number) {
  let [records, owners, octets] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    const page = pages[i];
    records += page.records;
    owners += page.owners.length - (page.part > 0 ? 1 : 0);
    octets += page.block.length;
  }
  return { records, owners, octets };
}
