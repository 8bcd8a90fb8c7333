/**
 * What is asked of a server, and what is an answer to it.
 *
 * Pure. Spec: RFC 5452 §9.1 (the question is compared, too).
 */
import { CLASS_IN, equalNames, type Name, ZonecastError } from "../dns/mod.ts";
import {
  MAX_UDP_OCTETS,
  MessageWriter,
  OPCODE,
  opcodeOf,
  RCODE,
  readResponse,
  type Response,
} from "../wire/mod.ts";
import { AskError } from "./ask_error.ts";

export interface AskedQuestion {
  readonly name: Name;
  readonly type: number;
  /** {@link FLAG} bits of the header; default none. */
  readonly flags?: number;
  /** Whether signatures are wanted, too (DO). */
  readonly dnssecOk?: boolean;
}

/** What {@link Asker.exchange} sends, and what it takes for an answer to that. */
export interface Request {
  /** The message with this ID, unsigned. */
  message(id: number): Uint8Array;
  /** Whether a response answers it; ID, address and port are compared already. */
  isAnswer(response: Response): boolean;
}

/** The request that a question is. */
export function queryFor({ name, type, flags = 0, dnssecOk = false }: AskedQuestion): Request {
  return {
    message(id) {
      const edns = { payloadOctets: MAX_UDP_OCTETS, dnssecOk };
      const writer = new MessageWriter(MAX_UDP_OCTETS, edns);
      writer.header(id, flags);
      writer.question({ name, type, class: CLASS_IN });
      return writer.finish();
    },
    // A response without a question counts only when it reports an error.
    isAnswer: ({ question, flags, rcode }) =>
      opcodeOf(flags) === OPCODE.QUERY &&
      (question
        ? question.type === type && question.class === CLASS_IN && equalNames(question.name, name)
        : rcode !== RCODE.NOERROR),
  };
}

/**
 * The response that octets are; undefined when they are none.
 *
 * @param peer  who sent them
 * @throws {AskError} "ask-malformed"
 */
export function readOrThrow(octets: Uint8Array, peer: string): Response | undefined {
  try {
    return readResponse(octets);
  } catch (cause) {
    if (!(cause instanceof ZonecastError)) throw cause;
    throw new AskError(
      "ask-malformed",
      `${peer} answers what cannot be read: ${cause.message}`,
      undefined,
      { cause },
    );
  }
}
