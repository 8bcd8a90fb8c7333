/**
 * The answer to a question: one message, whole or truncated.
 *
 * Pure. Specs: RFC 1034 §4.3.2, RFC 2308 (negative answers), RFC 2181 §9 (TC),
 * RFC 9471 (glue), RFC 6672 §3.1 (DNAME).
 *
 * Limitations: minimal answers (no additional addresses but glue); no DNSSEC
 * records are added to answers; CNAMEs are followed inside their zone only.
 */
import {
  CLASS_IN,
  equalNames,
  isSubdomain,
  MAX_NAME_OCTETS,
  type Name,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import {
  FLAG,
  MessageWriter,
  type Query,
  type Question,
  RCODE,
  type ResponseEdns,
  SECTION,
} from "../wire/mod.ts";
import { lookupOwner, soaMinimum, type ZoneTable, type ZoneVersion } from "../zone/mod.ts";
import { findInZone, ofType } from "./find.ts";
import { MAX_CHAIN } from "./limits.ts";

/** Flags of an answer before it is known to be authoritative. */
function replyFlags(query: Query): number {
  return FLAG.QR | query.flags & (FLAG.RD | FLAG.CD);
}

/**
 * A message with the question and an RCODE, nothing else.
 *
 * @param tsigError  the request's TSIG record is answered with this error, unsigned
 */
export function errorAnswer(
  query: Query,
  rcode: number,
  edns: ResponseEdns | undefined,
  maxOctets: number,
  tsigError?: number,
): Uint8Array {
  const writer = new MessageWriter(maxOctets, edns);
  writer.header(query.id, replyFlags(query), rcode);
  writer.question(query.question);
  const { tsig } = query;
  return writer.finish(tsig && tsigError !== undefined ? { tsig, error: tsigError } : undefined);
}

/**
 * The answer to any question but one for a transfer.
 *
 * @param maxOctets  what client and transport take
 */
export function answerQuery(
  query: Query,
  zones: ZoneTable,
  edns: ResponseEdns | undefined,
  maxOctets: number,
): Uint8Array {
  const { question } = query;
  const refusal = refusalOf(question);
  if (refusal !== undefined) return errorAnswer(query, refusal, edns, maxOctets);
  const version = zoneFor(zones, question);
  if (!version) return errorAnswer(query, RCODE.REFUSED, edns, maxOctets);
  const writer = new MessageWriter(maxOctets, edns);
  writer.header(query.id, replyFlags(query) | FLAG.AA);
  writer.question(question);
  if (question.type === TYPE.SOA && question.name.length === version.apex.length) {
    put(writer, SECTION.ANSWER, [version.soa]); // what secondaries ask all day
  } else {
    new Answering(writer, version, question.type).follow(question.name);
  }
  return writer.finish();
}

/** The RCODE for a question no zone can answer; undefined for an ordinary one. */
function refusalOf(question: Question): number | undefined {
  if (question.class !== CLASS_IN) return RCODE.REFUSED;
  const { type } = question;
  if (type === TYPE.OPT || type === TYPE.TSIG) return RCODE.FORMERR;
  // Meta types nobody asks an authoritative server for (RFC 6895 §3.1); ANY is answered.
  if (type >= TYPE.TKEY && type <= TYPE.MAILA) return RCODE.NOTIMP;
  return undefined;
}

/** The zone to answer from; for a DS question at an apex, the parent's if it is here. */
function zoneFor(zones: ZoneTable, question: Question): ZoneVersion | undefined {
  const { name, type } = question;
  const version = zones.closest(name);
  if (type !== TYPE.DS || version?.apex.length !== name.length || name[0] === 0) return version;
  return zones.closest(name.subarray(1 + name[0])) ?? version;
}

/** Writes an RRset whole or sets TC. */
function put(
  writer: MessageWriter,
  section: typeof SECTION[keyof typeof SECTION],
  records: readonly ResourceRecord[],
  owner?: Name,
  ttl?: number,
): boolean {
  if (writer.records(section, records, owner, ttl)) return true;
  writer.addFlags(FLAG.TC);
  return false;
}

/** One answer being built from one version. */
class Answering {
  constructor(
    readonly writer: MessageWriter,
    readonly version: ZoneVersion,
    readonly type: number,
  ) {}

  /** Answers for a name, following CNAME and DNAME records inside the zone. */
  follow(start: Name): void {
    const followed: Name[] = [];
    let name: Name | undefined = start;
    while (name && followed.length <= MAX_CHAIN && isSubdomain(name, this.version.apex)) {
      const here: Name = name;
      if (followed.some((earlier) => equalNames(earlier, here))) return; // a loop
      followed.push(here);
      name = this.step(here, followed.length === 1);
    }
  }

  /** Writes what the zone has for a name; returns the name to go on with, if any. */
  step(name: Name, isFirst: boolean): Name | undefined {
    const finding = findInZone(this.version, name, this.type);
    switch (finding.kind) {
      case "data":
        put(this.writer, SECTION.ANSWER, finding.records, finding.wildcard ? name : undefined);
        return undefined;
      case "cname": {
        const { cname, wildcard } = finding;
        return put(this.writer, SECTION.ANSWER, [cname], wildcard ? name : undefined)
          ? cname.rdata
          : undefined;
      }
      case "dname":
        return this.substitute(name, finding.dname);
      case "referral":
        this.refer(finding.ns, isFirst);
        return undefined;
      case "nxdomain":
        this.writer.setRcode(RCODE.NXDOMAIN);
        this.deny();
        return undefined;
      case "nodata":
        this.deny();
        return undefined;
    }
  }

  /** Spec: RFC 2308 §3 and §5 (SOA in the authority section, TTL the least of its own and MINIMUM). */
  deny(): void {
    const { soa } = this.version;
    put(this.writer, SECTION.AUTHORITY, [soa], undefined, Math.min(soa.ttl, soaMinimum(soa)));
  }

  /** Spec: RFC 6672 §2.3 and §3.1 (the DNAME and a CNAME synthesized from it; YXDOMAIN if too long). */
  substitute(name: Name, dname: ResourceRecord): Name | undefined {
    if (!put(this.writer, SECTION.ANSWER, [dname])) return undefined;
    const kept = name.length - dname.owner.length;
    if (kept + dname.rdata.length > MAX_NAME_OCTETS) {
      this.writer.setRcode(RCODE.YXDOMAIN);
      return undefined;
    }
    const target = new Uint8Array(kept + dname.rdata.length);
    target.set(name.subarray(0, kept));
    target.set(dname.rdata, kept);
    const cname = { owner: name, type: TYPE.CNAME, ttl: dname.ttl, rdata: target };
    return put(this.writer, SECTION.ANSWER, [cname]) ? target : undefined;
  }

  /**
   * NS records of a cut and the addresses the zone has for them.
   *
   * Spec: RFC 9471 §3 (addresses of name servers below the cut must be there, or
   * TC); RFC 1034 §4.3.2 (a referral is not authoritative; after a CNAME the
   * answer is, for the name asked).
   */
  refer(ns: readonly ResourceRecord[], isFirst: boolean): void {
    if (isFirst) this.writer.clearFlags(FLAG.AA);
    if (!put(this.writer, SECTION.AUTHORITY, ns)) return;
    const cut = ns[0].owner;
    const below = ns.filter(({ rdata }) => isSubdomain(rdata, cut));
    for (const { rdata } of below) if (!this.addresses(rdata)) return this.writer.addFlags(FLAG.TC);
    // Name servers elsewhere in the zone: a help, left out when the room ends.
    for (const { rdata } of ns) {
      if (isSubdomain(rdata, cut) || !isSubdomain(rdata, this.version.apex)) continue;
      if (!this.addresses(rdata)) return;
    }
  }

  /** Adds the A and AAAA records the zone has for a name; false when they do not fit. */
  addresses(target: Name): boolean {
    const found = lookupOwner(this.version, target);
    if (found.kind !== "found") return true;
    return [TYPE.A, TYPE.AAAA].every((type) =>
      this.writer.records(SECTION.ADDITIONAL, ofType(found.records, type))
    );
  }
}
