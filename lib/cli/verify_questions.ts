/**
 * A zone compared by questions, where it may not be transferred: which to ask, what answers show.
 *
 * What a server has and we do not know of it cannot show so: names that only it has stay unseen,
 * but for a wildcard below the apex and the usual types at names we have. Pure. Specs: RFC 1034
 * §4.3.2 (referrals), RFC 6672 §2.4 (names under a DNAME are hidden), RFC 8482 (ANY is no help).
 */
import {
  canonicalKey,
  equalNames,
  isSubdomain,
  type Name,
  parseName,
  type ResourceRecord,
  TYPE,
  typeCode,
} from "../dns/mod.ts";
import type { Response } from "../wire/mod.ts";
import { lookupOwner, type OwnerRecords, readOwners, type ZoneVersion } from "../zone/mod.ts";
import { type CompareRules, isIgnored } from "./rrset_compare.ts";

/** A question, and how its answer is read. */
export interface PlannedQuestion {
  readonly owner: Name;
  readonly type: number;
  /** The zone cut at or above the owner, whose referral answers; undefined: the zone does itself. */
  readonly cut: Name | undefined;
}

/** The questions for a zone, and our side of what they compare. */
export interface QuestionPlan {
  readonly questions: readonly PlannedQuestion[];
  /** In the zone's order: the records that answers can be compared with. */
  readonly owners: readonly OwnerRecords[];
  /** RRsets of ours that no question brings. */
  readonly leftOut: number;
}

/** Asked for at each name, whether we have them or not. */
const USUAL_TYPES = [TYPE.A, TYPE.AAAA, TYPE.MX, TYPE.TXT];
/** The same at the apex, beside these. */
const APEX_TYPES = ["NS", "SOA", "CAA", "HTTPS", "DNSKEY"].map(typeCode);
/** What belongs to DNSSEC's answers, and is in none by itself. */
const UNASKED_TYPES = ["RRSIG", "NSEC", "NSEC3", "NSEC3PARAM"].map(typeCode);
const ADDRESSES: readonly number[] = [TYPE.A, TYPE.AAAA];

/** The owners of a version in their order, its SOA among the apex's records. */
export function* ownersOf(version: ZoneVersion): Generator<OwnerRecords> {
  let hasApex = false;
  for (const owner of readOwners(version.pages)) {
    if (owner.key === version.apexKey) {
      hasApex = true;
      yield { ...owner, records: [version.soa, ...owner.records] };
    } else {
      // The apex is the first of all names.
      if (!hasApex) yield { key: version.apexKey, owner: version.apex, records: [version.soa] };
      hasApex = true;
      yield owner;
    }
  }
  if (!hasApex) yield { key: version.apexKey, owner: version.apex, records: [version.soa] };
}

/** What to ask about a zone. */
export function planQuestions(version: ZoneVersion, rules: CompareRules): QuestionPlan {
  const questions: PlannedQuestion[] = [];
  const owners: OwnerRecords[] = [];
  let leftOut = 0;
  let cut: { readonly owner: Name; readonly servers: readonly string[] } | undefined;
  let hidden: Name | undefined;
  for (const each of ownersOf(version)) {
    const { owner, records } = each;
    if (hidden && !isSubdomain(owner, hidden)) hidden = undefined;
    if (cut && !isSubdomain(owner, cut.owner)) cut = undefined;
    const types = new Set(records.map(({ type }) => type));
    if (!hidden && !cut && owner.length > version.apex.length && types.has(TYPE.NS)) {
      cut = { owner, servers: namesOf(records) };
    }
    const isAsked = (type: number) =>
      !hidden && !UNASKED_TYPES.includes(type) && !isIgnored(rules, owner, type) &&
      (!cut || isShownAtCut(cut, each, type));
    const asked = [...types].filter(isAsked);
    leftOut += [...types].filter((type) => !isIgnored(rules, owner, type)).length - asked.length;
    const extra = hidden || cut ? [] : usualTypes(version, owner)
      .filter((type) => !types.has(type) && !isIgnored(rules, owner, type));
    for (const type of [...asked, ...extra]) questions.push({ owner, type, cut: cut?.owner });
    owners.push({ ...each, records: records.filter(({ type }) => asked.includes(type)) });
    if (types.has(TYPE.DNAME)) hidden ??= owner;
  }
  questions.push(...wildcardQuestions(version));
  return { questions, owners, leftOut };
}

/** A referral shows NS and the addresses of those servers; DS the zone answers itself. */
function isShownAtCut(
  cut: { readonly owner: Name; readonly servers: readonly string[] },
  { owner, key }: OwnerRecords,
  type: number,
): boolean {
  if (equalNames(owner, cut.owner) && (type === TYPE.NS || type === TYPE.DS)) return true;
  return ADDRESSES.includes(type) && cut.servers.includes(key);
}

function namesOf(records: readonly ResourceRecord[]): string[] {
  return records.filter(({ type }) => type === TYPE.NS).map(({ rdata }) => canonicalKey(rdata));
}

function usualTypes(version: ZoneVersion, owner: Name): readonly number[] {
  return equalNames(owner, version.apex) ? [...USUAL_TYPES, ...APEX_TYPES] : USUAL_TYPES;
}

/** Whether there is a wildcard where we have none: its own name asks for it. */
function wildcardQuestions(version: ZoneVersion): PlannedQuestion[] {
  const owner = parseName("*", version.apex);
  if (lookupOwner(version, owner).kind === "found") return [];
  return USUAL_TYPES.map((type) => ({ owner, type, cut: undefined }));
}

/** The records that an answer shows at the owner it was asked about. */
export function shownRecords({ owner, type, cut }: PlannedQuestion, response: Response) {
  const isIts = (record: ResourceRecord) => equalNames(record.owner, owner);
  // A CNAME stands for whatever is asked.
  const answered = response.answer.filter((record) =>
    isIts(record) && (record.type === type || record.type === TYPE.CNAME)
  );
  if (answered.length > 0 || !cut || type === TYPE.DS) return answered;
  const referral = [...response.authority, ...response.additional];
  return referral.filter((record) => isIts(record) && record.type === type);
}
