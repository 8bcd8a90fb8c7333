/**
 * One TCP socket: accepts connections within the caps and runs their sessions.
 *
 * Owns: the socket and its sessions. Survives running out of file descriptors.
 */
import { formatSocketAddress, normalIp, type SocketAddress } from "../ops/mod.ts";
import type { Access } from "./access.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { isOutOfDescriptors } from "./descriptors.ts";
import { ACCEPT_PAUSE_MS } from "./limits.ts";
import { bindError } from "./server_error.ts";
import { type SessionContext, TcpSession } from "./tcp_session.ts";

export interface TcpListenerOptions {
  readonly sessions: SessionContext;
  readonly access: Access;
  readonly connections: ConnectionTable;
}

export class TcpListener {
  /** With the port the system chose, if 0 was asked for. */
  readonly address: SocketAddress;
  readonly #listener: Deno.TcpListener;
  readonly #options: TcpListenerOptions;
  readonly #sessions = new Set<TcpSession>();
  readonly #running = new Set<Promise<void>>();
  #open = true;
  #accepting: Promise<void> | undefined;

  /** @throws {ServerError} the address cannot be bound */
  constructor(address: SocketAddress, options: TcpListenerOptions) {
    this.#options = options;
    const { ip: hostname, port } = address;
    try {
      this.#listener = Deno.listen({ transport: "tcp", hostname, port });
    } catch (error) {
      throw bindError("listen on TCP", formatSocketAddress(address), error);
    }
    this.address = { ip: address.ip, port: this.#listener.addr.port };
  }

  start(): void {
    this.#accepting = this.#accept();
  }

  /** Accepts no more; sessions go on. */
  async stopAccepting(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#listener.close();
    await this.#accepting;
  }

  /**
   * Ends all sessions: idle ones at once, the others when what they send is
   * sent or the time is up.
   */
  async close(drainMs: number): Promise<void> {
    await this.stopAccepting();
    for (const session of this.#sessions) session.drain();
    let timer: number | undefined;
    const timeUp = new Promise<void>((resolve) => timer = setTimeout(resolve, drainMs));
    await Promise.race([Promise.all(this.#running), timeUp]);
    clearTimeout(timer);
    for (const session of this.#sessions) session.close();
  }

  async #accept(): Promise<void> {
    while (this.#open) {
      try {
        this.#admit(await this.#listener.accept());
        const { work } = this.#options.sessions;
        if (work.isLongTurn) await work.nextTurn();
      } catch (error) {
        if (!this.#open) return;
        if (isOutOfDescriptors(error)) this.#options.connections.evict();
        this.#reportAccept(error);
        await new Promise((resume) => setTimeout(resume, ACCEPT_PAUSE_MS));
      }
    }
  }

  #admit(conn: Deno.TcpConn): void {
    const { access, connections, sessions } = this.#options;
    const { service } = sessions;
    const ip = normalIp(conn.remoteAddr.hostname);
    const place = connections.enter(ip, access.isListed(ip));
    if (!place) {
      conn.close();
      const held = service.limiter.pass(`full ${ip}`);
      if (held !== undefined) {
        service.log.warn("connection refused: too many are open", {
          client: ip,
          open: connections.connections,
          zombies: connections.zombies,
          alike: held,
        });
      }
      return;
    }
    conn.setNoDelay(true); // answers are gathered here; nothing is won by waiting
    const session = new TcpSession(conn, ip, sessions, place);
    const running = session.run().finally(() => {
      this.#sessions.delete(session);
      this.#running.delete(running);
    });
    this.#sessions.add(session);
    this.#running.add(running);
  }

  #reportAccept(error: unknown): void {
    const { service } = this.#options.sessions;
    const held = service.limiter.pass("accept");
    if (held === undefined) return;
    service.log.warn("cannot accept connections for now", {
      address: formatSocketAddress(this.address),
      error: error instanceof Error ? error : new Error(String(error)),
      hint: "raise LimitNOFILE if file descriptors have run out",
      alike: held,
    });
  }
}
