/**
 * Carries one client's TLS connection between its socket and the runtime's TLS.
 *
 * The runtime can only accept TLS on a listener of its own, and what it has accepted it does not
 * let go: a connection closed before its handshake is done keeps its descriptor for as long as
 * the client likes, unseen. So the client's socket is a plain one, which closes when it is
 * closed, and its octets go through a connection of this process to itself that the runtime
 * takes for the client's. That one is accepted by a listener that lives for this moment only, so
 * that each connection has the certificate of its time, and nobody else finds the listener.
 *
 * Owns: the client's socket and both ends between, three descriptors.
 */
import { READ_OCTETS } from "./limits.ts";
import { TcpWriter } from "./tcp_writer.ts";

/** A certificate chain with its key, in PEM. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
}

/** The application protocol of DNS over TLS (RFC 7858, RFC 9103 §7.1). */
export const ALPN_DOT = "dot";

/** File descriptors of a connection over TLS. */
export const TLS_DESCRIPTORS = 3;

/** Octets carried towards the client at a time: bulk. */
const BULK_OCTETS = 64 * 1024;
/** Strangers on this machine that may come between, before the connection is given up. */
const MAX_STRANGERS = 8;

const LOOPBACK = "127.0.0.1";

/** A listener that hands out connections with a certificate. */
function listenTls(certificate: TlsCertificate): Deno.TlsListener {
  const { cert, key } = certificate;
  return Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key, alpnProtocols: [ALPN_DOT] });
}

/** @throws the runtime cannot serve with it */
export function tryCertificate(certificate: TlsCertificate): void {
  listenTls(certificate).close();
}

/** Both ends of a connection of this process to itself, one of them TLS. */
async function connectToSelf(
  certificate: TlsCertificate,
): Promise<{ inner: Deno.TcpConn; tls: Deno.TlsConn }> {
  const listener = listenTls(certificate);
  try {
    const { port } = listener.addr;
    const inner = await Deno.connect({ hostname: LOOPBACK, port });
    for (let tries = 0; tries < MAX_STRANGERS; tries++) {
      const tls = await listener.accept();
      if (isSame(tls.remoteAddr, inner.localAddr)) return { inner, tls };
      tls.close();
    }
    inner.close();
    throw new Error("others on this machine connect to what is not theirs");
  } finally {
    listener.close();
  }
}

/**
 * Whether two addresses are one, port and all: any user of this machine may have our port at
 * another loopback address, and would be taken for the client.
 */
export function isSame(a: Deno.NetAddr, b: Deno.NetAddr): boolean {
  return a.port === b.port && a.hostname === b.hostname;
}

export class TlsRelay {
  /** Resolves when nothing reaches the client any more: what is still written is thrown away. */
  readonly cut: Promise<void>;
  /** Resolves when the client's socket is closed and nothing is left of the others. */
  readonly ended: Promise<void>;
  readonly #outer: Deno.TcpConn;
  readonly #inner: Deno.TcpConn;
  readonly #writer: TcpWriter;
  #isEnded = false;
  readonly #cutNow: () => void;

  private constructor(
    outer: Deno.TcpConn,
    inner: Deno.TcpConn,
    /** What a session talks to. Whoever closes it ends the relay, when all is sent. */
    readonly tls: Deno.TlsConn,
    first: Uint8Array,
    writeMs: number,
  ) {
    this.#outer = outer;
    this.#inner = inner;
    this.#writer = new TcpWriter(outer, writeMs);
    inner.setNoDelay(true);
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.cut, this.#cutNow] = [promise, resolve];
    this.#fromClient(first);
    this.ended = this.#toClient();
  }

  /**
   * @param outer  the client's socket, closed when this throws
   * @param first  what was read from it
   * @param writeMs  time the client has to take 64 KiB
   */
  static async open(
    outer: Deno.TcpConn,
    first: Uint8Array,
    certificate: TlsCertificate,
    writeMs: number,
  ): Promise<TlsRelay> {
    try {
      const { inner, tls } = await connectToSelf(certificate);
      return new TlsRelay(outer, inner, tls, first, writeMs);
    } catch (error) {
      closeOnce(outer);
      throw error;
    }
  }

  /** The write that the client has not taken, though its socket is closed; it never rejects. */
  get pending(): Promise<void> | undefined {
    return this.#writer.pending;
  }

  /** Ends at once, whatever is still to be sent. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cutNow();
    closeOnce(this.#outer);
    this.#writer.close();
    // Says to the TLS side that no more comes: also its handshake ends.
    this.#inner.closeWrite().catch(() => {});
  }

  async #fromClient(first: Uint8Array): Promise<void> {
    const buffer = new Uint8Array(READ_OCTETS);
    try {
      await writeAll(this.#inner, first);
      while (!this.#isEnded) {
        const length = await this.#outer.read(buffer);
        if (length === null) return await this.#inner.closeWrite();
        await writeAll(this.#inner, buffer.subarray(0, length));
      }
    } catch {
      this.end(); // the client went, or the session did
    }
  }

  async #toClient(): Promise<void> {
    const buffer = new Uint8Array(BULK_OCTETS);
    try {
      for (;;) {
        const length = await this.#inner.read(buffer);
        if (length === null) break;
        // After the end what comes is thrown away: else neither end between would let go.
        if (!this.#isEnded) await this.#send(buffer.slice(0, length));
      }
    } catch {
      // The TLS side broke off: there is nothing more to send.
    }
    this.end();
    this.#inner.close();
  }

  async #send(octets: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(octets);
    } catch {
      this.end(); // gone, or it has stopped reading
    }
  }
}

/** Closes a connection that may be closed already. */
export function closeOnce(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

async function writeAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
}
