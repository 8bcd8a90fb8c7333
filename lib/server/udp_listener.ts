/**
 * One UDP socket: receives and answers, one datagram at a time.
 *
 * Owns: the socket. Uses Deno's own datagrams; node:dgram is thirty times slower.
 */
import { formatSocketAddress, type SocketAddress } from "../ops/mod.ts";
import { type DnsService, isWanting } from "./dns_service.ts";
import { RECEIVE_PAUSE_MS, UDP_ANSWERS_PENDING, UDP_QUERY_OCTETS } from "./limits.ts";
import type { Response } from "./respond.ts";
import { bindError } from "./server_error.ts";

export class UdpListener {
  readonly #socket: Deno.DatagramConn;
  readonly #service: DnsService;
  #open = true;
  /** Answers that the kernel has not taken yet. */
  #pending = 0;
  #done: Promise<void> | undefined;

  /** @throws {ServerError} the address cannot be bound */
  constructor(readonly address: SocketAddress, service: DnsService) {
    this.#service = service;
    const { ip: hostname, port } = address;
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    } catch (error) {
      throw bindError("listen on UDP", formatSocketAddress(address), error);
    }
  }

  start(): void {
    this.#done = this.#serve();
  }

  /** Ends when the socket is closed. */
  async close(): Promise<void> {
    this.#open = false;
    this.#socket.close();
    await this.#done;
  }

  async #serve(): Promise<void> {
    const buffer = new Uint8Array(UDP_QUERY_OCTETS);
    // Every receive() is a turn of the event loop, also when datagrams wait: measured, a
    // flood leaves timers and connections their share.
    while (this.#open) {
      try {
        const [message, from] = await this.#socket.receive(buffer);
        if (from.transport === "udp") this.#answer(message, from);
      } catch (error) {
        if (!this.#open) return;
        this.#report("UDP receive failed", error);
        await new Promise((resume) => setTimeout(resume, RECEIVE_PAUSE_MS));
      }
    }
  }

  #answer(message: Uint8Array, from: Deno.NetAddr): void {
    const client = { ip: from.hostname, transport: "udp" } as const;
    const response = this.#service.respond(message, client);
    if (isWanting(response)) {
      this.#service.respondWith(response).then((response) => {
        if (this.#open) this.#send(response, from);
      });
    } else this.#send(response, from);
  }

  /** Not awaited: the answer is a buffer of its own, and UDP never waits for a peer. */
  #send(response: Response, to: Deno.NetAddr): void {
    const sent = this.#service.limited(response, to.hostname);
    if (!sent || this.#pending >= UDP_ANSWERS_PENDING) return;
    this.#pending++;
    this.#socket.send(sent, to).then(this.#taken, this.#sendFailed);
  }

  readonly #taken = (): void => {
    this.#pending--;
  };

  readonly #sendFailed = (error: unknown): void => {
    this.#pending--;
    if (this.#open) this.#report("UDP send failed", error);
  };

  #report(event: string, error: unknown): void {
    const held = this.#service.limiter.pass(event);
    if (held === undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#service.log.warn(event, {
      address: formatSocketAddress(this.address),
      error: cause,
      alike: held,
    });
  }
}
