/**
 * One connection to a server that we ask, over TCP or TLS: messages out, messages in.
 *
 * Owns: the connection; a read that takes too long ends it. Specs: RFC 7766 §8, RFC 7858 §3.3.
 */
import { formatSocketAddress, type SocketAddress } from "../ops/mod.ts";
import { frame, FrameReader } from "../wire/mod.ts";
import { AskError } from "./ask_error.ts";
import { READ_OCTETS } from "./limits.ts";
import type { TlsPeer } from "./secondary.ts";
import { connectTls, inTime } from "./tls_connect.ts";
import { closeOnce } from "./tls_relay.ts";

/** Whom to connect to. */
export interface StreamTarget extends SocketAddress {
  /** Undefined: plain TCP. */
  readonly tls?: TlsPeer;
}

export class StreamClient {
  readonly #conn: Deno.Conn;
  readonly #reader = new FrameReader();
  readonly #buffer = new Uint8Array(READ_OCTETS);
  /** Messages read and not yet taken. */
  #messages: Uint8Array[] = [];

  private constructor(conn: Deno.Conn, readonly peer: string) {
    this.#conn = conn;
  }

  /**
   * @param ca  authorities, in PEM, beside the runtime's own
   * @throws {AskError} "ask-unreachable", "ask-silent", "ask-tls"
   */
  static async open(
    target: StreamTarget,
    ca: readonly string[],
    connectMs: number,
  ): Promise<StreamClient> {
    const peer = formatSocketAddress(target);
    try {
      const { ip, port, tls } = target;
      const conn = tls ? await connectTls({ ip, port, tls }, ca, connectMs) : await inTime(
        Deno.connect({ hostname: ip, port }),
        connectMs,
        `no connection within ${connectMs / 1000} s`,
        closeOnce,
      );
      return new StreamClient(conn, peer);
    } catch (cause) {
      throw connectError(peer, target.tls !== undefined, cause);
    }
  }

  /** The address of this machine that the connection leaves from. */
  get localIp(): string {
    const { localAddr } = this.#conn;
    return "hostname" in localAddr ? localAddr.hostname : "";
  }

  /** @throws {AskError} the server does not take it in time, or is gone */
  async send(message: Uint8Array, timeoutMs: number): Promise<void> {
    const octets = frame(message);
    await this.#within(timeoutMs, async () => {
      for (let at = 0; at < octets.length;) at += await this.#conn.write(octets.subarray(at));
    });
  }

  /**
   * The next message, in a buffer of its own; undefined when the server has closed.
   *
   * @throws {AskError} none came in time, or the connection broke
   */
  async receive(timeoutMs: number): Promise<Uint8Array | undefined> {
    while (this.#messages.length === 0) {
      const length = await this.#within(timeoutMs, () => this.#conn.read(this.#buffer));
      if (length === null) return undefined;
      for (const message of this.#reader.feed(this.#buffer.subarray(0, length))) {
        this.#messages.push(message.slice());
      }
    }
    return this.#messages.shift();
  }

  close(): void {
    closeOnce(this.#conn);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closing ends what is read; a write that is stuck is left alone. */
  async #within<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const silent = () =>
      new AskError(
        "ask-silent",
        `${this.peer} took or sent nothing for ${ms / 1000} s on an open connection`,
        "is it overloaded, or does a firewall drop what follows the first packets?",
      );
    try {
      return await inTime(work(), ms, "", () => {});
    } catch (cause) {
      this.close();
      if (cause instanceof Error && cause.message === "") throw silent();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AskError(
        "ask-unreachable",
        `${this.peer} broke the connection: ${why}`,
        undefined,
        {
          cause,
        },
      );
    }
  }
}

function connectError(peer: string, isTls: boolean, cause: unknown): AskError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const options = { cause };
  if (/^no connection/.test(why)) {
    return new AskError(
      "ask-silent",
      `${peer} takes no connection: ${why}`,
      "does a firewall drop it? Name servers must be reached over TCP, too (RFC 7766)",
      options,
    );
  }
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new AskError(
      "ask-unreachable",
      `${peer} refuses connections over TCP`,
      "is the server running, and does it listen there, over TCP too?",
      options,
    );
  }
  return isTls
    ? new AskError(
      "ask-tls",
      `TLS with ${peer} failed: ${why}`,
      "its certificate must be for the name behind tls=, or for its address, and come from a known authority or one in --tls-ca",
      options,
    )
    : new AskError("ask-unreachable", `${peer} cannot be reached: ${why}`, undefined, options);
}
