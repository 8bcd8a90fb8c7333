/**
 * The records of an answer from one version of a zone: its sections filled,
 * chains followed.
 *
 * Pure. Specs: RFC 1034 §4.3.2, RFC 2308 §3 and §5 (negative answers), RFC 4035
 * §3.1.1 (signatures), RFC 6604 §3 (chains), RFC 6672 §3 (DNAME), RFC 9471 (glue).
 */
import {
  equalNames,
  isSubdomain,
  MAX_NAME_OCTETS,
  type Name,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import { FLAG, type MessageWriter, RCODE, SECTION, type Section } from "../wire/mod.ts";
import { type AnswerRoom, lookupOwner, soaMinimum, type ZoneVersion } from "../zone/mod.ts";
import { additionsFor, hasAdditional } from "./additional.ts";
import { apexRecords, findAt, type Finding, locate, ofType, signaturesOf } from "./find.ts";
import { MAX_CHAIN } from "./limits.ts";

/** Records of one owner, an RRset of which is to be written. */
interface Source {
  readonly records: readonly ResourceRecord[];
  /** Written as the owner, for records made from a wildcard. */
  readonly owner?: Name;
  /** Written as the TTL, seconds. */
  readonly ttl?: number;
}

/** One answer being built from one version. */
export class Answering {
  /** DNAME records written: a chain may pass one twice, a message has it once. */
  readonly #dnames: ResourceRecord[] = [];
  readonly #room: AnswerRoom;

  /** @param maxOctets  what the message may take */
  constructor(
    readonly writer: MessageWriter,
    readonly version: ZoneVersion,
    readonly type: number,
    /** Whether signatures are wanted (RFC 4035 §3.1.1). */
    readonly dnssecOk: boolean,
    maxOctets: number,
  ) {
    this.#room = { octets: maxOctets, type };
  }

  /**
   * Answers for a name, following CNAME and DNAME records as far as the zone goes.
   *
   * Spec: RFC 1034 §3.6.2 (a loop is an error): a chain that comes back to a name it
   * met, or is longer than {@link MAX_CHAIN}, is SERVFAIL with what was found by then.
   *
   * @param isOurs  whether this zone is the one to answer for a name
   */
  answer(start: Name, isOurs: (name: Name) => boolean): void {
    let next = this.#step(start, true);
    if (!next) return;
    const met: Name[] = [start];
    while (next && isOurs(next)) {
      const name: Name = next;
      if (met.length > MAX_CHAIN || met.some((earlier) => equalNames(earlier, name))) {
        return this.writer.setRcode(RCODE.SERVFAIL);
      }
      met.push(name);
      next = this.#step(name, false);
    }
  }

  /** Writes what the zone has for a name; returns the name to go on with, if any. */
  #step(name: Name, isFirst: boolean): Name | undefined {
    const place = locate(this.version, name, this.type, this.#room);
    switch (place.kind) {
      case "owner":
        return this.#fromOwner(name, findAt(place, this.type));
      case "dname":
        return this.#substitute(name, place.records);
      case "cut":
        this.#refer(place.records, isFirst);
        return undefined;
      case "missing":
        this.writer.setRcode(RCODE.NXDOMAIN);
        this.#deny();
        return undefined;
      case "empty":
        this.#deny();
        return undefined;
    }
  }

  #fromOwner(name: Name, finding: Finding): Name | undefined {
    if (finding.answer === "nodata") {
      this.#deny();
      return undefined;
    }
    const source = { records: finding.records, owner: finding.wildcard ? name : undefined };
    if (finding.answer === "cname") {
      const written = this.#put(SECTION.ANSWER, TYPE.CNAME, source);
      return written ? ofType(finding.records, TYPE.CNAME)[0].rdata : undefined;
    }
    if (this.#put(SECTION.ANSWER, finding.type, source) && hasAdditional(finding.type)) {
      this.#addFor(ofType(finding.records, finding.type), name);
    }
    return undefined;
  }

  /** Writes an RRset whole, with its signatures if they are wanted, or sets TC. */
  #put(section: Section, type: number, { records, owner, ttl }: Source): boolean {
    let rrset = ofType(records, type);
    if (this.dnssecOk) rrset = [...rrset, ...signaturesOf(records, type)];
    if (this.writer.records(section, rrset, owner, ttl)) return true;
    this.writer.addFlags(FLAG.TC);
    return false;
  }

  /** Spec: RFC 2308 §3 and §5 (SOA in the authority section, TTL the least of its own and MINIMUM). */
  #deny(): void {
    const { soa } = this.version;
    const ttl = Math.min(soa.ttl, soaMinimum(soa));
    this.#put(SECTION.AUTHORITY, TYPE.SOA, {
      records: apexRecords(this.version, this.#room),
      ttl,
    });
  }

  /**
   * Writes a DNAME and a CNAME made from it.
   *
   * Spec: RFC 6672 §3.1 (the CNAME has the DNAME's TTL) and §2.2 (YXDOMAIN if the
   * name becomes too long). Asked for CNAME, the one made is the answer and is not
   * followed (RFC 1034 §4.3.2 step 3a: a CNAME is followed when QTYPE is another).
   */
  #substitute(name: Name, records: readonly ResourceRecord[]): Name | undefined {
    const [dname] = ofType(records, TYPE.DNAME);
    if (!this.#dnames.some(({ owner }) => equalNames(owner, dname.owner))) {
      if (!this.#put(SECTION.ANSWER, TYPE.DNAME, { records })) return undefined;
      this.#dnames.push(dname);
    }
    const kept = name.length - dname.owner.length;
    if (kept + dname.rdata.length > MAX_NAME_OCTETS) {
      this.writer.setRcode(RCODE.YXDOMAIN);
      return undefined;
    }
    const target = new Uint8Array(kept + dname.rdata.length);
    target.set(name.subarray(0, kept));
    target.set(dname.rdata, kept);
    const cname = { owner: name, type: TYPE.CNAME, ttl: dname.ttl, rdata: target };
    const written = this.#put(SECTION.ANSWER, TYPE.CNAME, { records: [cname] });
    return written && this.type !== TYPE.CNAME && this.type !== TYPE.ANY ? target : undefined;
  }

  /**
   * NS records of a cut, its DS if signatures are wanted and there, and the addresses the
   * zone has for the name servers.
   *
   * Spec: RFC 9471 §3.1 (addresses of name servers below the cut must be there, or
   * TC) and §3.2 (of others in the zone as fit); RFC 4035 §3.1.4 (DS); RFC 1034
   * §4.3.2 (a referral is not authoritative; after a CNAME the answer is, for the
   * name asked).
   */
  #refer(records: readonly ResourceRecord[], isFirst: boolean): void {
    if (isFirst) this.writer.clearFlags(FLAG.AA);
    if (!this.#put(SECTION.AUTHORITY, TYPE.NS, { records })) return;
    // Without a signature a DS proves nothing.
    const isSecure = this.dnssecOk && signaturesOf(records, TYPE.DS).length > 0;
    if (isSecure && !this.#put(SECTION.AUTHORITY, TYPE.DS, { records })) return;
    const ns = ofType(records, TYPE.NS);
    const cut = ns[0].owner;
    const below = ns.filter(({ rdata }) => isSubdomain(rdata, cut));
    for (const { rdata } of below) if (!this.#glue(rdata)) return this.writer.addFlags(FLAG.TC);
    for (const { rdata } of ns) {
      if (isSubdomain(rdata, cut) || !isSubdomain(rdata, this.version.apex)) continue;
      if (!this.#glue(rdata)) return;
      if (this.dnssecOk) this.#addSignatures(rdata);
    }
  }

  /** Adds the addresses the zone has at a name; false when they do not fit. */
  #glue(name: Name): boolean {
    const found = lookupOwner(this.version, name, this.#room);
    if (found.kind !== "found") return true;
    return [TYPE.A, TYPE.AAAA].every((type) =>
      this.writer.records(SECTION.ADDITIONAL, ofType(found.records, type))
    );
  }

  /** Adds the signatures of a name's addresses as far as they fit, unless it is below a cut. */
  #addSignatures(name: Name): void {
    const place = locate(this.version, name, TYPE.A, this.#room);
    if (place.kind !== "owner" || place.wildcard) return;
    for (const type of [TYPE.A, TYPE.AAAA]) {
      this.writer.records(SECTION.ADDITIONAL, signaturesOf(place.records, type));
    }
  }

  /** Adds what goes with an RRset of the answer, as far as it fits. */
  #addFor(rrset: readonly ResourceRecord[], owner: Name): void {
    for (
      const { name, records, types } of additionsFor(this.version, rrset, owner, this.#room)
    ) {
      for (const type of types) {
        if (!this.writer.records(SECTION.ADDITIONAL, ofType(records, type), name)) return;
        if (!this.dnssecOk) continue;
        if (!this.writer.records(SECTION.ADDITIONAL, signaturesOf(records, type), name)) return;
      }
    }
  }
}
