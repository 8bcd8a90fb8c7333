/**
 * One TCP socket: accepts connections within the caps and runs their sessions, over TLS where
 * it has a gate.
 *
 * Owns: the socket and its sessions. Survives running out of file descriptors.
 */
import { formatSocketAddress, normalIp, type SocketAddress } from "../ops/mod.ts";
import type { Access } from "./access.ts";
import type { ConnectionTable, Place } from "./connection_table.ts";
import { isOutOfDescriptors } from "./descriptors.ts";
import { ACCEPT_PAUSE_MS } from "./limits.ts";
import { bindError } from "./server_error.ts";
import { type SessionContext, TcpSession } from "./tcp_session.ts";
import type { TlsGate } from "./tls_gate.ts";
import { TLS_DESCRIPTORS, type TlsRelay } from "./tls_relay.ts";

export interface TcpListenerOptions {
  readonly sessions: SessionContext;
  readonly access: Access;
  readonly connections: ConnectionTable;
  /** Lets clients in over TLS; undefined: TLS is not spoken here. */
  readonly gate?: TlsGate;
}

/** A connection being served. */
interface Serving {
  /** Ends it: at once when it waits, else after what it is sending. */
  drain(): void;
  close(): void;
}

/** fe80::/10 (RFC 4291 §2.5.6), as the runtime writes it. */
const LINK_LOCAL = /^fe[89ab]/i;

export class TcpListener {
  /** With the port the system chose, if 0 was asked for. */
  readonly address: SocketAddress;
  readonly #listener: Deno.TcpListener;
  readonly #options: TcpListenerOptions;
  readonly #serving = new Set<Serving>();
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
    for (const serving of this.#serving) serving.drain();
    let timer: number | undefined;
    const timeUp = new Promise<void>((resolve) => timer = setTimeout(resolve, drainMs));
    await Promise.race([Promise.all(this.#running), timeUp]);
    clearTimeout(timer);
    for (const serving of this.#serving) serving.close();
  }

  async #accept(): Promise<void> {
    const { connections, sessions } = this.#options;
    // Whether another connection was ended for the next one.
    let gaveWay = false;
    while (this.#open) {
      try {
        this.#admit(await this.#listener.accept());
        gaveWay = false;
        if (sessions.work.isLongTurn) await sessions.work.nextTurn();
      } catch (error) {
        if (!this.#open) return;
        this.#reportAccept(error);
        // What was ended may take a moment to give its descriptor back: no second one for it.
        gaveWay = !gaveWay && isOutOfDescriptors(error) && connections.evict(ACCEPT_PAUSE_MS);
        await new Promise((resume) => setTimeout(resume, gaveWay ? 0 : ACCEPT_PAUSE_MS));
      }
    }
  }

  #admit(conn: Deno.TcpConn): void {
    const { access, connections, sessions, gate } = this.#options;
    const { service } = sessions;
    const ip = normalIp(conn.remoteAddr.hostname);
    const place = connections.enter(ip, access.isListed(ip), gate ? TLS_DESCRIPTORS : 1);
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
    if (gate) return this.#run((serving) => this.#serveTls(conn, ip, place, gate, serving));
    this.#run(async (serving) => {
      const { bulk } = sessions;
      // Of two links to one link-local network each may have a connection of the same names.
      const openBulk = bulk && !LINK_LOCAL.test(ip)
        ? () => bulk.socketOf(conn) ?? this.#reportNoBulk(ip)
        : undefined;
      const session = new TcpSession(conn, { ip, transport: "tcp" }, sessions, place, openBulk);
      serving(session);
      await session.run();
    });
  }

  /** Keeps a connection among those served, as it is told to be ended, for as long as it runs. */
  #run(serve: (serving: (serving: Serving) => void) => Promise<void>): void {
    let current: Serving | undefined;
    const running = serve((serving) => {
      if (current) this.#serving.delete(current);
      current = serving;
      this.#serving.add(serving);
    }).finally(() => {
      if (current) this.#serving.delete(current);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #serveTls(
    conn: Deno.TcpConn,
    ip: string,
    place: Place,
    gate: TlsGate,
    serving: (serving: Serving) => void,
  ): Promise<void> {
    const relay = await gate.admit(conn, ip, place, (end) => serving({ drain: end, close: end }));
    if (!relay) return place.leave();
    // The place is the relay's: it holds the client's socket.
    const client = { ip, transport: "tls" } as const;
    const session = new TcpSession(relay.tls, client, this.#options.sessions, {
      ...place,
      becameZombie() {},
      leave() {},
    });
    serving({ drain: () => session.drain(), close: () => relay.end() });
    // A transfer whose client is gone is broken off, and not taken for sent.
    relay.cut.then(() => session.close());
    await session.run();
    await relay.ended;
    leaveWhenSent(place, relay);
  }

  #reportNoBulk(client: string): undefined {
    const { service } = this.#options.sessions;
    const held = service.limiter.pass("no bulk");
    if (held === undefined) return;
    // No warning: of a connection that its client has just reset nothing is found either.
    service.log.info("a large zone is written by the runtime", {
      client,
      why: "its connection was not found among this process' file descriptors: the client has " +
        "gone, or very many are open",
      hint: "all of it is sent to a client that is there, but it takes longer",
      alike: held,
    });
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

/** Gives the place back when the kernel has let the client's socket go. */
function leaveWhenSent(place: Place, { pending }: TlsRelay): void {
  if (!pending) return place.leave();
  place.becameZombie();
  pending.then(() => place.leave());
}
