/**
 * One TCP connection: pipelined queries, each answered as soon as it can be.
 *
 * What needs no waiting is answered in the order asked. A transfer, or an answer the journal has
 * to be asked for, goes its own way beside it: its messages and others' take turns (RFC 7766
 * §6.2.1.1; clients match answers by ID). Of one connection so many messages are worked on at a
 * time; then nothing more is read from it.
 *
 * Owns: the connection and its timers. Specs: RFC 7766 (pipelining, idle
 * timeouts), RFC 5936 §4.1 (transfers over TCP).
 *
 * A write to a peer that has stopped reading never ends, not even by close():
 * a timer closes the connection, and it is counted as a zombie until the write
 * ends.
 */
import type { StreamCount } from "../transfer/mod.ts";
import { FrameReader, MESSAGE_HEADER_OCTETS, type Query } from "../wire/mod.ts";
import { AnswerBatch } from "./answer_batch.ts";
import type { BulkSender, BulkSocket } from "./bulk_sender.ts";
import type { BufferAccount } from "./buffer_account.ts";
import type { Place } from "./connection_table.ts";
import { type BulkPlan, type DnsService, isWanting, type WantingResponse } from "./dns_service.ts";
import type { Envelope } from "./edns.ts";
import { IdleWatch } from "./idle_watch.ts";
import {
  ANSWER_BATCH_OCTETS,
  FIRST_READ_OCTETS,
  OUTSTANDING_PER_CONNECTION,
  READ_OCTETS,
  type ServerLimits,
} from "./limits.ts";
import type { Client, Response } from "./respond.ts";
import { TcpWriter } from "./tcp_writer.ts";
import type { TransferQueue, TransferSlot } from "./transfer_queue.ts";
import { sendTransfer } from "./transfer_sender.ts";
import type { WorkShare } from "./work_share.ts";

/** The connection, as far as a session uses it. */
export type SessionConn = Pick<Deno.Conn, "read" | "write" | "close">;

/** What sessions share. */
export interface SessionContext {
  readonly service: DnsService;
  readonly limits: ServerLimits;
  readonly transfers: TransferQueue;
  readonly buffers: BufferAccount;
  readonly work: WorkShare;
  /** Hands large transfers to the kernel; undefined: the runtime writes them. */
  readonly bulk?: BulkSender;
}

export class TcpSession {
  readonly #conn: SessionConn;
  readonly #client: Client;
  readonly #context: SessionContext;
  readonly #place: Place;
  readonly #writer: TcpWriter;
  readonly #idle: IdleWatch;
  readonly #reader = new FrameReader();
  readonly #answers = new AnswerBatch();
  /** Ends the wait of each transfer that is in the queue. */
  readonly #waits = new Set<() => void>();
  #closed = false;
  #draining = false;
  /** Why the session ends; the first reason stands. */
  #failure: unknown;
  /** Whether messages received are being answered. */
  #busy = false;
  /** Messages answered beside the reading. */
  #outstanding = 0;
  /** Told when one of those is done. */
  #oneDone: (() => void) | undefined;
  /** Octets noted in the account. */
  #held = 0;

