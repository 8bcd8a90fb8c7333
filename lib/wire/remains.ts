/**
 * What can be read of a message that is answered with an error alone.
 *
 * A message that breaks the format, or has an opcode not implemented, is answered
 * with what fits it as far as it could be read. Pure. Specs: RFC 6891 §6.1.1 (OPT
 * answers OPT) and §7 (a malformed OPT is answered with one too).
 */
import { TYPE } from "../dns/mod.ts";
import { MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { type Edns, readOpt, readOptFixed } from "./opt_record.ts";
import { type Question, readQuestion, RecordReader, uint16 } from "./record_reader.ts";
import { WireError } from "./wire_error.ts";

/** The readable parts of a message, views of it. */
export interface Remains {
  /** The question, if there is one and no other. */
  readonly question?: Question;
  /** The first OPT record; without options where these are malformed. */
  readonly edns?: Edns;
}

/**
 * The readable parts of a message that is at least a header; linear in its length.
 */
export function readRemains(message: Uint8Array): Remains {
  let question: Question | undefined;
  try {
    const questions = uint16(message, 4);
    let at = MESSAGE_HEADER_OCTETS;
    for (let i = 0; i < questions; i++) {
      const read = readQuestion(message, at);
      at = read.next;
      if (questions === 1) question = read.question;
    }
    return { question, edns: findOpt(message, at) };
  } catch (error) {
    if (error instanceof WireError) return { question };
    throw error;
  }
}

/**
 * The EDNS of a message whose records begin at an offset.
 *
 * @throws {WireError} a record before the OPT record is cut off
 */
function findOpt(message: Uint8Array, at: number): Edns | undefined {
  const reader = new RecordReader(message, at);
  const before = uint16(message, 6) + uint16(message, 8);
  for (let i = 0; i < before; i++) reader.next();
  for (let i = uint16(message, 10); i > 0; i--) {
    reader.next();
    if (reader.type !== TYPE.OPT) continue;
    try {
      return readOpt(reader);
    } catch (error) {
      if (error instanceof WireError) return readOptFixed(reader);
      throw error;
    }
  }
  return undefined;
}
