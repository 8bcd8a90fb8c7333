/**
 * The sending side of one connection: writes in turn, each with its time; bulk past the runtime,
 * as far as the kernel takes it.
 *
 * A write to a peer that has stopped reading never ends, not even by closing the connection: then
 * the wait for it ends, and {@link TcpWriter.pending} is the write itself.
 *
 * Owns: the queue of writes; a timer.
 */
import type { BulkRoom } from "../transfer/mod.ts";
import type { BulkSocket } from "./bulk_sender.ts";
import { StallWatch } from "./stall_watch.ts";

/** Octets that have their time together. */
const PIECE_OCTETS = 64 * 1024;

const WRITTEN = Promise.resolve();

export class TcpWriter {
  readonly #conn: Pick<Deno.Conn, "write">;
  readonly #stallWatch: StallWatch;
  #closed = false;
  /** The write on its way. */
  #pending: Promise<void> | undefined;
  /** The end of the last write asked for. */
  #last: Promise<void> | undefined;
  readonly #openBulk: () => BulkSocket | undefined;
  /** Undefined: not asked for yet. */
  #bulk: { readonly socket: BulkSocket | undefined } | undefined;

  /**
   * @param conn  open until {@link close} is called, in the same turn of the event loop
   * @param writeMs  time for one write
   * @param openBulk  finds what bulk is sent with; called once at most, while the connection is open
   */
  constructor(
    conn: Pick<Deno.Conn, "write">,
    writeMs: number,
    openBulk: () => BulkSocket | undefined = () => undefined,
  ) {
    this.#conn = conn;
    this.#stallWatch = new StallWatch(writeMs);
    this.#openBulk = openBulk;
  }

  /**
   * Where to gather what {@link writeBulk} writes: one room for all connections, so what is put in
   * it must be written before anything is waited for. Undefined: this connection has no bulk.
   */
  get bulkRoom(): BulkRoom | undefined {
    if (this.#closed) return undefined;
    this.#bulk ??= { socket: this.#openBulk() };
    return this.#bulk.socket?.room;
  }

  /** The write that has not ended, if there is one; it never rejects. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /**
   * Writes all of some octets, after those asked for before.
   *
   * @throws the peer went, or has not taken them in the time; the writes that wait behind fail too
   */
  write(octets: Uint8Array): Promise<void> {
    const before = this.#last;
    const writing = before ? before.then(() => this.#write(octets)) : this.#write(octets);
    this.#last = writing;
    const forget = () => {
      if (this.#last === writing) this.#last = undefined;
    };
    writing.then(forget, () => {}); // a failed one stays: those behind it fail too
    return writing;
  }

  /**
   * Writes all of some octets, after those asked for before: at once what the kernel takes. The
   * rest is copied: they may lie in the {@link bulkRoom}, and that is free when this returns.
   *
   * @throws as {@link write}
   */
  writeBulk(octets: Uint8Array<ArrayBuffer>): Promise<void> {
    const socket = this.#bulk?.socket;
    // Only an open connection has its descriptor, and a write on its way may be half done.
    let at = socket && !this.#closed && !this.#last ? socket.send(octets) : 0;
    let writing = WRITTEN;
    for (; at < octets.length; at += PIECE_OCTETS) {
      writing = this.write(octets.slice(at, at + PIECE_OCTETS));
    }
    return writing;
  }

  /** Ends the wait for the write on its way; those behind it fail. */
  close(): void {
    this.#closed = true;
    this.#stallWatch.stop();
  }

  async #write(octets: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error("connection closed");
    const writing = this.#writeAll(octets);
    const settled = writing.catch(() => {}).finally(() => {
      if (this.#pending === settled) this.#pending = undefined;
    });
    this.#pending = settled;
    await this.#stallWatch.over(writing);
  }

  async #writeAll(octets: Uint8Array): Promise<void> {
    for (let written = 0; written < octets.length;) {
      if (this.#closed) throw new Error("connection closed");
      written += await this.#conn.write(written === 0 ? octets : octets.subarray(written));
    }
  }
}
