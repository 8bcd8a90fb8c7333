/**
 * One resource record of class IN as octets.
 *
 * Pure. Specs: RFC 1035 §3.2.1 and §4.1.3, RFC 2181 §8 (TTL).
 */
import type { Name } from "./name.ts";

/** Class IN, the only class zonecast serves. */
export const CLASS_IN = 1;

/** The largest TTL, in seconds (RFC 2181 §8). */
export const MAX_TTL = 2 ** 31 - 1;

/** A record of class IN. Its octets are shared, never changed. */
export interface ResourceRecord {
  /** Absolute owner name, case as written. */
  readonly owner: Name;
  /** RR TYPE, 0 to 65535. */
  readonly type: number;
  /** Seconds, 0 to {@link MAX_TTL}. */
  readonly ttl: number;
  /** RDATA, uncompressed, without its length; at most 65535 octets. */
  readonly rdata: Uint8Array;
}

/** Order of two octet strings as RFC 4034 §6.3 has it: octet by octet, a prefix first. */
export function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Whether two octet strings are the same. */
export function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
