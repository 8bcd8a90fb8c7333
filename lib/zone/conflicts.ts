/**
 * Which records cannot stand together at one owner, and which hardly should. Pure.
 *
 * What any of NSD, Knot, BIND and PowerDNS refuses a whole zone for, as a
 * secondary and whatever its settings, is a conflict; what one of them refuses as
 * it comes, or what means nothing, is an oddity.
 *
 * Specs: RFC 1034 §3.6.2 and RFC 2181 §10.1 (CNAME stands alone), RFC 6672 §2.3 and
 * §2.4 (one DNAME an owner, and no NS beside it but at the apex), RFC 4034 §2.5 (what
 * of DNSSEC stands beside a CNAME), RFC 5155 §4 and RFC 9276 §3.1 (NSEC3PARAM).
 */
import { type ResourceRecord, TYPE, typeName } from "../dns/mod.ts";
import type { Flaw } from "./problem.ts";

/** Types that may stand beside a CNAME: Knot takes no others. */
const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.RRSIG, TYPE.NSEC]);

/** Types whose presence makes an owner worth a look; any other owner of few records has no flaw. */
export const TELLING_TYPES: ReadonlySet<number> = new Set([
  TYPE.CNAME,
  TYPE.DNAME,
  TYPE.DS,
  TYPE.NSEC3PARAM,
]);

/**
 * Records of one type, and types of one owner, that BIND takes as it comes
 * (`max-records-per-type`, `max-types-per-name`).
 */
export const BIND_LIMIT = 100;

/** Octets of an RRset as BIND keeps it, its number of records among them. It has no place for more. */
const MAX_RRSET_OCTETS = 65_535 - 2;
/** What it keeps beside each RDATA: length and place, in octets. */
const KEPT_BESIDE_OCTETS = 6;

/** NSEC3 iterations that PowerDNS takes as it comes (`max-nsec3-iterations`). */
const PDNS_ITERATIONS = 100;

/** Why records of an owner cannot be served. */
export interface Conflict extends Flaw {
  /** The one type of which nothing can be; undefined where the whole owner cannot. */
  readonly type?: number;
}

/**
 * Why records of an owner, brought into order, cannot be served together: one reason of the whole
 * owner, or one of each RRset that cannot be; none when they can.
 */
export function conflictsOf(
  records: readonly ResourceRecord[],
  isApex: boolean,
): readonly Conflict[] {
  let [cnames, dnames, params, octets] = [0, 0, 0, 0];
  let hasNs = false;
  let others = isApex; // the SOA
  let tooLong: Set<number> | undefined;
  for (const [i, { type, rdata }] of records.entries()) {
    if (type === TYPE.CNAME) cnames++;
    else if (type === TYPE.DNAME) dnames++;
    else if (type === TYPE.NS) hasNs = true;
    else if (type === TYPE.NSEC3PARAM) params++;
    if (!BESIDE_CNAME.has(type)) others = true;
    octets = (records[i - 1]?.type === type ? octets : 0) + KEPT_BESIDE_OCTETS + rdata.length;
    if (octets > MAX_RRSET_OCTETS) (tooLong ??= new Set()).add(type);
  }
  if (!isApex) {
    if (cnames > 0 && others) return [CNAME_AND_OTHERS];
    if (cnames > 1) return [SEVERAL_CNAMES];
    if (dnames > 1) return [SEVERAL_DNAMES];
    if (dnames > 0 && hasNs) return [DNAME_AND_NS];
  } else if (cnames > 0 || dnames > 1 || params > 1) {
    const conflicts: Conflict[] = [];
    if (cnames > 0) conflicts.push(APEX_CNAME);
    if (dnames > 1) conflicts.push(APEX_DNAMES);
    if (params > 1) conflicts.push(SEVERAL_PARAMS);
    const told = new Set(conflicts.map(({ type }) => type));
    return [...conflicts, ...[...tooLong ?? []].filter((type) => !told.has(type)).map(tooBig)];
  }
  return tooLong ? [...tooLong].map(tooBig) : NONE;
}

const NONE: readonly Conflict[] = [];

const CNAME_AND_OTHERS = {
  code: "cname-and-other-data",
  reason: "a CNAME cannot stand beside other records of its owner",
  hint: "remove the CNAME, or the other records",
};
/** At the apex all else is served: a row more must not cost the zone its name servers. */
const APEX_CNAME = {
  ...CNAME_AND_OTHERS,
  type: TYPE.CNAME,
  reason: "a CNAME cannot stand at the apex, beside the SOA and NS records",
};
const DNAME_AND_NS = {
  code: "dname-and-ns",
  reason: "a DNAME cannot stand beside NS records, but at the apex",
  hint: "remove the DNAME, or the NS records",
};
const SEVERAL_PARAMS = {
  type: TYPE.NSEC3PARAM,
  code: "several-nsec3params",
  reason: "there is more than one NSEC3PARAM record, and Knot would refuse the zone",
  hint: "take a zone as its signer leaves it, not while it changes from one chain to another",
};

const SEVERAL_CNAMES = {
  code: "several-cnames",
  reason: "an owner can have one CNAME, this one has several",
  hint: "keep one of them",
};
const SEVERAL_DNAMES = {
  code: "several-dnames",
  reason: "an owner can have one DNAME, this one has several",
  hint: "keep one of them",
};
const APEX_DNAMES = { ...SEVERAL_DNAMES, type: TYPE.DNAME };

function tooBig(type: number): Conflict {
  return {
    type,
    code: "rrset-too-big",
    reason: `the ${typeName(type)} records of this owner have more than 65,535 octets together: ` +
      "they would fit no answer, and BIND would refuse the zone",
    hint: "spread them over several names",
  };
}

/** What is odd about records that are served all the same. */
export interface Oddity extends Flaw {
  readonly type: number;
}

/** What is odd about an owner's records, brought into order. */
export function odditiesOf(records: readonly ResourceRecord[], isApex: boolean): Oddity[] {
  const odd: Oddity[] = [];
  const numbers = new Map<number, number>();
  for (const { type, rdata } of records) {
    numbers.set(type, (numbers.get(type) ?? 0) + 1);
    if (type === TYPE.NSEC3PARAM && (rdata[2] << 8 | rdata[3]) > PDNS_ITERATIONS) {
      odd.push(MANY_ITERATIONS);
    }
  }
  if (numbers.has(TYPE.DS) && (isApex || !numbers.has(TYPE.NS))) odd.push(DS_WITHOUT_NS);
  for (const [type, number] of numbers) {
    if (number > BIND_LIMIT) odd.push({ ...MANY_RECORDS, type });
  }
  if (numbers.size > BIND_LIMIT) odd.push(MANY_TYPES);
  return odd;
}

const MANY_ITERATIONS = {
  type: TYPE.NSEC3PARAM,
  code: "nsec3-iterations",
  reason: "the NSEC3PARAM record has more than 100 iterations: PowerDNS refuses the zone",
  hint: "sign with 0 iterations (RFC 9276), or raise max-nsec3-iterations there",
};
const DS_WITHOUT_NS = {
  type: TYPE.DS,
  code: "ds-without-ns",
  reason: "DS records belong to a delegation, beside the NS records of a child zone",
  hint: "DS records of this zone itself go to the parent zone's operator",
};
const MANY_RECORDS = {
  code: "many-records",
  reason: "there are more than 100 records of one type: BIND refuses the whole zone",
  hint: "raise max-records-per-type there, or spread them over several names",
};
const MANY_TYPES = {
  type: 0,
  code: "many-types",
  reason: "the owner has records of more than 100 types: BIND refuses the whole zone",
  hint: "raise max-types-per-name there",
};
