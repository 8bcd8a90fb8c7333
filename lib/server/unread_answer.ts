/**
 * The answer to a message that is not looked into: malformed, of an opcode not
 * implemented, or one whose answering failed.
 *
 * Pure but for the cookies' secrets. Specs: RFC 6891 §6.1.1 and §7 (OPT answers OPT,
 * a malformed one too), RFC 8906 §3.1.4 and §7 (unknown opcodes), RFC 5452 §9.1 (a
 * client knows its answer by the question).
 */
import {
  findTsig,
  FLAG,
  type Header,
  headerOnly,
  MessageWriter,
  OPCODE,
  opcodeOf,
  readRemains,
  WireError,
} from "../wire/mod.ts";
import { type EdnsSettings, type Envelope, envelopeOf, plainEnvelope } from "./edns.ts";
import type { KeyRing } from "./key_ring.ts";
import { type Signature, verifyRequest } from "./signed_request.ts";

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
 * @param settings  with keys, the answer to a message that is rightly signed is to be, too
 *   (RFC 8945 §5.3); to any other it is not
 */
export function unreadAnswer(
  message: Uint8Array,
  header: Header,
  rcode: number,
  client: { readonly ip: string; readonly transport: "udp" | "tcp" | "tls" },
  settings: EdnsSettings & { readonly keys?: KeyRing },
): UnreadAnswer {
  const { id, flags } = header;
  const { question, edns } = readRemains(message);
  const echoes = question && opcodeOf(flags) === OPCODE.QUERY;
  const signature = settings.keys && validSignature(message, settings.keys);
  if (!echoes && !edns && !signature) {
    return { message: headerOnly(id, flags, rcode), envelope: undefined };
  }
  const envelope = envelopeOf({ edns }, client, settings, signature) ??
    plainEnvelope({ edns }, settings, signature);
  const writer = new MessageWriter(envelope.maxOctets, envelope.edns);
  writer.header(id, FLAG.QR | flags & ECHOED, rcode);
  if (echoes) writer.question(question);
  return { message: writer.finish(), envelope };
}

/** How the answer to a message is signed; undefined where the message is not, or not rightly. */
function validSignature(message: Uint8Array, keys: KeyRing): Signature | undefined {
  try {
    const tsig = findTsig(message);
    const verified = tsig && verifyRequest(message, tsig, keys, false);
    return verified?.refusal ? undefined : verified?.signature;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
