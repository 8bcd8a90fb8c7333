/**
 * Where compressible names stand in RDATA.
 *
 * Pure. Spec: RFC 3597 §4 (names are compressed only in the types of RFC 1035).
 */
import { TYPE } from "../dns/mod.ts";

/** RDATA of a type whose names may be compressed: octets before the first name, number of names. */
export interface RdataNames {
  readonly at: number;
  readonly count: number;
}

const ONE_NAME: RdataNames = { at: 0, count: 1 };
const TWO_NAMES: RdataNames = { at: 0, count: 2 };
const BEHIND_PREFERENCE: RdataNames = { at: 2, count: 1 };

/** The compressible names of a type's RDATA; undefined when it has none. */
export function compressibleNames(type: number): RdataNames | undefined {
  switch (type) {
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.PTR:
    case TYPE.MD:
    case TYPE.MF:
    case TYPE.MB:
    case TYPE.MG:
    case TYPE.MR:
      return ONE_NAME;
    case TYPE.SOA:
    case TYPE.MINFO:
      return TWO_NAMES;
    case TYPE.MX:
      return BEHIND_PREFERENCE;
    default:
      return undefined;
  }
}
