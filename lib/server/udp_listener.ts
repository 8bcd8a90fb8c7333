/**
 * One UDP socket: receives and answers, one datagram at a time.
 *
 * Owns: the socket. Uses Deno's own datagrams; node:dgram is thirty times slower.
 */
import { formatSocketAddress, type SocketAddress } from "../ops/mod.ts";
import type { DnsService } from "./dns_service.ts";
import { bindError } from "./server_error.ts";

/** The longest query taken, octets; a longer one is cut and then answered FORMERR. */
const RECEIVE_OCTETS = 4_096;
/** Pause after receiving failed, ms, so that a broken socket costs no processor time. */
const ERROR_PAUSE_MS = 100;

export class UdpListener {
  readonly #socket: Deno.DatagramConn;
  readonly #service: DnsService;
  #open = true;
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
    const buffer = new Uint8Array(RECEIVE_OCTETS);
    // Every receive() is a turn of the event loop, also when datagrams wait: measured, a
    // flood leaves timers and connections their share.
    while (this.#open) {
      try {
        const [message, from] = await this.#socket.receive(buffer);
        if (from.transport === "udp") this.#answer(message, from);
      } catch (error) {
        if (!this.#open) return;
        this.#report("UDP receive failed", error);
        await new Promise((resume) => setTimeout(resume, ERROR_PAUSE_MS));
      }
    }
  }

  #answer(message: Uint8Array, from: Deno.NetAddr): void {
    const client = { ip: from.hostname, transport: "udp" } as const;
    const { message: answer, query, wanted } = this.#service.respond(message, client);
    if (query && wanted) {
      this.#service.respondWith(query, client, wanted).then(({ message }) => {
        if (message && this.#open) this.#send(message, from);
      });
    } else if (answer) this.#send(answer, from);
  }

  /** Not awaited: the answer is a buffer of its own, and UDP never waits for a peer. */
  #send(answer: Uint8Array, to: Deno.NetAddr): void {
    this.#socket.send(answer, to).catch((error) => this.#sendFailed(error));
  }

  #sendFailed(error: unknown): void {
    if (this.#open) this.#report("UDP send failed", error);
  }

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
