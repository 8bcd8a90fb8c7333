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
import { TLS_CONNECT_MS, TLS_SENDER_IDLE_MS, TLS_SENDER_QUEUE } from "./limits.ts";
import type { Secondary } from "./secondary.ts";
import { ALPN_DOT, closeOnce } from "./tls_relay.ts";
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
    const { ip, port, tls } = this.#secondary;
    const plain = await inTime(Deno.connect({ hostname: ip, port }), closeOnce);
    try {
      const conn = await inTime(
        Deno.startTls(plain, {
          hostname: tls?.hostname ?? ip,
          caCerts: [...this.#ca],
          alpnProtocols: [ALPN_DOT],
        }),
        closeOnce,
      );
      // Whether it agrees on ALPN matters to transfers; older servers of DNS over TLS know none.
      await inTime(conn.handshake(), () => {}).catch((error) => {
        closeOnce(conn);
        throw error;
      });
      this.#receive(conn);
      return conn;
    } catch (error) {
      closeOnce(plain);
      throw error;
    }
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

/**
 * What a promise gives, if that is soon.
 *
 * @param late  is given what comes too late
 */
async function inTime<T>(promise: Promise<T>, late: (value: T) => void): Promise<T> {
  let timer: number | undefined;
  let isLate = false;
  promise.then((value) => isLate && late(value), () => {});
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new Error(`no connection over TLS within ${TLS_CONNECT_MS / 1000} s`));
    }, TLS_CONNECT_MS);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
