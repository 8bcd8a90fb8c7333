/**
 * A message written within a hard maximum, names compressed.
 *
 * What does not fit is rolled back to the last whole RRset; the message never
 * ends inside a record. Names are compressed against suffixes identical octet
 * for octet, so case is kept.
 *
 * Owns: one buffer and one table of names for all messages, since a message is
 * written in one go: a new writer ends the one before. Specs: RFC 1035 §4.1,
 * RFC 2181 §9 (TC), RFC 6891 §6.1.2 and §6.1.3 (OPT), RFC 3597 §4.
 */
import {
  CLASS_IN,
  MAX_NAME_OCTETS,
  type Name,
  rdataNames,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import { CLASS_ANY, FLAG, MAX_MESSAGE_OCTETS, MESSAGE_HEADER_OCTETS, OPTION } from "./codes.ts";
import type { EdnsOption } from "./opt_record.ts";
import { NameWriter } from "./name_writer.ts";
import type { Question } from "./record_reader.ts";
import type { TsigFields } from "./tsig_record.ts";

/** Octets of an OPT record without options. */
export const OPT_OCTETS = 11;

/** Where every message is built; with room for a name that turns out not to fit. */
const scratch = new Uint8Array(MAX_MESSAGE_OCTETS + MAX_NAME_OCTETS);
const names = new NameWriter();

/** Where in a message a record goes; the value is the offset of the section's count. */
export const SECTION = { ANSWER: 6, AUTHORITY: 8, ADDITIONAL: 10 } as const;
export type Section = typeof SECTION[keyof typeof SECTION];

/** What an OPT record of a response says. */
export interface ResponseEdns {
  /** The UDP payload size we take, octets. */
  readonly payloadOctets: number;
  readonly dnssecOk: boolean;
  /** In this order; none when undefined. */
  readonly options?: readonly EdnsOption[];
  /** How the message is padded; undefined: not. */
  readonly padding?: Padding;
}

/** An option at the end of the OPT record that hides a message's length (RFC 7830). */
export interface Padding {
  /** The message is filled to a multiple of so many octets, as far as its maximum allows. */
  readonly blockOctets: number;
  /** Octets of it that follow the OPT record: its signature. */
  readonly behindOctets: number;
}

/** Octets of an OPT record. */
function optOctets({ options = [], padding }: ResponseEdns): number {
  let octets = OPT_OCTETS + (padding ? 4 : 0);
  for (const option of options) octets += 4 + option.octets.length;
  return octets;
}

/** Thrown and caught inside: the record being written does not fit. */
class Overflow extends Error {}
const OVERFLOW = new Overflow();

/** Writes one message. Sections must be filled in their order; one writer at a time. */
export class MessageWriter {
  readonly #buffer = scratch;
  #limit: number;
  #at = MESSAGE_HEADER_OCTETS;
  /** The extended part of the RCODE, for the OPT record. */
  #extendedRcode = 0;
  /** Of the records to come: the question's, IN where that is ANY. */
  #class = CLASS_IN;

  /**
   * @param maxOctets  hard maximum of the message, OPT included
   * @param edns  what the OPT record will say, its place kept free; undefined for none
   */
  constructor(maxOctets: number, readonly edns?: ResponseEdns) {
    this.#limit = Math.min(maxOctets, MAX_MESSAGE_OCTETS) - (edns ? optOctets(edns) : 0);
    scratch.fill(0, 0, MESSAGE_HEADER_OCTETS);
    names.reset();
  }

  /** Octets written, without the OPT record to come. */
  get octets(): number {
    return this.#at;
  }

  /** The header's first two words; an RCODE above 15 needs an OPT record to travel whole. */
  header(id: number, flags: number, rcode = 0): void {
    this.#put16(0, id);
    this.#put16(2, flags | rcode & 0xf);
    this.#extendedRcode = rcode >> 4;
  }

  /** Adds {@link FLAG} bits to the header. */
  addFlags(flags: number): void {
    this.#put16(2, (this.#buffer[2] << 8 | this.#buffer[3]) | flags);
  }

  /** Takes {@link FLAG} bits from the header. */
  clearFlags(flags: number): void {
    this.#put16(2, (this.#buffer[2] << 8 | this.#buffer[3]) & ~flags);
  }

  /** Sets the RCODE, 0 to 15, in the header written before. */
  setRcode(rcode: number): void {
    this.#buffer[3] = this.#buffer[3] & 0xf0 | rcode;
  }

  /** The question; name as given, so that its case goes back as it came. */
  question(question: Question): void {
    const { name } = question;
    this.#need(name.length + 4);
    this.#name(name);
    this.#put16(this.#at, question.type);
    this.#put16(this.#at + 2, question.class);
    if (question.class !== CLASS_ANY) this.#class = question.class;
    this.#at += 4;
    this.#put16(4, 1);
  }

  /**
   * Writes records, all of them or none.
   *
   * @param owner  replaces each record's owner, for synthesized records (RFC 4592 §3.3.3)
   * @param ttl  replaces each record's TTL, seconds
   * @returns false when they do not fit: nothing is written, TC is for the caller to set
   */
  records(
    section: Section,
    records: Iterable<ResourceRecord>,
    owner?: Name,
    ttl?: number,
  ): boolean {
    const at = this.#at;
    const mark = names.mark();
    let count = 0;
    try {
      for (const record of records) {
        const { type, rdata } = record;
        this.#record(owner ?? record.owner, type, ttl ?? record.ttl, rdata, this.#class);
        count++;
      }
    } catch (error) {
      if (error !== OVERFLOW) throw error;
      this.#at = at;
      names.rollback(mark);
      return false;
    }
    this.#put16(section, (this.#buffer[section] << 8 | this.#buffer[section + 1]) + count);
    return true;
  }

  /** Writes one record; as {@link records}. */
  record(section: Section, record: ResourceRecord, owner?: Name, ttl?: number): boolean {
    return this.records(section, [record], owner, ttl);
  }

  /**
   * The message whole, its OPT record written: a fresh buffer.
   *
   * @param unsigned  answers a TSIG record whose key we do not have: an unsigned one
   *   with this error ends the message (RFC 8945 §5.2.1)
   */
  finish(unsigned?: { tsig: TsigFields; error: number }): Uint8Array {
    if (this.edns) this.#opt(this.edns);
    if (unsigned) this.#unsignedTsig(unsigned.tsig, unsigned.error);
    return scratch.slice(0, this.#at);
  }

  #opt(edns: ResponseEdns): void {
    const octets = optOctets(edns);
    this.#limit += octets;
    const at = this.#at;
    this.#buffer[at] = 0;
    this.#put16(at + 1, TYPE.OPT);
    this.#put16(at + 3, edns.payloadOctets);
    this.#buffer[at + 5] = this.#extendedRcode;
    this.#buffer[at + 6] = 0; // version
    this.#put16(at + 7, edns.dnssecOk ? 0x8000 : 0);
    this.#put16(at + 9, octets - OPT_OCTETS);
    this.#at = at + OPT_OCTETS;
    for (const { code, octets } of edns.options ?? []) {
      this.#put16(this.#at, code);
      this.#put16(this.#at + 2, octets.length);
      this.#buffer.set(octets, this.#at + 4);
      this.#at += 4 + octets.length;
    }
    if (edns.padding) this.#padding(edns.padding, at);
    this.#countAdditional();
  }

  /** @param optAt  where the OPT record begins, whose length this adds to */
  #padding({ blockOctets, behindOctets }: Padding, optAt: number): void {
    const end = this.#at + 4;
    const missing = (blockOctets - (end + behindOctets) % blockOctets) % blockOctets;
    const octets = Math.min(missing, this.#limit - end);
    this.#put16(this.#at, OPTION.PADDING);
    this.#put16(this.#at + 2, octets);
    this.#buffer.fill(0, end, end + octets);
    this.#at = end + octets;
    this.#put16(optAt + 9, this.#at - optAt - OPT_OCTETS);
  }

  #unsignedTsig(tsig: TsigFields, error: number): void {
    const { keyName, algorithm } = tsig;
    const rdataOctets = algorithm.length + 16;
    const whole = keyName.length + 10 + rdataOctets;
    if (this.#at + whole > this.#limit) {
      this.addFlags(FLAG.TC);
      return;
    }
    this.#buffer.set(keyName, this.#at);
    let at = this.#at + keyName.length;
    at = this.#fixed(at, TYPE.TSIG, CLASS_ANY, 0, rdataOctets);
    this.#buffer.set(algorithm, at);
    at += algorithm.length;
    this.#buffer.set(tsig.timeSigned, at);
    this.#put16(at + 6, tsig.fudge);
    this.#put16(at + 8, 0); // no MAC
    this.#put16(at + 10, tsig.originalId);
    this.#put16(at + 12, error);
    this.#put16(at + 14, 0);
    this.#at = at + 16;
    this.#countAdditional();
  }

  #countAdditional(): void {
    const at = SECTION.ADDITIONAL;
    this.#put16(at, (this.#buffer[at] << 8 | this.#buffer[at + 1]) + 1);
  }

  #record(owner: Name, type: number, ttl: number, rdata: Uint8Array, cls: number): void {
    this.#name(owner);
    this.#need(10);
    const rdataAt = this.#fixed(this.#at, type, cls, ttl, rdata.length);
    this.#at = rdataAt;
    let read = 0;
    for (const { at, length, compressible } of rdataNames(type, rdata)) {
      if (!compressible) continue;
      this.#copy(rdata, read, at);
      read = at + length;
      this.#name(rdata.subarray(at, read));
    }
    this.#copy(rdata, read, rdata.length);
    // Not compressed itself (RFC 6672 §2.5), but the CNAME made from it ends in it.
    if (type === TYPE.DNAME) names.remember(this.#buffer, 0, rdataAt, rdata);
    this.#put16(rdataAt - 2, this.#at - rdataAt);
  }

  #copy(octets: Uint8Array, from: number, to: number): void {
    this.#need(to - from);
    for (let i = from; i < to; i++) this.#buffer[this.#at++] = octets[i];
  }

  /** Type, class, TTL, RDLENGTH; returns the offset behind them. The room must be there. */
  #fixed(at: number, type: number, cls: number, ttl: number, rdataOctets: number): number {
    this.#put16(at, type);
    this.#put16(at + 2, cls);
    this.#put16(at + 4, ttl >>> 16);
    this.#put16(at + 6, ttl & 0xffff);
    this.#put16(at + 8, rdataOctets);
    return at + 10;
  }

  /** A name, its longest suffix that already stands in the message replaced by a pointer. */
  #name(name: Name): void {
    const next = names.write(this.#buffer, 0, this.#at, name);
    if (next > this.#limit) throw OVERFLOW;
    this.#at = next;
  }

  #need(octets: number): void {
    if (this.#at + octets > this.#limit) throw OVERFLOW;
  }

  #put16(at: number, value: number): void {
    this.#buffer[at] = value >> 8;
    this.#buffer[at + 1] = value;
  }
}

/**
 * The twelve octets that answer a message of which nothing but the header is
 * understood: ID, opcode, RD and CD echoed, no section.
 */
export function headerOnly(id: number, flags: number, rcode: number): Uint8Array {
  const out = new Uint8Array(MESSAGE_HEADER_OCTETS);
  const echoed = flags & (0x7800 | FLAG.RD | FLAG.CD) | FLAG.QR | rcode;
  out[0] = id >> 8;
  out[1] = id;
  out[2] = echoed >> 8;
  out[3] = echoed;
  return out;
}
