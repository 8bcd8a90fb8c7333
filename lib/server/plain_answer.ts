/**
 * The short way to an ordinary answer: written where its question stands, nothing allocated.
 *
 * Takes what most questions are: the SOA of a zone, an address or a text that is there, without
 * EDNS or with an OPT record that has no options. All else goes the long way (`respond.ts`),
 * whose answers these are, octet for octet. Specs: as `answer.ts`.
 *
 * Owns: the key and the RRset of the question it had last; the SOA records of versions as they
 * are written, as long as the versions live.
 */
import { CLASS_IN, type Name, NameKey, TYPE } from "../dns/mod.ts";
import {
  FLAG,
  MAX_UDP_OCTETS,
  MESSAGE_HEADER_OCTETS,
  MessageWriter,
  MIN_UDP_OCTETS,
  OPT_OCTETS,
  SECTION,
} from "../wire/mod.ts";
import { RrsetPlace, type ZoneTable, type ZoneVersion } from "../zone/mod.ts";

/** Types of which the RRset alone is the answer, and has no names in it. */
const TYPES: ReadonlySet<number> = new Set([TYPE.A, TYPE.AAAA, TYPE.TXT]);

/** Octets behind a question's name: type and class. */
const QUESTION_OCTETS = 4;
/** Octets of a pointer. */
const POINTER_OCTETS = 2;

/** SOA records as they stand behind a question for them. */
const soaRecords = new WeakMap<ZoneVersion, Uint8Array>();

export class PlainAnswers {
  readonly #zones: ZoneTable;
  readonly #udpOctets: number;
  readonly #key = new NameKey();
  readonly #rrset = new RrsetPlace();
  /** Of the question answered last: where it ends. */
  #end = 0;
  /** Whether it has an OPT record. */
  #hasOpt = false;
  /** The apex of the zone it was answered from, and its type. */
  apex: Name | undefined;
  type = 0;

  /** @param udpOctets  the longest answer, and the longest message taken, octets */
  constructor(zones: ZoneTable, udpOctets = MAX_UDP_OCTETS) {
    this.#zones = zones;
    this.#udpOctets = udpOctets;
  }

