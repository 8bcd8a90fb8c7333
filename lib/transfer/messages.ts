/**
 * A transfer as a sequence of messages.
 *
 * A version's pages are already the records of its messages: all but the first
 * are copied behind headers, not encoded. Differences are encoded as they are sent.
 * Pure; a sequence keeps its version alive, so all of it is of one version however
 * long the client takes.
 *
 * Specs: RFC 5936 §2.2 (message sequence: the question only in the first, AA
 * and the client's ID in all), §2.2.5 (OPT in the first), RFC 1995 §4 (IXFR),
 * RFC 1035 §4.2.2 (length).
 */
import type { ResourceRecord } from "../dns/mod.ts";
import {
  FLAG,
  MAX_MESSAGE_OCTETS,
  MessageWriter,
  type Query,
  type ResponseEdns,
  SECTION,
} from "../wire/mod.ts";
import {
  HEADER_OCTETS,
  listRecords,
  readOwners,
  type ZoneDiff,
  type ZoneVersion,
} from "../zone/mod.ts";
import { firstMessages } from "./first_messages.ts";
import type { TransferPlan } from "./plan.ts";

/**
 * One message in parts, to be sent one after the other. Good until the next is asked for: the
 * header of a page's message is the next one's too.
 */
export interface MessageParts {
  /** Header, or the whole message. */
  readonly head: Uint8Array;
  /** A page's block, shared; undefined when {@link head} is all. */
  readonly block: Uint8Array | undefined;
  /** What ends the message: its signature. */
  readonly tail?: Uint8Array;
}

/**
 * Octets an encoded message is filled to: a signature with the longest key name has room
 * behind it (RFC 8945 §4.2), as behind a page.
 */
const MAX_FILL_OCTETS = MAX_MESSAGE_OCTETS - 512;

/** Octets a message of differences is filled to: as far as compression pointers reach. */
const FILL_OCTETS = 16 * 1024;

/** Flags of every message that answers a query: QR, AA, and RD as asked. */
function answerFlags(query: Query): number {
  return FLAG.QR | FLAG.AA | query.flags & (FLAG.RD | FLAG.CD);
}

/**
 * The message that holds the SOA record alone, question and OPT included: the
 * answer to an IXFR query that has nothing to fetch, or not over UDP.
 *
 * @param maxOctets  what the transport takes; TC says that even this does not fit
 */
export function soaMessage(
  query: Query,
  soa: ResourceRecord,
  edns: ResponseEdns | undefined,
  maxOctets: number,
): Uint8Array {
  const writer = new MessageWriter(maxOctets, edns);
  writer.header(query.id, answerFlags(query));
  writer.question(query.question);
  if (!writer.record(SECTION.ANSWER, soa)) writer.addFlags(FLAG.TC);
  return writer.finish();
}

/** A header without a question; the ANCOUNT, at 6, is still to be written. */
export function pageHeader(query: Query): Uint8Array {
  const header = new Uint8Array(HEADER_OCTETS);
  const flags = answerFlags(query);
  header[0] = query.id >> 8;
  header[1] = query.id;
  header[2] = flags >> 8;
  header[3] = flags;
  return header;
}

/**
 * The messages of a whole zone: SOA, records, SOA.
 *
 * The first message must have the question, but a page's pointers count from a
 * header without one: so the first page is encoded into the first message, and
 * the other pages are sent as they are. A first message with nothing but the SOA
 * would be right too (RFC 5936 §2.2), but some clients take it for the lone SOA
 * that answers an IXFR query when there is nothing new. A zone of one page is
 * one message.
 */
export function* axfrMessages(
  version: ZoneVersion,
  query: Query,
  edns: ResponseEdns | undefined,
): Generator<MessageParts> {
  const { pages } = version;
  for (const head of openingMessages(version, query, edns)) yield { head, block: undefined };
  if (pages.length <= 1) return;
  const parts = { head: pageHeader(query), block: pages[1].block };
  for (let i = 1; i < pages.length; i++) {
    const { block, records } = pages[i];
    parts.head[6] = records >> 8;
    parts.head[7] = records;
    parts.block = block;
    yield parts;
  }
  yield closingMessage(version, query);
}

