/**
 * A transfer's messages on their way to one client: gathered into pieces, each written before the
 * next is gathered, and the event loop left to others in between.
 *
 * A large zone goes to the kernel as bulk where its connection has that; all else the runtime
 * writes. The octets are the same.
 */
import { axfrChunks, streamChunks, type StreamCount, transferMessages } from "../transfer/mod.ts";
import type { Query } from "../wire/mod.ts";
import type { BulkPlan } from "./dns_service.ts";
import type { Envelope } from "./edns.ts";
import { BULK_FROM_OCTETS, TRANSFERS_AT_EASE } from "./limits.ts";
import { signedMessages } from "./signed_request.ts";
import type { TcpWriter } from "./tcp_writer.ts";
import type { TransferQueue, TransferSlot } from "./transfer_queue.ts";
import type { WorkShare } from "./work_share.ts";

/** What is answered, with what. */
export interface PlannedTransfer {
  readonly plan: BulkPlan;
  readonly query: Query;
  readonly envelope: Envelope;
}

/** What a transfer is sent with. */
export interface Sending {
  readonly writer: TcpWriter;
  readonly slot: Pick<TransferSlot, "writing" | "written">;
  readonly transfers: Pick<TransferQueue, "counts">;
  readonly work: WorkShare;
}

/**
 * Sends the messages of a plan, all of them.
 *
 * @param count  is added to as messages are gathered
 * @throws as {@link TcpWriter.write}
 */
export async function sendTransfer(
  { plan, query, envelope: { edns, signature } }: PlannedTransfer,
  count: StreamCount,
  sending: Sending,
): Promise<void> {
  const large = plan.kind === "axfr" && plan.version.wireOctets >= BULK_FROM_OCTETS
    ? plan.version
    : undefined;
  const room = large && sending.writer.bulkRoom;
  if (large && room && !signature) {
    return await sendBulk(axfrChunks(large, query, edns, count, room), sending);
  }
  const messages = signedMessages(transferMessages(plan, query, edns), signature);
  const chunks = streamChunks(messages, count, room);
  if (room) await sendBulk(chunks, sending);
  else await sendChunks(chunks, plan.kind === "ixfr", sending);
}

/** Each chunk is written in the turn it is gathered in, for the room is everybody's. */
async function sendBulk(
  chunks: Iterable<Uint8Array<ArrayBuffer>>,
  { writer, slot, work }: Sending,
): Promise<void> {
  for (const chunk of chunks) {
    slot.writing(chunk.length);
    await writer.writeBulk(chunk); // also when all is written: other transfers have their turn
    slot.written();
    if (work.isLongBulk) await work.look();
  }
}

/** @param isEncoded  the messages are made as they go */
async function sendChunks(
  chunks: Iterable<Uint8Array>,
  isEncoded: boolean,
  { writer, slot, work, transfers }: Sending,
): Promise<void> {
  let isFirst = true;
  for (const chunk of chunks) {
    // A large difference is encoded as it goes, which takes far longer than pages do.
    if (isEncoded && !isFirst || transfers.counts.moving > TRANSFERS_AT_EASE) {
      while (work.isLongTurn) await work.nextTurn();
    }
    slot.writing(chunk.length);
    await writer.write(chunk);
    slot.written();
    isFirst = false;
  }
}
