/**
 * The answer to a message that is not looked into: malformed, of an opcode not
 * implemented, or one whose answering failed.
 *
 * Pure but for the cookies' secrets. Specs: RFC 6891 §6.1.1 and §7 (OPT answers OPT,
 * a malformed one too), RFC 8906 §3.1.4 and §7 (unknown opcodes), RFC 5452 §9.1 (a
 * client knows its answer by the question).
 */
import {
  FLAG,
  type Header,
  headerOnly,
  MessageWriter,
  OPCODE,
  opcodeOf,
  readRemains,
} from "../wire/mod.ts";
import { type EdnsSettings, type Envelope, envelopeOf, plainEnvelope } from "./edns.ts";

/** An error and how it leaves. */
export interface UnreadAnswer {
  readonly message: Uint8Array;
  /** Undefined: there is but the header. */
  readonly envelope: Envelope | undefined;
}

/** What an opcode's response takes over from the header. */
const ECHOED = 0x7800 | FLAG.RD | FLAG.CD;

/**
 * An RCODE with the question and an OPT record, each where the message has it.
 *
 * The question of an opcode not implemented does not go back: what stands there may
 * be something else (RFC 8906 §3.1.4).
 *
 * @param header  the message's
 */
export function unreadAnswer(
  message: Uint8Array,
  header: Header,
  rcode: number,
  client: { readonly ip: string; readonly transport: "udp" | "tcp" | "tls" },
  settings: EdnsSettings,
): UnreadAnswer {
  const { id, flags } = header;
  const { question, edns } = readRemains(message);
  const echoes = question && opcodeOf(flags) === OPCODE.QUERY;
  if (!echoes && !edns) return { message: headerOnly(id, flags, rcode), envelope: undefined };
  const envelope = envelopeOf({ edns }, client, settings) ?? plainEnvelope({ edns }, settings);
  const writer = new MessageWriter(envelope.maxOctets, envelope.edns);
  writer.header(id, FLAG.QR | flags & ECHOED, rcode);
  if (echoes) writer.question(question);
  return { message: writer.finish(), envelope };
}
