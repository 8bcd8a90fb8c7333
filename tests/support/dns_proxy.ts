/** A way between two DNS servers in the test's hands: UDP that may be lost, TCP that may be cut. */
import type { Server } from "./dns_client.ts";
import { freePort } from "./ports.ts";

export interface DnsProxy extends Server, AsyncDisposable {
  /** Where it leads; what comes before that is known is lost. */
  target: Server | undefined;
  /** Whether a datagram on its way to the target is lost; none is by default. */
  loses: (message: Uint8Array) => boolean;
  /**
   * After how many octets from the target a TCP connection is cut, asked once for each;
   * undefined: never, which is the default.
   */
  cutAfter: () => number | undefined;
  /** Connections cut. */
  readonly cuts: number;
  /** Datagrams lost. */
  readonly lost: number;
}

class Proxy implements DnsProxy {
  readonly addr = "127.0.0.1";
  readonly port = freePort();
  target: Server | undefined;
  loses: DnsProxy["loses"] = () => false;
  cutAfter: DnsProxy["cutAfter"] = () => undefined;
  cuts = 0;
  lost = 0;
  readonly #udp = Deno.listenDatagram({ transport: "udp", hostname: this.addr, port: this.port });
  readonly #tcp = Deno.listen({ hostname: this.addr, port: this.port });
  /** The socket each client's datagrams leave from, by its port. */
  readonly #clients = new Map<number, Deno.DatagramConn>();
  readonly #open = new Set<Deno.Conn>();
  readonly #work = new Set<Promise<void>>();

  constructor() {
    this.#track(this.#relay());
    this.#track(this.#accept());
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => {}).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  async #relay(): Promise<void> {
    for await (const [message, from] of this.#udp) {
      if (!this.target) continue;
      if (this.loses(message)) {
        this.lost++;
        continue;
      }
      const { addr: hostname, port } = this.target;
      const socket = this.#socketOf(from as Deno.NetAddr);
      await socket.send(message, { transport: "udp", hostname, port });
    }
  }

  #socketOf(client: Deno.NetAddr): Deno.DatagramConn {
    let socket = this.#clients.get(client.port);
    if (!socket) {
      socket = Deno.listenDatagram({ transport: "udp", hostname: this.addr, port: 0 });
      this.#clients.set(client.port, socket);
      this.#track(this.#answer(socket, client));
    }
    return socket;
  }

  async #answer(socket: Deno.DatagramConn, client: Deno.NetAddr): Promise<void> {
    for await (const [message] of socket) await this.#udp.send(message, client);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#tcp) {
      this.#open.add(near);
      this.#track(this.#connect(near));
    }
  }

  async #connect(near: Deno.Conn): Promise<void> {
    let far: Deno.Conn | undefined;
    try {
      if (!this.target) return;
      far = await Deno.connect({ hostname: this.target.addr, port: this.target.port });
      this.#open.add(far);
      await Promise.race([
        this.#pass(near, far, undefined),
        this.#pass(far, near, this.cutAfter()),
      ]);
    } finally {
      for (const connection of [near, far]) {
        if (!connection) continue;
        close(connection);
        this.#open.delete(connection);
      }
    }
  }

  /** @param after  ends after so many octets */
  async #pass(from: Deno.Conn, to: Deno.Conn, after: number | undefined): Promise<void> {
    const buffer = new Uint8Array(65_536);
    let left = after ?? Infinity;
    while (true) {
      const count = await from.read(buffer);
      if (count === null) return;
      const passed = Math.min(count, left);
      for (let sent = 0; sent < passed;) sent += await to.write(buffer.subarray(sent, passed));
      left -= passed;
      if (passed < count || left === 0) {
        this.cuts++;
        return;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#udp);
    close(this.#tcp);
    for (const socket of this.#clients.values()) close(socket);
    for (const connection of this.#open) close(connection);
    await Promise.all(this.#work);
  }
}

function close(closable: { close(): void }): void {
  try {
    closable.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Starts a way, to be given its {@link DnsProxy.target}. */
export function startDnsProxy(target?: Server): DnsProxy {
  const proxy = new Proxy();
  proxy.target = target;
  return proxy;
}
