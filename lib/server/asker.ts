/**
 * Asks servers questions, as commands do: over UDP and, where an answer is cut short or TCP is
 * wanted, over TCP or TLS, signed where there is a key.
 *
 * The running server watches its secondaries by soa_client.ts, which asks thousands a second;
 * this is for a command that asks, waits, and says why there was no answer. An answer counts when
 * ID, address, port and question are those asked for (RFC 5452 §9.1), and its signature is right.
 *
 * Owns: one socket for each local address in use, what is asked and not yet answered. Messages
 * are written by our own writer, since dns-packet damages names that zones may have.
 */
import { formatSocketAddress, readIp, type SocketAddress } from "../ops/mod.ts";
import { answerFault, isTruncated, type Response, signMessage, type TsigKey } from "../wire/mod.ts";
import { AskError, disbelieved } from "./ask_error.ts";
import { type AskedQuestion, queryFor, readOrThrow, type Request } from "./ask_request.ts";
import { freeId } from "./message_ids.ts";
import { StreamClient, type StreamTarget } from "./stream_client.ts";
import { UdpQuestion } from "./udp_question.ts";
import { anyLocalIp, openUdpSocket, type UdpSocket } from "./udp_socket.ts";

/** A server to ask, and how. */
export interface AskedServer extends StreamTarget {
  /** Signs the questions; answers must be signed with it, too. */
  readonly key?: TsigKey;
  /** The local address that questions over UDP leave from; undefined lets the system choose. */
  readonly via?: string;
}

/** What a server said. */
export interface AskedAnswer {
  readonly response: Response;
  readonly transport: "udp" | "tcp" | "tls";
  /** From the sending to the answer, ms. */
  readonly ms: number;
  /** When it came, by the time of day, seconds since the epoch. */
  readonly atSeconds: number;
}

export interface AskerOptions {
  /** Time for an answer over UDP before the question is sent again, ms; one for each try. */
  readonly triesMs?: readonly number[];
  /** Time for each step over TCP and TLS, ms. */
  readonly streamMs?: number;
  /** Authorities for TLS, in PEM, beside the runtime's own. */
  readonly ca?: readonly string[];
  /** Seconds since the epoch, for TSIG. */
  readonly nowSeconds?: () => number;
}

/** A lost datagram, then a route or a cache that wakes up: over 2 s nobody serves the world. */
const TRIES_MS = [1_000, 1_000, 2_000];
const STREAM_MS = 5_000;

export class Asker {
  readonly #triesMs: readonly number[];
  readonly #streamMs: number;
  readonly #ca: readonly string[];
  readonly #nowSeconds: () => number;
  readonly #sockets = new Map<string, UdpSocket>();
  readonly #asked = new Map<string, UdpQuestion>();

  constructor(options: AskerOptions = {}) {
    this.#triesMs = options.triesMs ?? TRIES_MS;
    this.#streamMs = options.streamMs ?? STREAM_MS;
    this.#ca = options.ca ?? [];
    this.#nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
  }

  /**
   * The answer to a question: over UDP, over TCP where that is cut short; over TLS alone where
   * the server is met so.
   *
   * @throws {AskError} there is none to go by; each code says why
   */
  async ask(server: AskedServer, question: AskedQuestion): Promise<AskedAnswer> {
    const request = queryFor(question);
    if (server.tls) return await this.exchangeStream(server, request);
    const answer = await this.exchange(server, request);
    return isTruncated(answer.response) ? await this.exchangeStream(server, request) : answer;
  }

  /** The same, over TCP (or TLS) from the start. @throws {AskError} */
  askStream(server: AskedServer, question: AskedQuestion): Promise<AskedAnswer> {
    return this.exchangeStream(server, queryFor(question));
  }

