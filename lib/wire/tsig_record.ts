/**
 * The TSIG record in a message: read, found and written.
 *
 * Pure. Spec: RFC 8945 §4.2 (its fields), §5.1 (it stands last).
 */
import { type Name, TYPE } from "../dns/mod.ts";
import { CLASS_ANY, MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { readName } from "./name_reader.ts";
import {
  MIN_QUESTION_OCTETS,
  MIN_RECORD_OCTETS,
  readQuestionEnd,
  RecordReader,
  uint16,
} from "./record_reader.ts";
import { WireError } from "./wire_error.ts";

/** What a TSIG record says, unverified. Octets may be views of the message. */
export interface TsigFields {
  readonly keyName: Name;
  readonly algorithm: Name;
  /** 48 bits of seconds since the epoch, as sent. */
  readonly timeSigned: Uint8Array;
  /** Seconds. */
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  /** RCODE or TSIG error. */
  readonly error: number;
  /** In an answer to BADTIME: the server's time, as {@link timeSigned}. */
  readonly other: Uint8Array;
  /** Offset of the record in the message. */
  readonly offset: number;
}

/** Octets of the record's RDATA beside algorithm name, MAC and other data. */
const FIXED_RDATA_OCTETS = 16;
/** Octets of a record between owner and RDATA. */
const FIXED_RECORD_OCTETS = 10;

/** Octets a TSIG record takes. */
export function tsigOctets(keyName: Name, algorithm: Name, mac: number, other: number): number {
  return keyName.length + FIXED_RECORD_OCTETS + algorithm.length + FIXED_RDATA_OCTETS + mac + other;
}

/**
 * The TSIG record a reader has just stepped over.
 *
 * @throws {WireError} "wire-tsig": its class or lengths are wrong
 */
export function readTsig(reader: RecordReader): TsigFields {
  const { message, at: end, start } = reader;
  const algorithm = readName(message, reader.rdataAt, end);
  const at = algorithm.next;
  // Time (6), fudge (2), MAC size (2), MAC, original ID (2), error (2), other length (2), other.
  const macAt = at + 10;
  const macEnd = macAt <= end ? macAt + uint16(message, at + 8) : Infinity;
  if (
    reader.class !== CLASS_ANY || reader.ttl !== 0 || macEnd + 6 > end ||
    macEnd + 6 + uint16(message, macEnd + 4) !== end
  ) {
    throw new WireError("wire-tsig", "a TSIG record is malformed", start);
  }
  return {
    keyName: reader.owner,
    algorithm: algorithm.name,
    timeSigned: message.subarray(at, at + 6),
    fudge: uint16(message, at + 6),
    mac: message.subarray(macAt, macEnd),
    originalId: uint16(message, macEnd),
    error: uint16(message, macEnd + 2),
    other: message.subarray(macEnd + 6, end),
    offset: start,
  };
}

/**
 * The TSIG record that ends a whole message; undefined when it has none.
 *
 * @throws {WireError} the message breaks the wire format, or a TSIG record stands
 *   elsewhere than last
 */
export function findTsig(message: Uint8Array): TsigFields | undefined {
  if (message.length < MESSAGE_HEADER_OCTETS) {
    throw new WireError("wire-cut", "the header is cut off", message.length);
  }
  const questions = uint16(message, 4);
  const records = uint16(message, 6) + uint16(message, 8) + uint16(message, 10);
  const least = questions * MIN_QUESTION_OCTETS + records * MIN_RECORD_OCTETS;
  if (MESSAGE_HEADER_OCTETS + least > message.length) {
    throw new WireError("wire-counts", "the counts promise more than the message holds", 4);
  }
  let at = MESSAGE_HEADER_OCTETS;
  for (let i = 0; i < questions; i++) at = readQuestionEnd(message, at);
  const reader = new RecordReader(message, at);
  for (let i = 1; i <= records; i++) {
    reader.next();
    if (reader.type !== TYPE.TSIG) continue;
    if (i !== records || uint16(message, 10) === 0) {
      throw new WireError("wire-tsig", "a TSIG record is not the last", reader.start);
    }
    if (reader.at !== message.length) {
      throw new WireError("wire-tsig", "octets stand behind a TSIG record", reader.at);
    }
    return readTsig(reader);
  }
  return undefined;
}

/** A TSIG record as it ends a message; names uncompressed. */
export function writeTsig(fields: Omit<TsigFields, "offset">): Uint8Array {
  const { keyName, algorithm, mac, other } = fields;
  const out = new Uint8Array(tsigOctets(keyName, algorithm, mac.length, other.length));
  let at = 0;
  const put = (octets: Uint8Array) => {
    out.set(octets, at);
    at += octets.length;
  };
  const put16 = (value: number) => {
    out[at++] = value >> 8;
    out[at++] = value;
  };
  put(keyName);
  put16(TYPE.TSIG);
  put16(CLASS_ANY);
  put16(0);
  put16(0);
  put16(algorithm.length + FIXED_RDATA_OCTETS + mac.length + other.length);
  put(algorithm);
  put(fields.timeSigned);
  put16(fields.fudge);
  put16(mac.length);
  put(mac);
  put16(fields.originalId);
  put16(fields.error);
  put16(other.length);
  put(other);
  return out;
}