  /** @param openBulk  finds what large transfers are sent with, while the connection is open */
  constructor(
    conn: SessionConn,
    client: Client,
    context: SessionContext,
    place: Place,
    openBulk?: () => BulkSocket | undefined,
  ) {
    this.#conn = conn;
    this.#client = client;
    this.#context = context;
    this.#place = place;
    this.#writer = new TcpWriter(conn, context.limits.writeMs, openBulk);
    this.#idle = new IdleWatch(
      context.limits.firstMessageMs,
      () => this.#isWorking,
      () => this.close(),
    );
  }

  /** Serves until either side ends; never throws. */
  async run(): Promise<void> {
    try {
      await this.#serve();
      // The client may have said all it wants to: what it asked for is still sent.
      while (this.#outstanding > 0 && !this.#closed) await this.#untilOneDone();
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.close();
      this.#leave();
    }
    if (this.#failure === undefined) return;
    // The peer went, stalled, or we closed: a transfer cut off has been logged.
    const why = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    this.#context.service.log.debug("connection ended", { client: this.#client.ip, why });
  }

  /** Ends the session: at once when it is waiting, else after what it is sending. */
  drain(): void {
    this.#draining = true;
    if (!this.#isWorking) this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#writer.close(); // before the descriptor may become another's
    this.#conn.close(); // ends a pending read
    this.#idle.stop();
    for (const cancel of this.#waits) cancel();
    this.#oneDone?.();
  }

  get #isWorking(): boolean {
    return this.#busy || this.#outstanding > 0;
  }

  get #isFull(): boolean {
    return this.#outstanding >= OUTSTANDING_PER_CONNECTION;
  }

  async #serve(): Promise<void> {
    let buffer = new Uint8Array(FIRST_READ_OCTETS);
    while (!this.#draining) {
      const length = await this.#read(buffer);
      if (length === null) return;
      this.#busy = true;
      const messages = this.#reader.feed(buffer.subarray(0, length));
      for (let octets = length; await this.#answerSome(messages, octets);) octets = 0;
      this.#busy = false;
      if (length === buffer.length) buffer = new Uint8Array(READ_OCTETS);
    }
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    if (this.#outstanding === 0) this.#wait();
    try {
      return await this.#conn.read(buffer);
    } catch (error) {
      if (this.#closed) return null;
      throw error;
    } finally {
      this.#place.works();
    }
  }

  /** Lets another have the place, should it need one. */
  #wait(): void {
    this.#place.waits(() => this.close());
  }

  /**
   * Answers messages until there are no more or too many are outstanding; false when there are
   * no more.
   *
   * @param octets  read for them and not yet accounted for
   */
  async #answerSome(messages: Iterator<Uint8Array>, octets: number): Promise<boolean> {
    let isMore = true;
    await this.#context.work.run(octets, () => {
      while (!this.#isFull && this.#answers.octets < ANSWER_BATCH_OCTETS) {
        const next = messages.next();
        if (next.done) {
          isMore = false;
          return;
        }
        this.#take(next.value);
      }
    });
    this.#account();
    await this.#flush();
    this.#account();
    if (this.#isFull) await this.#untilOneDone();
    if (this.#closed) throw new Error("connection closed");
    return isMore;
  }

  /** @throws {Error} a message that can be none: whoever sends it does not speak DNS */
  #take(received: Uint8Array): void {
    if (received.length < MESSAGE_HEADER_OCTETS) throw new Error("a message has no whole header");
    // Its own copy: the buffer is filled again while the answer may still wait.
    const response = this.#context.service.respond(received.slice(), this.#client);
    const { query } = response;
    // Octets that trickle in, and messages nobody answers, do not hold a place.
    if (query || response.message) this.#idle.extend(this.#context.limits.idleMs);
    if (isWanting(response)) this.#beside(this.#answerWith(response));
    else this.#give(response);
  }

  #give(response: Response): void {
    const { message, query, plan, envelope, client } = response;
    if (message) this.#answers.add(message);
    else if (query && envelope && (plan?.kind === "axfr" || plan?.kind === "ixfr")) {
      this.#beside(this.#transfer(query, plan, envelope, client));
    }
  }

  async #answerWith(wanting: WantingResponse): Promise<void> {
    const response = await this.#context.service.respondWith(wanting);
    if (this.#closed) return;
    this.#give(response);
    await this.#flush();
  }

  /** Lets a message be answered beside the reading of others; a failure ends the session. */
  #beside(answering: Promise<void>): void {
    this.#outstanding++;
    const done = () => {
      this.#outstanding--;
      if (this.#outstanding === 0) this.#idle.extend(this.#context.limits.idleMs);
      if (!this.#isWorking) this.#wait();
      this.#oneDone?.();
      if (this.#draining && !this.#isWorking) this.close();
    };
    answering.then(done, (error) => {
      this.#failure ??= error;
      done();
      this.close();
    });
  }

  #untilOneDone(): Promise<void> {
    return new Promise((resolve) => {
      this.#oneDone = () => {
        this.#oneDone = undefined;
        resolve();
      };
    });
  }

  async #transfer(
    query: Query,
    plan: BulkPlan,
    envelope: Envelope,
    client: Client,
  ): Promise<void> {
    const { service, transfers, work } = this.#context;
    const slot = await this.#slot();
    if (this.#closed) return slot?.leave();
    if (!slot) {
      this.#answers.add(service.transferPutOff(query, client, envelope));
      return await this.#flush();
    }
    const started = performance.now();
    const count: StreamCount = { messages: 0, octets: 0 };
    const run = () => ({ plan, ...count, durationMs: performance.now() - started });
    try {
      await this.#flush(); // what was asked before it is not held up
      const sending = { writer: this.#writer, slot, transfers, work };
      await sendTransfer({ plan, query, envelope }, count, sending);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      service.transferBroken(query, client, run(), why);
      throw error;
    } finally {
      slot.leave(this.#closed ? this.#writer.pending : undefined);
    }
    service.transferred(query, client, run());
  }

  /** Leave to send a transfer, waited for; undefined when it is not to be had. */
  async #slot(): Promise<TransferSlot | undefined> {
    const entered = this.#context.transfers.enter(this.#client.ip);
    if (!entered || !("cancel" in entered)) return entered;
    this.#waits.add(entered.cancel);
    try {
      return await entered.slot;
    } finally {
      this.#waits.delete(entered.cancel);
    }
  }

  /** Sends the answers gathered so far. */
  async #flush(): Promise<void> {
    const octets = this.#answers.take();
    if (octets) await this.#writer.write(octets);
  }

  /**
   * Notes the octets held for this client.
   *
   * @throws {Error} all connections together hold too many
   */
  #account(): void {
    const held = this.#reader.heldOctets + this.#answers.octets;
    if (!this.#context.buffers.change(this.#held, held, this.#place.isTrusted)) {
      this.#context.service.reportBuffers(this.#client);
      this.#release(); // at once: those that ask next have the room
      throw new Error("the buffers of all connections are full");
    }
    this.#held = held;
  }

  #release(): void {
    this.#context.buffers.change(this.#held, 0, true);
    this.#held = 0;
  }

  /** Gives the place back when the kernel has let the socket go. */
  #leave(): void {
    this.#release();
    const { pending } = this.#writer;
    if (!pending) return this.#place.leave();
    this.#place.becameZombie();
    pending.then(() => this.#place.leave());
  }
}
