/**
 * The fields of SOA RDATA.
 *
 * Pure. Spec: RFC 1035 §3.3.13.
 */
import type { Name, Serial } from "../dns/mod.ts";

/** The fields of an SOA record; times in seconds. */
export interface SoaFields {
  readonly mname: Name;
  readonly rname: Name;
  readonly serial: Serial;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** The fields of well-formed, uncompressed SOA RDATA; the names are views into it. */
export function readSoa(rdata: Uint8Array): SoaFields {
  const mnameEnd = nameEnd(rdata, 0);
  const rnameEnd = nameEnd(rdata, mnameEnd);
  const view = new DataView(rdata.buffer, rdata.byteOffset + rnameEnd, 20);
  return {
    mname: rdata.subarray(0, mnameEnd),
    rname: rdata.subarray(mnameEnd, rnameEnd),
    serial: view.getUint32(0),
    refresh: view.getUint32(4),
    retry: view.getUint32(8),
    expire: view.getUint32(12),
    minimum: view.getUint32(16),
  };
}

function nameEnd(octets: Uint8Array, at: number): number {
  while (octets[at] !== 0) at += 1 + octets[at];
  return at + 1;
}
