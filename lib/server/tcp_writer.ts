/**
 * The sending side of one connection: writes in turn, each with its time.
 *
 * A write to a peer that has stopped reading never ends, not even by closing the connection: then
 * the wait for it ends, and {@link TcpWriter.pending} is the write itself.
 *
 * Owns: the queue of writes; a timer.
 */
import { StallWatch } from "./stall_watch.ts";

export class TcpWriter {
  readonly #conn: Pick<Deno.Conn, "write">;
  readonly #stallWatch: StallWatch;
  #closed = false;
  /** The write on its way. */
  #pending: Promise<void> | undefined;
  /** The end of the last write asked for. */
  #last: Promise<void> | undefined;

  /** @param writeMs  time for one write */
  constructor(conn: Pick<Deno.Conn, "write">, writeMs: number) {
    this.#conn = conn;
    this.#stallWatch = new StallWatch(writeMs);
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
