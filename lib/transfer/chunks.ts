/**
 * A transfer's messages as a stream of octets, in chunks to be written at a time. Pure but for the
 * room the octets are gathered in, and the count.
 *
 * Spec: RFC 1035 §4.2.2 (length in front of each message).
 */
import { frame, LENGTH_OCTETS, type Query, type ResponseEdns } from "../wire/mod.ts";
import { HEADER_OCTETS, type ZoneVersion } from "../zone/mod.ts";
import { BulkRoom } from "./bulk_room.ts";
import { closingMessage, type MessageParts, openingMessages, pageHeader } from "./messages.ts";

/**
 * Octets written to a socket at a time, at most: four or five messages of a page each, and never
 * less than the longest message. About 64 KiB was measured best where the runtime writes (half the
 * time of 16 KiB).
 */
export const CHUNK_OCTETS = 80 * 1024;

/** What has gone through a {@link streamChunks} so far. */
export interface StreamCount {
  messages: number;
  /** Octets, length prefixes included. */
  octets: number;
}

/**
 * Messages gathered into chunks as large as the room, each message behind its length. A chunk ends
 * where a message does, so that other answers may go between two.
 *
 * Every chunk is a view of the room: write it whole before asking for the next. Nothing of it is
 * looked at again, so between two the room may serve others.
 *
 * @param count  is added to as messages are gathered
 * @param room  default: {@link CHUNK_OCTETS} of its own
 */
export function* streamChunks(
  messages: Iterable<MessageParts>,
  count: StreamCount,
  room: BulkRoom = new BulkRoom(CHUNK_OCTETS),
): Generator<Uint8Array<ArrayBuffer>> {
  let buffer = room.take();
  let filled = 0;
  for (const { head, block, tail } of messages) {
    const blockOctets = block?.length ?? 0;
    const length = head.length + blockOctets + (tail?.length ?? 0);
    if (filled + LENGTH_OCTETS + length > buffer.length) {
      yield buffer.subarray(0, filled);
      buffer = room.take();
      filled = 0;
    }
    buffer[filled] = length >> 8;
    buffer[filled + 1] = length;
    buffer.set(head, filled + LENGTH_OCTETS);
    const blockAt = filled + LENGTH_OCTETS + head.length;
    if (block) buffer.set(block, blockAt);
    if (tail) buffer.set(tail, blockAt + blockOctets);
    filled += LENGTH_OCTETS + length;
    count.messages++;
    count.octets += LENGTH_OCTETS + length;
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/**
 * The chunks of a whole zone that goes out unsigned: the octets of {@link streamChunks}, though
 * others' lengths. The pages begin a chunk, so that all transfers of a version have the same.
 *
 * @param version  of two pages at least
 * @param count  as {@link streamChunks} has it
 */
export function* axfrChunks(
  version: ZoneVersion,
  query: Query,
  edns: ResponseEdns | undefined,
  count: StreamCount,
  room: BulkRoom,
): Generator<Uint8Array<ArrayBuffer>> {
  for (const message of openingMessages(version, query, edns)) {
    count.messages++;
    count.octets += LENGTH_OCTETS + message.length;
    yield frame(message);
  }
  const header = pageHeader(query);
  const closing = {
    block: closingMessage(version, query).head.subarray(HEADER_OCTETS),
    records: 1,
  };
  for (let page = 1; page <= version.pages.length;) {
    const { octets, end } = room.gather(version, page, header, closing);
    count.messages += end - page;
    count.octets += octets.length;
    yield octets;
    page = end;
  }
}