/** The first messages of {@link axfrMessages}: SOA and first page; of a zone of one page all there are. */
export function openingMessages(
  version: ZoneVersion,
  query: Query,
  edns: ResponseEdns | undefined,
): readonly Uint8Array[] {
  const { pages, soa } = version;
  return firstMessages(version, query, edns, () => {
    const records = [soa];
    for (const owner of readOwners(pages, 0, Math.min(1, pages.length))) {
      records.push(...owner.records);
    }
    if (pages.length <= 1) records.push(soa);
    return Array.from(encodedMessages(records, query, edns), ({ head }) => head);
  });
}

export function closingMessage({ soa }: ZoneVersion, query: Query): MessageParts {
  const [closing] = encodedMessages([soa], query, undefined, { withQuestion: false });
  return closing;
}

/**
 * The messages of an IXFR answer in incremental form, about 16 KiB each; small
 * differences are one message.
 *
 * Spec: RFC 1995 §4 (the new SOA; for each sequence the old SOA, the records
 * removed, the new SOA, the records added; the new SOA again).
 *
 * @param sequences  oldest first, at least one; the last leads to the version
 */
export function ixfrMessages(
  version: ZoneVersion,
  sequences: readonly ZoneDiff[],
  query: Query,
  edns: ResponseEdns | undefined,
): Generator<MessageParts> {
  return encodedMessages(ixfrRecords(version, sequences), query, edns, { fillOctets: FILL_OCTETS });
}

/**
 * The same answer as one message within a hard maximum, for UDP; undefined when
 * it does not fit.
 */
export function ixfrMessage(
  version: ZoneVersion,
  sequences: readonly ZoneDiff[],
  query: Query,
  edns: ResponseEdns | undefined,
  maxOctets: number,
): Uint8Array | undefined {
  const writer = new MessageWriter(maxOctets, edns);
  writer.header(query.id, answerFlags(query));
  writer.question(query.question);
  if (!writer.records(SECTION.ANSWER, ixfrRecords(version, sequences))) return undefined;
  return writer.finish();
}

function* ixfrRecords(
  version: ZoneVersion,
  sequences: readonly ZoneDiff[],
): Generator<ResourceRecord> {
  yield version.soa;
  for (const { fromSoa, toSoa, removed, added } of sequences) {
    yield fromSoa;
    yield* listRecords(removed);
    yield toSoa;
    yield* listRecords(added);
  }
  yield version.soa;
}

/** How {@link encodedMessages} packs. */
interface Packing {
  /** Whether the first message has the question; default true. */
  readonly withQuestion?: boolean;
  /** Octets a message is filled to; a record too big for that has one to itself. */
  readonly fillOctets?: number;
}

/** Records encoded into as few messages as hold them; question and OPT in the first. */
function* encodedMessages(
  records: Iterable<ResourceRecord>,
  query: Query,
  edns: ResponseEdns | undefined,
  { withQuestion = true, fillOctets = MAX_FILL_OCTETS }: Packing = {},
): Generator<MessageParts> {
  const rest = records[Symbol.iterator]();
  let next = rest.next();
  for (let isFirst = true; !next.done; isFirst = false) {
    const begin = (maxOctets: number) => {
      const writer = new MessageWriter(maxOctets, isFirst ? edns : undefined);
      writer.header(query.id, answerFlags(query));
      if (isFirst && withQuestion) writer.question(query.question);
      return writer;
    };
    let writer = begin(fillOctets);
    let written = 0;
    for (; !next.done && writer.record(SECTION.ANSWER, next.value); next = rest.next()) written++;
    if (written === 0) {
      const record: ResourceRecord = next.value;
      writer = begin(MAX_MESSAGE_OCTETS);
      if (!writer.record(SECTION.ANSWER, record)) {
        throw new RangeError(`Cannot send a record of ${record.rdata.length} octets`);
      }
      next = rest.next();
    }
    yield { head: writer.finish(), block: undefined };
  }
}

/** The messages of a planned transfer. */
export function transferMessages(
  plan: Extract<TransferPlan, { kind: "axfr" | "ixfr" }>,
  query: Query,
  edns: ResponseEdns | undefined,
): Generator<MessageParts> {
  return plan.kind === "axfr"
    ? axfrMessages(plan.version, query, edns)
    : ixfrMessages(plan.version, plan.sequences, query, edns);
}
