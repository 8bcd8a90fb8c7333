/**
 * What a server answers, read within bounds, whole: question, records, signature.
 *
 * Linear in the message's length. Pure. Specs: RFC 1035 §4.1, RFC 6891 §6.1.3 (the RCODE's
 * upper bits), RFC 8945 §5.1 (TSIG stands last).
 */
import { CLASS_IN, decompressRdata, type ResourceRecord, TYPE } from "../dns/mod.ts";
import { FLAG, MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { type Header, isResponse, readHeader } from "./message.ts";
import {
  MIN_QUESTION_OCTETS,
  MIN_RECORD_OCTETS,
  type Question,
  readQuestion,
  RecordReader,
  uint16,
} from "./record_reader.ts";
import { readTsig, type TsigFields } from "./tsig_record.ts";
import { WireError } from "./wire_error.ts";

/** A response; names and RDATA are uncompressed, and may be views of the message. */
export interface Response extends Header {
  /** With the upper bits of an OPT record, where there is one. */
  readonly rcode: number;
  /** Undefined when it has none, as later messages of a transfer, and some errors. */
  readonly question: Question | undefined;
  readonly answer: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  /** Without OPT and TSIG. */
  readonly additional: readonly ResourceRecord[];
  readonly tsig: TsigFields | undefined;
}

/** Whether a response says that its server has the zone by right, not from somewhere. */
export function isAuthoritative({ flags }: Header): boolean {
  return (flags & FLAG.AA) !== 0;
}

/** Whether a response is cut short: it is to be asked for again over TCP. */
export function isTruncated({ flags }: Header): boolean {
  return (flags & FLAG.TC) !== 0;
}

/**
 * The response in a message, or undefined when it is none: too short, or a request.
 *
 * Records of a class other than IN are stepped over.
 *
 * @throws {WireError} it breaks the wire format
 * @throws {RdataError} a record's RDATA does not fit its type
 */
export function readResponse(message: Uint8Array): Response | undefined {
  const header = readHeader(message);
  if (!header || !isResponse(header)) return undefined;
  const questions = uint16(message, 4);
  const counts = [uint16(message, 6), uint16(message, 8), uint16(message, 10)];
  const records = counts[0] + counts[1] + counts[2];
  // Counts no message of this length can have are refused before any loop runs by them.
  const least = questions * MIN_QUESTION_OCTETS + records * MIN_RECORD_OCTETS;
  if (MESSAGE_HEADER_OCTETS + least > message.length) {
    throw new WireError("wire-counts", "the counts promise more than the message holds", 4);
  }
  if (questions > 1) {
    throw new WireError("wire-question-count", `it has ${questions} questions`, 4);
  }
  const asked = questions === 1 ? readQuestion(message) : undefined;
  const reader = new RecordReader(message, asked?.next ?? MESSAGE_HEADER_OCTETS);
  const answer = readSection(reader, counts[0]);
  const authority = readSection(reader, counts[1]);
  const { records: additional, rcodeBits, tsig } = readAdditional(reader, counts[2]);
  return {
    id: header.id,
    flags: header.flags,
    rcode: header.flags & 0xf | rcodeBits << 4,
    question: asked?.question,
    answer,
    authority,
    additional,
    tsig,
  };
}

function readSection(reader: RecordReader, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count; i++) {
    reader.next();
    if (reader.type === TYPE.TSIG) {
      throw new WireError("wire-tsig", "a TSIG record is not the last", reader.start);
    }
    if (reader.class === CLASS_IN) records.push(recordOf(reader));
  }
  return records;
}

function readAdditional(reader: RecordReader, count: number) {
  const records: ResourceRecord[] = [];
  let rcodeBits = 0;
  let tsig: TsigFields | undefined;
  for (let i = 0; i < count; i++) {
    reader.next();
    if (reader.type === TYPE.OPT) rcodeBits = reader.ttl >>> 24;
    else if (reader.type === TYPE.TSIG) {
      if (i !== count - 1) {
        throw new WireError("wire-tsig", "a TSIG record is not the last", reader.start);
      }
      tsig = readTsig(reader);
    } else if (reader.class === CLASS_IN) records.push(recordOf(reader));
  }
  return { records, rcodeBits, tsig };
}

function recordOf(reader: RecordReader): ResourceRecord {
  const { message, type, rdataAt, at } = reader;
  return {
    owner: reader.owner,
    type,
    ttl: reader.ttl,
    rdata: decompressRdata(type, message, rdataAt, at - rdataAt),
  };
}
