/**
 * What strangers send: a query, read within bounds.
 *
 * One pass, linear in the message's length; nothing is decoded that no answer
 * needs. Pure. Specs: RFC 1035 §4.1, RFC 1995 §3 (SOA in an IXFR query), RFC 6891
 * §6.1 (OPT), RFC 8945 §4.2 (TSIG record).
 */
import { type Serial, TYPE } from "../dns/mod.ts";
import { FLAG, MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { type Edns, readOpt } from "./opt_record.ts";
import {
  MIN_QUESTION_OCTETS,
  MIN_RECORD_OCTETS,
  type Question,
  readQuestion,
  readSoaSerial,
  RecordReader,
  uint16,
} from "./record_reader.ts";
import { readTsig, type TsigFields } from "./tsig_record.ts";
import { WireError } from "./wire_error.ts";

/** The fixed part of a message. */
export interface Header {
  readonly id: number;
  /** The second 16-bit word: {@link FLAG} bits, opcode, RCODE. */
  readonly flags: number;
}

/** A query with one question. Names and octets may be views of the message. */
export interface Query extends Header {
  readonly question: Question;
  readonly edns: Edns | undefined;
  readonly tsig: TsigFields | undefined;
  /** SERIAL of the SOA record in an IXFR query's authority section. */
  readonly ixfrSerial: Serial | undefined;
}

/** The header of a message, or undefined when it is too short to have one. */
export function readHeader(message: Uint8Array): Header | undefined {
  if (message.length < MESSAGE_HEADER_OCTETS) return undefined;
  return { id: uint16(message, 0), flags: uint16(message, 2) };
}

/** Whether a header's message is a response. */
export function isResponse(header: Header): boolean {
  return (header.flags & FLAG.QR) !== 0;
}

/**
 * Reads a message of opcode QUERY.
 *
 * @param message  the whole message; results may be views of it
 * @throws {WireError} the message breaks the wire format; its `rcode` is the answer
 */
export function parseQuery(message: Uint8Array): Query {
  const header = readHeader(message);
  if (!header) throw new WireError("wire-cut", "the header is cut off", message.length);
  const questions = uint16(message, 4);
  const answers = uint16(message, 6);
  const authorities = uint16(message, 8);
  const additionals = uint16(message, 10);
  // Counts no message of this length can have are refused before any loop runs by them.
  const least = MESSAGE_HEADER_OCTETS + questions * MIN_QUESTION_OCTETS +
    (answers + authorities + additionals) * MIN_RECORD_OCTETS;
  if (least > message.length) {
    throw new WireError("wire-counts", "the counts promise more than the message holds", 4);
  }
  if (questions !== 1) {
    throw new WireError("wire-question-count", `it has ${questions} questions, not 1`, 4);
  }
  const { question, next } = readQuestion(message);
  const reader = new RecordReader(message, next);
  for (let i = 0; i < answers; i++) {
    reader.next();
    refuseTsig(reader);
  }
  const ixfrSerial = readAuthority(reader, authorities, question);
  const { edns, tsig } = readAdditional(reader, additionals);
  if (reader.at !== message.length) {
    throw new WireError("wire-trailing", "octets follow the last record", reader.at);
  }
  return { id: header.id, flags: header.flags, question, edns, tsig, ixfrSerial };
}

/**
 * The EDNS of a message of opcode QUERY that has nothing but an additional
 * section; undefined when it is not that, or malformed.
 *
 * Spec: RFC 7873 §5.4 (a message without a question may ask for a cookie).
 */
export function readQuestionless(
  message: Uint8Array,
): (Header & { readonly edns: Edns | undefined }) | undefined {
  const header = readHeader(message);
  if (!header || [4, 6, 8].some((at) => uint16(message, at) !== 0)) return undefined;
  const additionals = uint16(message, 10);
  if (MESSAGE_HEADER_OCTETS + additionals * MIN_RECORD_OCTETS > message.length) return undefined;
  const reader = new RecordReader(message, MESSAGE_HEADER_OCTETS);
  try {
    const { edns, tsig } = readAdditional(reader, additionals);
    return reader.at === message.length && !tsig ? { ...header, edns } : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/**
 * Steps over the authority section; returns the client's serial if this is an IXFR query.
 *
 * Spec: RFC 1995 §3 (the authority section holds the SOA record of the client's version).
 */
function readAuthority(
  reader: RecordReader,
  count: number,
  question: Question,
): Serial | undefined {
  let serial: Serial | undefined;
  for (let i = 0; i < count; i++) {
    reader.next();
    refuseTsig(reader);
    if (question.type !== TYPE.IXFR || reader.type !== TYPE.SOA || serial !== undefined) continue;
    serial = readSoaSerial(reader);
  }
  if (question.type === TYPE.IXFR && serial === undefined) {
    throw new WireError("wire-ixfr-soa", "an IXFR query has no SOA record", reader.at);
  }
  return serial;
}

/** Spec: RFC 8945 §5.1 (TSIG is the last record of the additional section, or FORMERR). */
function refuseTsig(reader: RecordReader): void {
  if (reader.type !== TYPE.TSIG) return;
  throw new WireError("wire-tsig", "a TSIG record is not the last", reader.start);
}

/** Spec: RFC 6891 §6.1.1 (at most one OPT), RFC 8945 §5.1 (TSIG stands last). */
function readAdditional(
  reader: RecordReader,
  count: number,
): { edns: Edns | undefined; tsig: TsigFields | undefined } {
  let edns: Edns | undefined;
  let tsig: TsigFields | undefined;
  for (let i = 0; i < count; i++) {
    reader.next();
    if (reader.type === TYPE.OPT) {
      if (edns) throw new WireError("wire-opt", "there is a second OPT record", reader.start);
      edns = readOpt(reader);
    } else if (reader.type === TYPE.TSIG) {
      if (i !== count - 1) {
        throw new WireError("wire-tsig", "a TSIG record is not the last", reader.start);
      }
      tsig = readTsig(reader);
    }
  }
  return { edns, tsig };
}
