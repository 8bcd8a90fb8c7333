/**
 * The answer to a question: one message, whole or truncated.
 *
 * Pure. Specs: RFC 1034 §4.3.2, RFC 2308 (negative answers), RFC 2181 §9 (TC),
 * RFC 4892 (class CH), RFC 6604 §3 (RCODE at the end of a chain), RFC 8914.
 *
 * Limitations: CNAMEs are followed inside their zone only. DNSSEC records are
 * answered as they were loaded; what is not there is not proven (no NSEC or NSEC3
 * records in negative answers and referrals).
 */
import { CLASS_IN, type Name, parentName, TYPE } from "../dns/mod.ts";
import {
  CLASS_ANY,
  CLASS_CH,
  EDE,
  type ExtendedError,
  FLAG,
  MessageWriter,
  type Query,
  type Question,
  RCODE,
  SECTION,
} from "../wire/mod.ts";
import type { AnswerRoom, ZoneTable, ZoneVersion } from "../zone/mod.ts";
import { Answering } from "./answering.ts";
import { chaosText, type Identity } from "./chaos.ts";
import { type Envelope, withExpire, withExtendedError } from "./edns.ts";
import { locate } from "./find.ts";

/** QTYPE NXNAME, which nobody may ask for (RFC 9824 §3.5). */
const NXNAME = 128;

/** Flags of an answer before it is known to be authoritative. */
function replyFlags(query: Query): number {
  return FLAG.QR | query.flags & (FLAG.RD | FLAG.CD);
}

/** Why there is no answer. */
export interface Refusal {
  readonly rcode: number;
  /** The extended error (RFC 8914), if one fits. */
  readonly ede?: ExtendedError;
  /** The request's TSIG record is answered with this error, unsigned. */
  readonly tsigError?: number;
}

/** A message with the question and an RCODE, nothing else. */
export function errorAnswer(
  query: Query,
  { rcode, ede, tsigError }: Refusal,
  { edns, maxOctets }: Envelope,
): Uint8Array {
  const said = ede === undefined ? edns : withExtendedError(edns, ede);
  const writer = new MessageWriter(maxOctets, said);
  writer.header(query.id, replyFlags(query), rcode);
  writer.question(query.question);
  const { tsig } = query;
  return writer.finish(tsig && tsigError !== undefined ? { tsig, error: tsigError } : undefined);
}

/**
 * The answer to any question but one for a transfer.
 *
 * @param identity  what is told in class CH
 */
export function answerQuery(
  query: Query,
  zones: ZoneTable,
  envelope: Envelope,
  identity: Identity,
): Uint8Array {
  const { question } = query;
  if (question.class === CLASS_CH) return answerChaos(query, envelope, identity);
  const refusal = refusalOf(question);
  if (refusal) return errorAnswer(query, refusal, envelope);
  const version = zoneFor(zones, question);
  if (!version) return errorAnswer(query, NO_ZONE, envelope);
  const writer = new MessageWriter(envelope.maxOctets, withExpire(envelope.edns, query, version));
  // RFC 1035 §4.1.1 and RFC 1034 §3.7.1: of all classes at once nobody is the authority.
  const authority = question.class === CLASS_ANY ? 0 : FLAG.AA;
  writer.header(query.id, replyFlags(query) | authority);
  writer.question(question);
  const dnssecOk = query.edns?.dnssecOk ?? false;
  if (question.type === TYPE.SOA && question.name.length === version.apex.length && !dnssecOk) {
    // What secondaries ask all day takes the short way.
    if (!writer.record(SECTION.ANSWER, version.soa)) writer.addFlags(FLAG.TC);
  } else {
    const isOurs = (name: Name) => zones.closest(name) === version;
    new Answering(writer, version, question.type, dnssecOk, envelope.maxOctets)
      .answer(question.name, isOurs);
  }
  return writer.finish();
}

/** Enough to see what there is. */
const NO_ROOM: AnswerRoom = { octets: 0, type: TYPE.NS };

const NO_ZONE: Refusal = { rcode: RCODE.REFUSED, ede: EDE.NOT_AUTHORITATIVE };

/** Why no zone can answer a question; undefined for an ordinary one. */
function refusalOf(question: Question): Refusal | undefined {
  if (question.class !== CLASS_IN && question.class !== CLASS_ANY) return NO_ZONE;
  const { type } = question;
  if (type === TYPE.OPT || type === TYPE.TSIG || type === NXNAME) {
    return { rcode: RCODE.FORMERR, ede: EDE.INVALID_TYPE };
  }
  // Meta types nobody asks an authoritative server for (RFC 6895 §3.1); ANY is answered.
  if (type >= TYPE.TKEY && type <= TYPE.MAILA) {
    return { rcode: RCODE.NOTIMP, ede: EDE.NOT_SUPPORTED };
  }
  return undefined;
}

/**
 * The zone to answer from.
 *
 * Spec: RFC 4035 §3.1.4.1 (the DS at a cut is the parent's, where parent and child
 * are both here). A parent that has no cut there knows nothing of the child.
 */
function zoneFor(zones: ZoneTable, question: Question): ZoneVersion | undefined {
  const { name, type } = question;
  const version = zones.closest(name);
  if (type !== TYPE.DS || version?.apex.length !== name.length || name[0] === 0) return version;
  const parent = zones.closest(parentName(name));
  if (!parent) return version;
  // Asked for anything but DS, a parent with a cut there answers by it.
  return locate(parent, name, TYPE.NS, NO_ROOM).kind === "cut" ? parent : version;
}

function answerChaos(query: Query, envelope: Envelope, identity: Identity): Uint8Array {
  const { question } = query;
  const rdata = chaosText(question.name, identity);
  if (!rdata) return errorAnswer(query, { rcode: RCODE.REFUSED, ede: EDE.PROHIBITED }, envelope);
  const writer = new MessageWriter(envelope.maxOctets, envelope.edns);
  writer.header(query.id, replyFlags(query) | FLAG.AA);
  writer.question(question);
  if (question.type === TYPE.TXT || question.type === TYPE.ANY) {
    const record = { owner: question.name, type: TYPE.TXT, ttl: 0, rdata };
    if (!writer.record(SECTION.ANSWER, record)) writer.addFlags(FLAG.TC);
  }
  return writer.finish();
}
