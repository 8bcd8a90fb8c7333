/**
 * All addresses that clients come to: bound together, started together, closed together.
 *
 * Owns: the listeners, and through them their sockets.
 */
import { formatSocketAddress, type Logger, type SocketAddress } from "../ops/mod.ts";
import type { Access } from "./access.ts";
import type { ConnectionTable } from "./connection_table.ts";
import type { DatagramBatch } from "./datagram_batch.ts";
import { ServerError } from "./server_error.ts";
import { TcpListener } from "./tcp_listener.ts";
import type { SessionContext } from "./tcp_session.ts";
import { TlsGate } from "./tls_gate.ts";
import type { TlsCertificate } from "./tls_relay.ts";
import { UdpListener } from "./udp_listener.ts";

/** How TLS is spoken. */
export interface TlsOptions {
  /** Port 0 lets the system choose. */
  readonly listen: readonly SocketAddress[];
  readonly certificate: TlsCertificate;
}

export interface ListenersOptions {
  /** UDP and TCP each; port 0 lets the system choose one for both. */
  readonly listen: readonly SocketAddress[];
  /** Undefined: no TLS is spoken. */
  readonly tls: TlsOptions | undefined;
  readonly sessions: SessionContext;
  readonly access: Access;
  readonly connections: ConnectionTable;
  /** Several UDP datagrams are taken with it; undefined: one at a time. */
  readonly datagrams: DatagramBatch | undefined;
  readonly log: Logger;
}

/** How often a port the system chose for TCP is tried for UDP too. */
const MAX_PORT_TRIES = 8;

export class Listeners {
  readonly #options: ListenersOptions;
  #tcp: TcpListener[] = [];
  #udp: UdpListener[] = [];
  #tls: TcpListener[] = [];
  #gate: TlsGate | undefined;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /**
   * Binds every address; nothing is answered yet.
   *
   * @throws {ServerError} one cannot be bound; those before it are, until {@link close}
   */
  bind(): void {
    const { listen, tls, sessions } = this.#options;
    for (const address of listen) this.#bind(address);
    if (!tls) return;
    const gate = new TlsGate(tls.certificate, sessions.service, sessions.limits);
    this.#gate = gate;
    for (const address of tls.listen) this.#tls.push(this.#listenTcp(address, gate));
  }

  start(): void {
    const { log } = this.#options;
    for (const listener of [...this.#udp, ...this.#tcp, ...this.#tls]) listener.start();
    for (const address of this.addresses) {
      log.info("listening", { address: formatSocketAddress(address) });
    }
    for (const address of this.tlsAddresses) {
      log.info("listening for TLS", { address: formatSocketAddress(address) });
    }
  }

  /** The addresses bound, with the ports the system chose. */
  get addresses(): readonly SocketAddress[] {
    return this.#tcp.map(({ address }) => address);
  }

  /** The same for TLS. */
  get tlsAddresses(): readonly SocketAddress[] {
    return this.#tls.map(({ address }) => address);
  }

  /** @throws {ServerError} the certificate cannot be used; the old one stays */
  replaceCertificate(certificate: TlsCertificate): void {
    this.#gate?.replace(certificate);
  }

  /** @param drainMs  how long connections have to end */
  async close(drainMs: number): Promise<void> {
    await Promise.all([
      ...this.#udp.map((listener) => listener.close()),
      ...[...this.#tcp, ...this.#tls].map((listener) => listener.close(drainMs)),
    ]);
    [this.#tls, this.#udp, this.#tcp] = [[], [], []];
  }

  #bind(address: SocketAddress): void {
    const { sessions, datagrams } = this.#options;
    for (let tries = 1;; tries++) {
      const tcp = this.#listenTcp(address);
      try {
        this.#udp.push(new UdpListener(tcp.address, sessions.service, datagrams));
        this.#tcp.push(tcp);
        return;
      } catch (error) {
        tcp.stopAccepting();
        const isTaken = error instanceof ServerError && error.code === "address-in-use";
        if (address.port !== 0 || !isTaken || tries === MAX_PORT_TRIES) throw error;
      }
    }
  }

  #listenTcp(address: SocketAddress, gate?: TlsGate): TcpListener {
    const { sessions, access, connections } = this.#options;
    return new TcpListener(address, { sessions, access, connections, gate });
  }
}
