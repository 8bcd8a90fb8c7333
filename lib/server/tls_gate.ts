/**
 * Lets clients in over TLS: those that offer TLS 1.3 and the application protocol `dot`, within
 * their time.
 *
 * What a client offers is read before any of it is answered: the runtime itself would take TLS 1.2
 * and clients that name no protocol. Whoever offers TLS 1.3 gets it. Who is turned away is told so
 * by an alert.
 *
 * Specs: RFC 9103 §7.1 (ALPN), §7.2 (TLS 1.3 or later), RFC 8446 §6.2 (alerts). Limitation: the
 * runtime cannot ask for a client's certificate.
 *
 * Owns: the certificate, which a reload replaces.
 */
import type { Place } from "./connection_table.ts";
import type { DnsService } from "./dns_service.ts";
import { HelloError, MAX_HELLO_OCTETS, readClientHello } from "./client_hello.ts";
import { type ServerLimits, STRANGER_HANDSHAKES } from "./limits.ts";
import { ServerError } from "./server_error.ts";
import { ALPN_DOT, closeOnce, type TlsCertificate, TlsRelay, tryCertificate } from "./tls_relay.ts";

const TLS_1_3 = 0x0304;
/** Descriptions of fatal alerts (RFC 8446 §6). */
const ALERT = { PROTOCOL_VERSION: 70, NO_APPLICATION_PROTOCOL: 120 } as const;

/** A client that is not let in, and the alert that tells it why. */
class Refused extends Error {
  constructor(message: string, readonly alert: number) {
    super(message);
  }
}

export class TlsGate {
  readonly #service: DnsService;
  readonly #limits: ServerLimits;
  #certificate: TlsCertificate;
  /** The second that strangers' handshakes are counted in, and how many it had. */
  #second = 0;
  #handshakes = 0;

  /** @throws {ServerError} the certificate cannot be used */
  constructor(certificate: TlsCertificate, service: DnsService, limits: ServerLimits) {
    this.#certificate = checked(certificate);
    this.#service = service;
    this.#limits = limits;
  }

  /**
   * Takes another certificate for the connections to come; those that are open go on.
   *
   * @throws {ServerError} it cannot be used; the old one stays
   */
  replace(certificate: TlsCertificate): void {
    this.#certificate = checked(certificate);
  }

  /**
   * A client's connection once its handshake is done; undefined when it was not let in, its
   * socket closed. Never rejects.
   *
   * @param opened  told how to end it from the start, also while the handshake runs
   */
  async admit(
    conn: Deno.TcpConn,
    ip: string,
    place: Place,
    opened: (end: () => void) => void,
  ): Promise<TlsRelay | undefined> {
    let relay: TlsRelay | undefined;
    let isEnded = false;
    const end = () => {
      isEnded = true;
      if (relay) relay.end();
      else closeOnce(conn);
    };
    opened(end);
    place.waits(end);
    const timer = setTimeout(end, this.#limits.handshakeMs);
    try {
      const first = await this.#readHello(conn, place.isTrusted);
      relay = await TlsRelay.open(conn, first, this.#certificate, this.#limits.writeMs);
      if (isEnded) relay.end();
      const { alpnProtocol } = await relay.tls.handshake();
      if (alpnProtocol !== ALPN_DOT) throw new Error("no agreement on ALPN dot");
      return relay;
    } catch (error) {
      this.#report(ip, isEnded ? "the handshake took too long" : messageOf(error));
      if (error instanceof Refused && !isEnded) await sendAlert(conn, error.alert);
      end();
      if (relay) {
        relay.tls.close();
        await relay.ended;
      }
      return undefined;
    } finally {
      clearTimeout(timer);
      place.works();
    }
  }

  /** @throws {Refused | HelloError} the client is not let in */
  async #readHello(conn: Deno.TcpConn, isTrusted: boolean): Promise<Uint8Array> {
    const buffer = new Uint8Array(MAX_HELLO_OCTETS);
    for (let filled = 0;;) {
      const length = await conn.read(buffer.subarray(filled));
      if (length === null) throw new HelloError("the client went before it said anything");
      filled += length;
      const hello = readClientHello(buffer.subarray(0, filled));
      if (!hello) {
        if (filled === buffer.length) throw new HelloError("the ClientHello is too long");
        continue;
      }
      if (!hello.versions.includes(TLS_1_3)) {
        throw new Refused("it does not offer TLS 1.3", ALERT.PROTOCOL_VERSION);
      }
      if (!hello.protocols.includes(ALPN_DOT)) {
        throw new Refused("it does not offer ALPN dot", ALERT.NO_APPLICATION_PROTOCOL);
      }
      if (!isTrusted && !this.#hasTurn()) throw new HelloError("strangers' handshakes are limited");
      return buffer.slice(0, filled);
    }
  }

  /** Whether one more handshake of a stranger may be worked on in this second. */
  #hasTurn(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#handshakes = 0;
    }
    return this.#handshakes++ < STRANGER_HANDSHAKES;
  }

  #report(ip: string, why: string): void {
    this.#service.counts.tlsRefused++;
    const held = this.#service.limiter.pass(`tls ${ip}`);
    if (held === undefined) return;
    this.#service.log.warn("connection over TLS refused", { client: ip, why, alike: held });
  }
}

function checked(certificate: TlsCertificate): TlsCertificate {
  try {
    tryCertificate(certificate);
    return certificate;
  } catch (cause) {
    throw new ServerError(
      "tls-certificate",
      `Cannot serve TLS with this certificate and key: ${messageOf(cause)}`,
      "both are PEM files; the certificate comes first in its file, its issuers after it",
      { cause },
    );
  }
}

async function sendAlert(conn: Deno.TcpConn, description: number): Promise<void> {
  try {
    await conn.write(Uint8Array.of(21, 3, 3, 0, 2, 2, description)); // fits any socket's buffer
  } catch {
    // It went.
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
