/**
 * One UDP socket: receives and answers.
 *
 * Owns: the socket. Uses Deno's own datagrams (node:dgram is thirty times slower), which are
 * received one at a time; what waits behind one is taken as a {@link DatagramBatch} where there
 * can be one.
 */
import { formatSocketAddress, type SocketAddress } from "../ops/mod.ts";
import { BATCH, type DatagramBatch, nextBatch } from "./datagram_batch.ts";
import { type DnsService, isWanting, NOT_PLAIN, type WantingResponse } from "./dns_service.ts";
import { RECEIVE_PAUSE_MS, UDP_ANSWERS_PENDING, UDP_QUERY_OCTETS } from "./limits.ts";
import type { Response } from "./respond.ts";
import { bindError } from "./server_error.ts";

export class UdpListener {
  readonly #socket: Deno.DatagramConn;
  readonly #service: DnsService;
  readonly #batch: DatagramBatch | undefined;
  /** The socket's file descriptor, good while it is open. */
  readonly #descriptor: number | undefined;
  #open = true;
  /** Datagrams taken at a time: fewer while their answers take long. */
  #most = BATCH;
  /** Answers that the kernel has not taken yet. */
  #pending = 0;
  #done: Promise<void> | undefined;

  /**
   * @param batch  several datagrams are received and sent with it; undefined: one at a time
   * @throws {ServerError} the address cannot be bound
   */
  constructor(readonly address: SocketAddress, service: DnsService, batch?: DatagramBatch) {
    this.#service = service;
    this.#batch = batch;
    const { ip: hostname, port } = address;
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    } catch (error) {
      throw bindError("listen on UDP", formatSocketAddress(address), error);
    }
    this.#descriptor = batch?.descriptorOf(this.#socket.addr as Deno.NetAddr);
    if (batch && this.#descriptor === undefined) {
      service.log.warn("UDP is answered one datagram at a time", {
        address: formatSocketAddress(address),
        why: "its socket was not found among this process' file descriptors",
        hint: "all are answered, but fewer a second; restart when it matters",
      });
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
        if (from.transport === "udp") this.#answer(buffer, message, from);
        if (this.#open) this.#answerBatch();
      } catch (error) {
        if (!this.#open) return;
        this.#report("UDP receive failed", error);
        await new Promise((resume) => setTimeout(resume, RECEIVE_PAUSE_MS));
      }
    }
  }

  /** @param buffer  what the message stands in, at its beginning */
  #answer(buffer: Uint8Array, message: Uint8Array, from: Deno.NetAddr): void {
    const length = this.#service.answerInPlace(buffer, message.length, from.hostname);
    if (length > 0) this.#send(buffer.slice(0, length), from);
    if (length !== NOT_PLAIN) return;
    const response = this.#service.respond(message, { ip: from.hostname, transport: "udp" });
    if (isWanting(response)) this.#answerLater(response, from);
    else this.#sendResponse(response, from);
  }

  /** Answers what waits, up to a batch of it. */
  #answerBatch(): void {
    const fd = this.#descriptor;
    const batch = this.#batch;
    if (fd === undefined || !batch) return;
    const started = performance.now();
    const received = batch.receive(fd, this.#most);
    for (let i = 0; i < received; i++) {
      const ip = batch.ip(i);
      const length = this.#service.answerInPlace(batch.rooms[i], batch.octets(i), ip);
      if (length > 0) batch.answered(i, length);
      if (length !== NOT_PLAIN) continue;
      const response = this.#service.respond(batch.message(i), { ip, transport: "udp" });
      if (isWanting(response)) {
        this.#answerLater(response, batch.sender(i));
        continue;
      }
      const sent = this.#service.limited(response, ip);
      if (sent && !batch.answer(i, sent)) this.#send(sent, batch.sender(i));
    }
    if (received === 0) return;
    batch.send(fd, received, this.#sendAlone);
    this.#most = nextBatch(this.#most, performance.now() - started);
  }

  #answerLater(response: WantingResponse, from: Deno.NetAddr): void {
    this.#service.respondWith(response).then((response) => {
      if (this.#open) this.#sendResponse(response, from);
    });
  }

  #sendResponse(response: Response, to: Deno.NetAddr): void {
    const sent = this.#service.limited(response, to.hostname);
    if (sent) this.#send(sent, to);
  }

  /** What the kernel did not take at once waits in the runtime, which says what is wrong. */
  readonly #sendAlone = (octets: Uint8Array, to: Deno.NetAddr): void => this.#send(octets, to);

  /** Not awaited: the answer is a buffer of its own, and UDP never waits for a peer. */
  #send(sent: Uint8Array, to: Deno.NetAddr): void {
    if (this.#pending >= UDP_ANSWERS_PENDING) return;
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
