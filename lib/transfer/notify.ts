/**
 * NOTIFY: what it says, which reply answers it, when it is sent again.
 *
 * Pure. Spec: RFC 1996.
 */
import { equalNames, type Name, type ResourceRecord, TYPE } from "../dns/mod.ts";
import {
  FLAG,
  isResponse,
  MESSAGE_HEADER_OCTETS,
  MessageWriter,
  MIN_UDP_OCTETS,
  OPCODE,
  opcodeOf,
  RCODE,
  readHeader,
  readName,
  SECTION,
  WireError,
} from "../wire/mod.ts";

/**
 * A NOTIFY message: opcode 4, AA, the zone's SOA as question and, as a hint, as answer.
 *
 * The SOA record is left out when the names are too long for a UDP message
 * everybody takes (RFC 1996 §3.7 makes it optional).
 */
export function notifyMessage(id: number, soa: ResourceRecord): Uint8Array {
  const writer = new MessageWriter(MIN_UDP_OCTETS);
  writer.header(id, OPCODE.NOTIFY << 11 | FLAG.AA);
  writer.question({ name: soa.owner, type: TYPE.SOA, class: 1 });
  writer.record(SECTION.ANSWER, soa);
  return writer.finish();
}

/** A reply to a NOTIFY. */
export interface NotifyReply {
  readonly id: number;
  readonly rcode: number;
  /** QNAME; undefined when the reply is a bare header, as some send with an error. */
  readonly apex: Name | undefined;
}

/**
 * The NOTIFY reply in a message, or undefined when it is none: too short, not a
 * response, another opcode, or a broken question. Anybody can send us anything.
 */
export function readNotifyReply(message: Uint8Array): NotifyReply | undefined {
  const header = readHeader(message);
  if (!header || !isResponse(header) || opcodeOf(header.flags) !== OPCODE.NOTIFY) return undefined;
  const rcode = header.flags & 0xf;
  const questions = message[4] << 8 | message[5];
  if (questions === 0) return { id: header.id, rcode, apex: undefined };
  if (questions > 1) return undefined;
  try {
    const { name } = readName(message, MESSAGE_HEADER_OCTETS, message.length);
    return { id: header.id, rcode, apex: name };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/**
 * Whether a reply answers the NOTIFY of an ID and zone. Address and port are
 * the sender's to compare.
 *
 * A reply without a question counts only when it reports an error: there is no
 * more that a server which does not know NOTIFY could copy.
 */
export function answersNotify(reply: NotifyReply, id: number, apex: Name): boolean {
  if (reply.id !== id) return false;
  return reply.apex ? equalNames(reply.apex, apex) : reply.rcode !== RCODE.NOERROR;
}

/** What a reply means for the sender. */
export type NotifyVerdict = "acknowledged" | "unsupported" | "refused" | "retry";

/**
 * - acknowledged: NOERROR; done.
 * - unsupported: NOTIMP; done, the secondary polls by its REFRESH timer (RFC 1996 §3.6).
 * - retry: SERVFAIL; it got it but could not use it now.
 * - refused: any other; an operator must act (its zone or access list is missing),
 *   so it is asked again at the slow pace only.
 */
export function notifyVerdict(rcode: number): NotifyVerdict {
  if (rcode === RCODE.NOERROR) return "acknowledged";
  if (rcode === RCODE.NOTIMP) return "unsupported";
  return rcode === RCODE.SERVFAIL ? "retry" : "refused";
}

/** Wait for the first reply, ms; doubled at each try. Secondaries answer within a round trip. */
const FIRST_RETRY_MS = 1_000;
/** Longest wait between tries at the fast pace, ms: RFC 1996 §3.6's interval. */
const MAX_FAST_RETRY_MS = 60_000;
/** Tries at the fast pace, about four minutes: a restart of the secondary or a route change. */
export const FAST_TRIES = 10;
/**
 * Wait between tries at the slow pace, ms. A secondary down for hours hears of
 * the change within five minutes of its return, where RFC 1996 gives up after
 * five tries and leaves it to its REFRESH timer; one datagram in five minutes
 * harms nobody. It ends when a newer serial takes its place or the zone goes.
 */
export const SLOW_RETRY_MS = 300_000;

/**
 * Wait between tries while the secondary lags and shows its SOA, ms: it is alive, so the
 * messages are lost on their way, and another may get through.
 */
const LIVELY_RETRY_MS = 500;
/** The wait is longer by up to this share of it, so that zones lost together do not stay so. */
const LIVELY_JITTER = 0.5;
/** Tries up to which that is done, some 25 s: then it is rather a filter than loss. */
const LIVELY_TRIES = 40;

/**
 * How long to wait before sending again to a secondary that is alive, in ms; undefined
 * when that was done often enough.
 *
 * @param tries  how often this NOTIFY was sent, from 1
 * @param random  from 0 up to 1
 */
export function livelyRetryMs(tries: number, random: number): number | undefined {
  if (tries >= LIVELY_TRIES) return undefined;
  return LIVELY_RETRY_MS * (1 + LIVELY_JITTER * random);
}

/**
 * How long to wait for a reply before sending again, in ms.
 *
 * @param tries  how often this NOTIFY was sent with nothing seen of the secondary, from 1
 */
export function notifyRetryMs(tries: number): number {
  if (tries >= FAST_TRIES) return SLOW_RETRY_MS;
  return Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), MAX_FAST_RETRY_MS);
}
