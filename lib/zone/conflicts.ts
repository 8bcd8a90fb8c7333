/**
 * Which records cannot stand together at one owner. Pure.
 *
 * Specs: RFC 1034 §3.6.2 and RFC 2181 §10.1 (CNAME stands alone), RFC 6672 §2.4
 * (one DNAME an owner).
 */
import { type ResourceRecord, TYPE } from "../dns/mod.ts";

/** Types that may stand beside a CNAME: DNSSEC's own (RFC 4034 §2.5, RFC 4035 §2.5). */
const BESIDE_CNAME: ReadonlySet<number> = new Set([
  TYPE.CNAME,
  TYPE.RRSIG,
  TYPE.NSEC,
  25, // KEY, RFC 3007 §3.1.1
]);

/** Why an owner's records cannot stand together. */
export interface Conflict {
  readonly code: string;
  readonly reason: string;
  readonly hint: string;
}

/** Why an owner's records cannot stand together; undefined when they can. */
export function conflictOf(
  records: readonly ResourceRecord[],
  isApex: boolean,
): Conflict | undefined {
  let cnames = 0;
  let dnames = 0;
  let others = isApex; // the SOA
  for (const { type } of records) {
    if (type === TYPE.CNAME) cnames++;
    else if (type === TYPE.DNAME) dnames++;
    if (!BESIDE_CNAME.has(type)) others = true;
  }
  if (cnames > 0 && others) {
    return {
      code: "cname-and-other-data",
      reason: isApex
        ? "a CNAME cannot stand at the apex, beside the SOA and NS records"
        : "a CNAME cannot stand beside other records of its owner",
      hint: "remove the CNAME, or the other records",
    };
  }
  if (cnames > 1) {
    return {
      code: "several-cnames",
      reason: `an owner can have one CNAME, this one has ${cnames}`,
      hint: "keep one of them",
    };
  }
  if (dnames > 1) {
    return {
      code: "several-dnames",
      reason: `an owner can have one DNAME, this one has ${dnames}`,
      hint: "keep one of them",
    };
  }
  return undefined;
}
