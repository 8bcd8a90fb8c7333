/** A TCP connection in the test's hands: passed on, cut, silent or slow. */
import type { Server } from "./dns_client.ts";
import { freePort } from "./ports.ts";
import { sleep } from "./wait.ts";

/** `pass` passes on, `silent` takes connections and octets and passes nothing on, `slow` is late. */
export type ProxyMode = "pass" | "silent" | "slow";

export interface TcpProxy extends Server, AsyncDisposable {
  /** Holds for open connections too. Octets swallowed by a silent proxy are lost: cut them then. */
  mode: ProxyMode;
  /** Passes so many octets more from the target, then is silent: also in the middle of an answer. */
  silentAfter(octets: number): void;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
}

/** How late a slow proxy is with each read, in ms. */
const SLOW_MS = 200;

class Proxy implements TcpProxy {
  readonly addr = "127.0.0.1";
  readonly port = freePort();
  mode: ProxyMode = "pass";
  #left = Infinity;
  #listener: Deno.TcpListener | undefined;
  readonly #open = new Set<Deno.Conn>();
  readonly #work = new Set<Promise<void>>();

  constructor(readonly target: Server) {
    this.mend();
  }

  silentAfter(octets: number): void {
    this.#left = octets;
  }

  mend(): void {
    this.#left = Infinity;
    const listener = Deno.listen({ hostname: this.addr, port: this.port });
    this.#listener = listener;
    this.#track(this.#accept(listener));
  }

  cut(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#open) close(connection);
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => {}).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const near of listener) {
      this.#open.add(near);
      this.#track(this.#connect(near));
    }
  }

  async #connect(near: Deno.Conn): Promise<void> {
    let far: Deno.Conn | undefined;
    try {
      far = await Deno.connect({ hostname: this.target.addr, port: this.target.port });
      this.#open.add(far);
      await Promise.race([this.#pass(near, far), this.#pass(far, near, true)]);
    } finally {
      for (const connection of [near, far]) {
        if (!connection) continue;
        close(connection);
        this.#open.delete(connection);
      }
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn, isCounted = false): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      if (isCounted && (this.#left -= count) < 0) {
        this.#left = Infinity;
        this.mode = "silent";
      }
      if (this.mode === "silent") continue;
      if (this.mode === "slow") await sleep(SLOW_MS);
      for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await Promise.all(this.#work);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Starts to pass connections on to `target`. */
export function startTcpProxy(target: Server): TcpProxy {
  return new Proxy(target);
}
