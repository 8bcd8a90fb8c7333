/**
 * What a server answers when it is asked for a zone's SOA, read within bounds.
 *
 * Pure. Spec: RFC 1035 §4.1. Reads the header, the question and the answer
 * section; what follows may be cut off or broken.
 */
import { equalNames, type Serial, TYPE } from "../dns/mod.ts";
import { MESSAGE_HEADER_OCTETS, OPCODE, opcodeOf } from "./codes.ts";
import { isResponse, readHeader } from "./message.ts";
import {
  MIN_QUESTION_OCTETS,
  MIN_RECORD_OCTETS,
  type Question,
  readQuestion,
  readSoaSerial,
  RecordReader,
  uint16,
} from "./record_reader.ts";
import { WireError } from "./wire_error.ts";

/** A response to a query. */
export interface SoaResponse {
  readonly id: number;
  readonly rcode: number;
  /** Undefined when the response is a bare header, as some send with an error. */
  readonly question: Question | undefined;
  /** SERIAL of the first SOA record in the answer that the question's name owns. */
  readonly serial: Serial | undefined;
}

/**
 * The response in a message, or undefined when it is none: too short, not a
 * response to a query, or malformed. Anybody can send us anything.
 */
export function readSoaResponse(message: Uint8Array): SoaResponse | undefined {
  const header = readHeader(message);
  if (!header || !isResponse(header) || opcodeOf(header.flags) !== OPCODE.QUERY) return undefined;
  const { id, flags } = header;
  const rcode = flags & 0xf;
  const questions = uint16(message, 4);
  const answers = uint16(message, 6);
  if (questions === 0) return { id, rcode, question: undefined, serial: undefined };
  const least = MESSAGE_HEADER_OCTETS + MIN_QUESTION_OCTETS + answers * MIN_RECORD_OCTETS;
  if (questions > 1 || least > message.length) return undefined;
  try {
    const { question, next } = readQuestion(message);
    return { id, rcode, question, serial: answeredSerial(message, next, answers, question) };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function answeredSerial(
  message: Uint8Array,
  at: number,
  answers: number,
  { name }: Question,
): Serial | undefined {
  const reader = new RecordReader(message, at);
  for (let i = 0; i < answers; i++) {
    reader.next();
    if (reader.type === TYPE.SOA && equalNames(reader.owner, name)) return readSoaSerial(reader);
  }
  return undefined;
}
