/**
 * NOTIFY over TLS to one secondary: a connection opened when there is something to say, and kept
 * for as long as there is.
 *
 * Who the secondary is, its certificate must show, to an authority of the runtime's or of
 * `--tls-ca`. What is lost with a connection, the sender of NOTIFY sends again. Limitation: it
 * leaves from the address the system chooses, for the runtime lets nobody choose it.
 *
 * Owns: the connection and its timers. Specs: RFC 7858 §3, RFC 7766 §6.2.
 */
import { frame, FrameReader } from "../wire/mod.ts";
import { TLS_SENDER_IDLE_MS, TLS_SENDER_QUEUE } from "./limits.ts";
import type { Secondary } from "./secondary.ts";
import { connectTls } from "./tls_connect.ts";
import { closeOnce } from "./tls_relay.ts";
import type { UdpSocket } from "./udp_socket.ts";

export class TlsSender implements UdpSocket {
  readonly #secondary: Secondary;
  readonly #ca: readonly string[];
  readonly #received: (message: Uint8Array) => void;
  /** Messages not yet written, the oldest first. */
  #queue: Uint8Array[] = [];
  #conn: Deno.TlsConn | undefined;
  #isSending = false;
  #isOpen = true;
  #idle: number | undefined;

  /**
   * @param ca  certificates of authorities, in PEM, beside the runtime's own
   * @param received  told each message that comes back
   */
  constructor(
    secondary: Secondary,
    ca: readonly string[],
    received: (message: Uint8Array) => void,
  ) {
    this.#secondary = secondary;
    this.#ca = ca;
    this.#received = received;
  }

  send(message: Uint8Array, _to: unknown, failed: (error: unknown) => void): void {
    if (!this.#isOpen) return;
    if (this.#queue.length >= TLS_SENDER_QUEUE) this.#queue.shift(); // it is sent again
    this.#queue.push(frame(message));
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sendAll().catch((error) => {
      this.#queue = [];
      this.#drop(this.#conn);
      if (this.#isOpen) failed(error);
    }).finally(() => this.#isSending = false);
  }

  close(): void {
    this.#isOpen = false;
    this.#queue = [];
    this.#drop(this.#conn);
  }

  async #sendAll(): Promise<void> {
    const conn = this.#conn ??= await this.#connect();
    if (!this.#isOpen) return this.#drop(conn);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      // A secondary that reads nothing ends the connection when it is idle.
      this.#stayOpen(conn);
      for (let at = 0; at < next.length;) at += await conn.write(next.subarray(at));
    }
  }

  async #connect(): Promise<Deno.TlsConn> {
    const conn = await connectTls(this.#secondary, this.#ca);
    this.#receive(conn);
    return conn;
  }

  async #receive(conn: Deno.TlsConn): Promise<void> {
    const reader = new FrameReader();
    const buffer = new Uint8Array(4_096);
    try {
      for (;;) {
        const length = await conn.read(buffer);
        if (length === null) break;
        for (const message of reader.feed(buffer.subarray(0, length))) {
          this.#received(message.slice());
        }
      }
    } catch {
      // It went, or we closed: what is not answered is sent again.
    }
    this.#drop(conn);
  }

  #stayOpen(conn: Deno.TlsConn): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#drop(conn), TLS_SENDER_IDLE_MS);
  }

  #drop(conn: Deno.TlsConn | undefined): void {
    if (!conn) return;
    closeOnce(conn);
    if (this.#conn !== conn) return;
    clearTimeout(this.#idle);
    this.#conn = undefined;
  }
}