  /**
   * Sends a message over UDP, again until it is answered or tries end.
   *
   * @throws {AskError} "ask-silent", "ask-disbelieved", "ask-malformed", "ask-unreachable"
   */
  async exchange(server: AskedServer, request: Request): Promise<AskedAnswer> {
    let last: AskError | undefined;
    for (const ms of this.#triesMs) {
      try {
        return await this.#tryUdp(server, request, ms);
      } catch (error) {
        if (!(error instanceof AskError)) throw error;
        // Nothing may follow what somebody forged; what was believed least says most.
        if (last === undefined || error.code !== "ask-silent") last = error;
        if (error.code === "ask-unreachable") break;
      }
    }
    throw last!;
  }

  /** Sends a message over a connection of its own, over TLS where the server is met so. @throws {AskError} */
  async exchangeStream(server: AskedServer, request: Request): Promise<AskedAnswer> {
    const startedAt = performance.now();
    using connection = await this.connect(server);
    const id = freeId(new Set());
    const { message, mac } = this.#signed(server, request.message(id));
    await connection.send(message, this.#streamMs);
    const octets = await connection.receive(this.#streamMs);
    if (!octets) {
      throw new AskError(
        "ask-silent",
        `${connection.peer} closes the connection without an answer`,
        "does its access list let this machine ask?",
      );
    }
    const response = readOrThrow(octets, connection.peer);
    if (!response || response.id !== id || !request.isAnswer(response)) {
      throw new AskError("ask-malformed", `${connection.peer} answers something else than asked`);
    }
    const fault = this.#fault(server, octets, response, mac);
    if (fault) throw disbelieved(connection.peer, fault);
    const ms = performance.now() - startedAt;
    const transport = server.tls ? "tls" : "tcp";
    return { response, transport, ms, atSeconds: this.#nowSeconds() };
  }

  /** A connection to a server. @throws {AskError} */
  connect(server: StreamTarget): Promise<StreamClient> {
    return StreamClient.open(server, this.#ca, this.#streamMs);
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #tryUdp(server: AskedServer, request: Request, ms: number): Promise<AskedAnswer> {
    const peer = formatSocketAddress(server);
    const { socket, local } = this.#socket(server);
    const id = freeId({ has: (id) => this.#asked.has(`${local} ${peer} ${id}`) });
    const key = `${local} ${peer} ${id}`;
    const { message, mac } = this.#signed(server, request.message(id));
    const startedAt = performance.now();
    const question = new UdpQuestion(peer, ms, (octets) => {
      const response = readOrThrow(octets, peer);
      if (!response || !request.isAnswer(response)) return undefined;
      const fault = this.#fault(server, octets, response, mac);
      if (fault) throw disbelieved(peer, fault);
      return response;
    });
    this.#asked.set(key, question);
    try {
      socket.send(message, server, (error) => question.failed(error));
      const response = await question.answer;
      const took = performance.now() - startedAt;
      return { response, transport: "udp", ms: took, atSeconds: this.#nowSeconds() };
    } finally {
      this.#asked.delete(key);
    }
  }

  #socket({ ip, via }: AskedServer): { socket: UdpSocket; local: string } {
    const sameFamily = via !== undefined && readIp(via)?.length === readIp(ip)?.length;
    const local = sameFamily ? via : anyLocalIp(ip);
    let socket = this.#sockets.get(local);
    if (!socket) {
      socket = openUdpSocket(local, (message, from: SocketAddress) => {
        const id = message[0] << 8 | message[1];
        this.#asked.get(`${local} ${formatSocketAddress(from)} ${id}`)?.received(message.slice());
      });
      this.#sockets.set(local, socket);
    }
    return { socket, local };
  }

  #signed({ key }: AskedServer, message: Uint8Array): { message: Uint8Array; mac?: Uint8Array } {
    return key ? signMessage(message, key, { nowSeconds: this.#nowSeconds() }) : { message };
  }

  #fault(
    { key }: AskedServer,
    octets: Uint8Array,
    { tsig }: Response,
    mac: Uint8Array | undefined,
  ): string | undefined {
    return key && mac ? answerFault(octets, tsig, key, mac, this.#nowSeconds()) : undefined;
  }
}