  /**
   * Answers a question that came over UDP, in its place.
   *
   * @param octets  begins with the message; the answer may take all of it
   * @param length  octets of the message
   * @returns octets of the answer; 0: the question is not an ordinary one, and stands unchanged
   * @throws {PageError} a page is damaged; the question stands unchanged
   */
  answer(octets: Uint8Array, length: number): number {
    const end = this.#readQuestion(octets, length);
    if (end === 0) return 0;
    const version = this.#zones.closestTo(this.#key);
    if (!version) return 0;
    this.apex = version.apex; // no more of it: versions go when they are replaced
    const payload = this.#hasOpt ? octets[end + 3] << 8 | octets[end + 4] : 0;
    const most = Math.min(Math.max(payload, MIN_UDP_OCTETS), this.#udpOctets, octets.length) -
      (this.#hasOpt ? OPT_OCTETS : 0);
    const at = this.#key.length === version.apexKey.length
      ? this.#putSoa(octets, version, end, most)
      : this.#putRrset(octets, version, end, most);
    return at === 0 ? 0 : this.#finish(octets, at, FLAG.AA >> 8);
  }

  /** Makes of the answer given last one that says no more than "ask over TCP"; returns its octets. */
  truncate(octets: Uint8Array): number {
    octets[SECTION.ANSWER] = octets[SECTION.ANSWER + 1] = 0;
    return this.#finish(octets, this.#end, FLAG.TC >> 8);
  }

  /** Where an ordinary question ends; 0 when it is none. */
  #readQuestion(octets: Uint8Array, length: number): number {
    if (length < MESSAGE_HEADER_OCTETS || !hasOneQuestion(octets)) return 0;
    const nameEnd = this.#key.read(octets, MESSAGE_HEADER_OCTETS);
    const end = nameEnd + QUESTION_OCTETS;
    if (nameEnd < 0 || end > length) return 0;
    this.type = octets[nameEnd] << 8 | octets[nameEnd + 1];
    if ((octets[nameEnd + 2] << 8 | octets[nameEnd + 3]) !== CLASS_IN) return 0;
    this.#end = end;
    this.#hasOpt = octets[SECTION.ADDITIONAL + 1] === 1;
    if (!this.#hasOpt) return end === length ? end : 0;
    return end + OPT_OCTETS === length && isPlainOpt(octets, end) ? end : 0;
  }

  /** Writes the SOA record behind the question; returns where it ends, 0 when that cannot be. */
  #putSoa(octets: Uint8Array, version: ZoneVersion, end: number, most: number): number {
    if (this.type !== TYPE.SOA || !isName(octets, version)) return 0;
    let record = soaRecords.get(version);
    if (!record) soaRecords.set(version, record = writeSoa(version));
    if (end + record.length > most) return 0;
    octets.set(record, end);
    octets[SECTION.ANSWER + 1] = 1;
    return end + record.length;
  }

  /** As {@link #putSoa}: the records of an RRset, each with a pointer to the question's name. */
  #putRrset(octets: Uint8Array, version: ZoneVersion, end: number, most: number): number {
    const rrset = this.#rrset;
    if (!TYPES.has(this.type)) return 0;
    if (!rrset.find(version, this.#key, octets, MESSAGE_HEADER_OCTETS, this.type)) return 0;
    let whole = end;
    for (let i = 0; i < rrset.count; i++) whole += POINTER_OCTETS + rrset.octets[i];
    if (whole > most) return 0;
    let at = end;
    for (let i = 0; i < rrset.count; i++) {
      octets[at++] = 0xc0;
      octets[at++] = MESSAGE_HEADER_OCTETS;
      const from = rrset.at[i];
      for (let j = from; j < from + rrset.octets[i]; j++) octets[at++] = rrset.block[j];
    }
    octets[SECTION.ANSWER + 1] = rrset.count;
    return at;
  }

  /** Writes the flags, and the OPT record where one was sent; returns the octets of the whole. */
  #finish(octets: Uint8Array, at: number, flags: number): number {
    octets[2] = FLAG.QR >> 8 | flags | octets[2] & FLAG.RD >> 8;
    octets[3] &= FLAG.CD;
    if (!this.#hasOpt) return at;
    octets.fill(0, at, at + OPT_OCTETS);
    octets[at + 2] = TYPE.OPT;
    octets[at + 3] = this.#udpOctets >> 8;
    octets[at + 4] = this.#udpOctets;
    return at + OPT_OCTETS;
  }
}

/** Whether a header is that of a query with one question and at most one additional record. */
function hasOneQuestion(octets: Uint8Array): boolean {
  return (octets[2] & 0xf8) === 0 && // neither a response nor another opcode
    octets[4] === 0 && octets[5] === 1 &&
    (octets[6] | octets[7] | octets[8] | octets[9] | octets[10]) === 0 && octets[11] <= 1;
}

/** Whether an OPT record of version 0 stands there, without DO and options (RFC 6891 §6.1.2). */
function isPlainOpt(octets: Uint8Array, at: number): boolean {
  return octets[at] === 0 && octets[at + 1] === 0 && octets[at + 2] === TYPE.OPT &&
    octets[at + 6] === 0 && (octets[at + 7] & 0x80) === 0 &&
    (octets[at + 9] | octets[at + 10]) === 0;
}

/** Whether the question's name is a version's apex, octet for octet. */
function isName(octets: Uint8Array, { apex }: ZoneVersion): boolean {
  for (let i = 0; i < apex.length; i++) {
    if (octets[MESSAGE_HEADER_OCTETS + i] !== apex[i]) return false;
  }
  return true;
}

function writeSoa({ apex, soa }: ZoneVersion): Uint8Array {
  const writer = new MessageWriter(MAX_UDP_OCTETS);
  writer.question({ name: apex, type: TYPE.SOA, class: CLASS_IN });
  const from = writer.octets;
  writer.record(SECTION.ANSWER, soa);
  return writer.finish().subarray(from);
}
