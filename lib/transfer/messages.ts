/**
 * A transfer as a sequence of messages, and the messages as a stream of octets.
 *
 * A version's pages are already the records of its messages: all but the first
 * are copied behind headers, not encoded. Pure; a sequence keeps its version alive, so
 * all of it is of one version however long the client takes.
 *
 * Specs: RFC 5936 §2.2 (message sequence: the question only in the first, AA
 * and the client's ID in all), §2.2.5 (OPT in the first), RFC 1035 §4.2.2 (length).
 */
import type { ResourceRecord } from "../dns/mod.ts";
import {
  FLAG,
  LENGTH_OCTETS,
  MAX_MESSAGE_OCTETS,
  MessageWriter,
  type Query,
  type ResponseEdns,
  SECTION,
} from "../wire/mod.ts";
import { HEADER_OCTETS, readOwners, type ZoneVersion } from "../zone/mod.ts";

/** One message in two parts, to be sent one after the other. */
export interface MessageParts {
  /** Header, or the whole message. */
  readonly head: Uint8Array;
  /** A page's block, shared; undefined when {@link head} is all. */
  readonly block: Uint8Array | undefined;
}

/** Octets written to a socket at a time: measured best for bulk (half the time of 16 KiB). */
export const CHUNK_OCTETS = 64 * 1024;

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

/** A header without a question; the ANCOUNT is the number of records that follow. */
function pageHeader(query: Query, records: number): Uint8Array {
  const header = new Uint8Array(HEADER_OCTETS);
  const flags = answerFlags(query);
  header[0] = query.id >> 8;
  header[1] = query.id;
  header[2] = flags >> 8;
  header[3] = flags;
  header[6] = records >> 8;
  header[7] = records;
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
  const first = version.pages.slice(0, 1);
  const records = [version.soa, ...Array.from(readOwners(first)).flatMap(({ records }) => records)];
  const rest = version.pages.slice(1);
  if (rest.length === 0) records.push(version.soa);
  yield* encodedMessages(records, query, edns);
  if (rest.length === 0) return;
  for (const page of rest) yield { head: pageHeader(query, page.records), block: page.block };
  yield* encodedMessages([version.soa], query, undefined, false);
}

/** Records encoded into as few messages as hold them; question and OPT in the first. */
function* encodedMessages(
  records: readonly ResourceRecord[],
  query: Query,
  edns: ResponseEdns | undefined,
  withQuestion = true,
): Generator<MessageParts> {
  for (let next = 0; next < records.length;) {
    const isFirst = next === 0;
    const writer = new MessageWriter(MAX_MESSAGE_OCTETS, isFirst ? edns : undefined);
    writer.header(query.id, answerFlags(query));
    if (isFirst && withQuestion) writer.question(query.question);
    const begun = next;
    while (next < records.length && writer.record(SECTION.ANSWER, records[next])) next++;
    if (next === begun) {
      throw new RangeError(`Cannot send a record of ${records[next].rdata.length} octets`);
    }
    yield { head: writer.finish(), block: undefined };
  }
}

/** What has gone through a {@link streamChunks} so far. */
export interface StreamCount {
  messages: number;
  /** Octets, length prefixes included. */
  octets: number;
}

/**
 * Messages gathered into chunks of {@link CHUNK_OCTETS}, each behind its length.
 *
 * Every chunk is a view of the one buffer: write it whole before asking for the next.
 *
 * @param count  is added to as messages are gathered
 */
export function* streamChunks(
  messages: Iterable<MessageParts>,
  count: StreamCount,
): Generator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_OCTETS);
  let filled = 0;
  for (const { head, block } of messages) {
    const length = head.length + (block?.length ?? 0);
    count.messages++;
    count.octets += LENGTH_OCTETS + length;
    for (const part of [Uint8Array.of(length >> 8, length), head, block]) {
      for (let from = 0; part && from < part.length;) {
        if (filled === CHUNK_OCTETS) {
          yield buffer;
          filled = 0;
        }
        const taken = Math.min(part.length - from, CHUNK_OCTETS - filled);
        buffer.set(part.subarray(from, from + taken), filled);
        filled += taken;
        from += taken;
      }
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
