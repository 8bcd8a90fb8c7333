/**
 * The parts of a received message: its question, its records one after another.
 *
 * Bounded by the message; nothing is decoded that is not asked for. Pure but for a
 * reader's place. Spec: RFC 1035 §4.1.
 */
import type { Name, Serial } from "../dns/mod.ts";
import { MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { readName } from "./name_reader.ts";
import { WireError } from "./wire_error.ts";

export interface Question {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/** Octets of the shortest question: root name, type, class. */
export const MIN_QUESTION_OCTETS = 5;
/** Octets of the shortest record: root name, type, class, TTL, RDLENGTH. */
export const MIN_RECORD_OCTETS = 11;

/** The number in two octets, the high one first. */
export function uint16(octets: Uint8Array, at: number): number {
  return octets[at] << 8 | octets[at + 1];
}

/**
 * A question of a message, and the offset behind it.
 *
 * @param at  offset of the question; default: the first one's
 * @throws {WireError} it is cut off or its name broken
 */
export function readQuestion(
  message: Uint8Array,
  at = MESSAGE_HEADER_OCTETS,
): { question: Question; next: number } {
  const { name, next } = readName(message, at, message.length);
  if (next + 4 > message.length) throw new WireError("wire-cut", "the question is cut off", next);
  const question = { name, type: uint16(message, next), class: uint16(message, next + 2) };
  return { question, next: next + 4 };
}

/**
 * The offset behind the question at an offset.
 *
 * @throws {WireError} it is cut off or its name broken
 */
export function readQuestionEnd(message: Uint8Array, at: number): number {
  const next = readName(message, at, message.length).next + 4;
  if (next > message.length) throw new WireError("wire-cut", "the question is cut off", at);
  return next;
}

/** Steps over records, one at a time; its fields describe the record last stepped over. */
export class RecordReader {
  type = 0;
  class = 0;
  ttl = 0;
  /** Offset of the record. */
  start = 0;
  rdataAt = 0;
  owner: Name = new Uint8Array(0);

  /** @param at  offset of the next record */
  constructor(readonly message: Uint8Array, public at: number) {}

  /** @throws {WireError} the record is cut off or its owner broken */
  next(): void {
    const { message } = this;
    this.start = this.at;
    const { name, next } = readName(message, this.at, message.length);
    if (next + 10 > message.length) throw this.cut();
    this.owner = name;
    this.type = uint16(message, next);
    this.class = uint16(message, next + 2);
    this.ttl = (uint16(message, next + 4) << 16 | uint16(message, next + 6)) >>> 0;
    this.rdataAt = next + 10;
    this.at = this.rdataAt + uint16(message, next + 8);
    if (this.at > message.length) throw this.cut();
  }

  cut(): WireError {
    return new WireError("wire-cut", "a record is cut off", this.start);
  }
}

/**
 * SERIAL of the SOA record a reader has stepped over.
 *
 * @throws {WireError} its RDATA is malformed
 */
export function readSoaSerial(reader: RecordReader): Serial {
  const { message, rdataAt, at: end } = reader;
  const mname = readName(message, rdataAt, end);
  const rname = readName(message, mname.next, end);
  if (rname.next + 20 !== end) {
    throw new WireError("wire-soa", "an SOA record has the wrong length", rdataAt);
  }
  return (uint16(message, rname.next) << 16 | uint16(message, rname.next + 2)) >>> 0;
}
