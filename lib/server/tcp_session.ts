/**
 * One TCP connection: pipelined queries answered in order, transfers streamed.
 *
 * Owns: the connection and its timers. Specs: RFC 7766 (pipelining, idle
 * timeouts), RFC 5936 §4.1 (transfers over TCP).
 *
 * A write to a peer that has stopped reading never ends, not even by close():
 * a timer closes the connection, and it is counted as a zombie until the write
 * ends. Limitation: answers leave in the order of the queries.
 */
import { streamChunks, type StreamCount, transferMessages } from "../transfer/mod.ts";
import { frame, FrameReader, type Query } from "../wire/mod.ts";
import type { Place } from "./connection_table.ts";
import type { BulkPlan, DnsService } from "./dns_service.ts";
import { READ_OCTETS, type ServerLimits } from "./limits.ts";
import { type Client, responseEdns } from "./respond.ts";
import { StallWatch } from "./stall_watch.ts";

/** The connection, as far as a session uses it. */
export type SessionConn = Pick<Deno.Conn, "read" | "write" | "close">;

export class TcpSession {
  readonly #conn: SessionConn;
  readonly #client: Client;
  readonly #service: DnsService;
  readonly #limits: ServerLimits;
  readonly #place: Place;
  #closed = false;
  #draining = false;
  /** Whether messages received are being answered. */
  #busy = false;
  /** The write on its way. */
  #writing: Promise<void> | undefined;
  readonly #stallWatch: StallWatch;

  constructor(
    conn: SessionConn,
    ip: string,
    service: DnsService,
    limits: ServerLimits,
    place: Place,
  ) {
    this.#conn = conn;
    this.#client = { ip, transport: "tcp" };
    this.#service = service;
    this.#limits = limits;
    this.#place = place;
    this.#stallWatch = new StallWatch(limits.writeMs);
  }

  /** Serves until either side ends; never throws. */
  async run(): Promise<void> {
    try {
      await this.#serve();
    } catch (error) {
      // The peer went, stalled, or we closed: a transfer cut off has been logged.
      this.#service.log.debug("connection ended", {
        client: this.#client.ip,
        why: error instanceof Error ? error.message : String(error),
      });
    } finally {
      this.close();
      this.#leave();
    }
  }

  /** Ends the session: at once when it is waiting, else after what it is sending. */
  drain(): void {
    this.#draining = true;
    if (!this.#busy) this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    this.#stallWatch.stop();
  }

  async #serve(): Promise<void> {
    const reader = new FrameReader();
    const buffer = new Uint8Array(READ_OCTETS);
    let deadline = performance.now() + this.#limits.firstMessageMs;
    while (!this.#draining) {
      const length = await this.#read(buffer, deadline);
      if (length === null) return;
      this.#busy = true;
      let messages = 0;
      const answers = new AnswerBatch((octets) => this.#write(octets));
      for (const message of reader.feed(buffer.subarray(0, length))) {
        messages++;
        await this.#answer(message, answers);
      }
      await answers.flush();
      this.#busy = false;
      // Only whole messages move the deadline: octets that trickle in do not hold a place.
      if (messages > 0) deadline = performance.now() + this.#limits.idleMs;
    }
  }

  async #answer(message: Uint8Array, answers: AnswerBatch): Promise<void> {
    let response = this.#service.respond(message, this.#client);
    if (response.query && response.wanted) {
      await answers.flush(); // those before it do not wait for the journal
      response = await this.#service.respondWith(response.query, this.#client, response.wanted);
    }
    const { query, plan } = response;
    if (response.message) await answers.add(frame(response.message));
    else if (query && (plan?.kind === "axfr" || plan?.kind === "ixfr")) {
      await answers.flush();
      await this.#transfer(query, plan);
    }
  }

  async #transfer(query: Query, plan: BulkPlan): Promise<void> {
    const started = performance.now();
    const count: StreamCount = { messages: 0, octets: 0 };
    const run = () => ({ plan, ...count, durationMs: performance.now() - started });
    try {
      const messages = transferMessages(plan, query, responseEdns(query));
      for (const chunk of streamChunks(messages, count)) await this.#write(chunk);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#service.transferBroken(query, this.#client, run(), why);
      throw error;
    }
    this.#service.transferred(query, this.#client, run());
  }

  /** Reads by a deadline; null at the end of the stream or when the time is up. */
  async #read(buffer: Uint8Array, deadline: number): Promise<number | null> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.close(); // ends a pending read
    }, Math.max(0, deadline - performance.now()));
    try {
      return await this.#conn.read(buffer);
    } catch (error) {
      if (late || this.#draining) return null;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Writes all of a chunk, or throws when the peer goes or stalls. */
  async #write(octets: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error("connection closed");
    this.#writing = this.#writeAll(octets);
    await this.#stallWatch.over(this.#writing);
  }

  async #writeAll(octets: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < octets.length;) {
        if (this.#closed) throw new Error("connection closed");
        written += await this.#conn.write(written === 0 ? octets : octets.subarray(written));
      }
    } finally {
      this.#writing = undefined;
    }
  }

  /** Gives the place back when the kernel has let the socket go. */
  #leave(): void {
    if (!this.#writing) return this.#place.leave();
    this.#place.becameZombie();
    const leave = () => this.#place.leave();
    this.#writing.then(leave, leave);
  }
}

/** Answers on their way out together: pipelined queries cost one write. */
class AnswerBatch {
  /** Octets gathered before they are written. */
  static readonly LIMIT = 64 * 1024;
  #frames: Uint8Array[] = [];
  #octets = 0;

  constructor(readonly write: (octets: Uint8Array) => Promise<void>) {}

  async add(framed: Uint8Array): Promise<void> {
    this.#frames.push(framed);
    this.#octets += framed.length;
    if (this.#octets >= AnswerBatch.LIMIT) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#frames.length === 0) return;
    const octets = this.#frames.length === 1 ? this.#frames[0] : this.#gathered();
    this.#frames = [];
    this.#octets = 0;
    await this.write(octets);
  }

  #gathered(): Uint8Array {
    const all = new Uint8Array(this.#octets);
    let at = 0;
    for (const framed of this.#frames) {
      all.set(framed, at);
      at += framed.length;
    }
    return all;
  }
}
