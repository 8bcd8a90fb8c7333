/**
 * Asks servers for the SOA of zones, over UDP, each at a bounded rate.
 *
 * One datagram a question: trying again is the asker's. Owns: one socket for each
 * local address in use, what is asked and not yet answered.
 */
import { type Name, type Serial } from "../dns/mod.ts";
import { formatSocketAddress, type Logger, readIp, type SocketAddress } from "../ops/mod.ts";
import { answersSoaQuery, soaQuery } from "../transfer/mod.ts";
import { readSoaResponse } from "../wire/mod.ts";
import type { Clock } from "./clock.ts";
import {
  SILENT_AFTER,
  SILENT_GAP_MS,
  SOA_ANSWER_MS,
  SOA_QUERIES_IN_FLIGHT,
  SOA_WINDOW_MESSAGES,
  SURVEY_WINDOW_MESSAGES,
} from "./limits.ts";
import { KeyRing, RequestSigner, type Signed } from "./key_ring.ts";
import { LogLimiter } from "./log_limiter.ts";
import { freeId } from "./message_ids.ts";
import { Pacer } from "./pacer.ts";
import { anyLocalIp, type OpenUdpSocket, openUdpSocket, type UdpSocket } from "./udp_socket.ts";

/** What a server said. */
export interface SoaAnswer {
  readonly rcode: number;
  /** Undefined when it showed no SOA of the zone. */
  readonly serial: Serial | undefined;
}

export interface AskOptions {
  /** Before everything that waits its turn. */
  readonly urgent?: boolean;
  /** Time for the answer once the question has been sent, ms. */
  readonly answerMs?: number;
}

export interface SoaClientOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Keys of the servers that are asked with one. */
  readonly keys?: KeyRing;
  readonly open?: OpenUdpSocket;
}

export class SoaClient {
  readonly #options: SoaClientOptions;
  readonly #limiter: LogLimiter;
  readonly #keys: KeyRing;
  /** By local address and the server's. */
  readonly #peers = new Map<string, SoaPeer>();
  readonly #sockets = new Map<string, UdpSocket>();

  constructor(options: SoaClientOptions) {
    this.#options = options;
    this.#keys = options.keys ?? new KeyRing([]);
    this.#limiter = new LogLimiter(() => options.clock.now());
  }

  /**
   * A server to ask, the same object for the same addresses, with the keys of
   * the first asker that has any: one that must sign is not believed unsigned by another way.
   *
   * @param via  the local address questions leave from, if it is of the server's family
   * @param keyNames  of the TSIG keys of which one signs the questions; empty for none
   */
  peer(address: SocketAddress, via: string | undefined, keyNames: readonly Name[] = []): SoaPeer {
    const sameFamily = via !== undefined && readIp(via)?.length === readIp(address.ip)?.length;
    const local = sameFamily ? via : anyLocalIp(address.ip);
    const key = `${local} ${formatSocketAddress(address)}`;
    const signer = new RequestSigner(this.#keys, keyNames);
    let peer = this.#peers.get(key);
    if (peer?.signer.names.length === 0) peer.signer = signer;
    if (!peer) {
      const { clock } = this.#options;
      peer = new SoaPeer(address, local, { clock, signer }, {
        failed: (error) => this.#failed(key, error),
        disbelieved: (why) => this.#disbelieved(formatSocketAddress(address), why),
      });
      this.#peers.set(key, peer);
    }
    return peer;
  }

  /** Questions sent. */
  get sent(): number {
    let sent = 0;
    for (const peer of this.#peers.values()) sent += peer.sent;
    return sent;
  }

  /**
   * Opens the sockets that the peers there are need.
   *
   * @throws {ServerError} an address cannot be bound; nothing stays open
   */
  start(): void {
    const open = this.#options.open ?? openUdpSocket;
    try {
      for (const peer of this.#peers.values()) {
        const { local } = peer;
        let socket = this.#sockets.get(local);
        if (!socket) {
          socket = open(local, (message, from) => {
            this.#peers.get(`${local} ${formatSocketAddress(from)}`)?.received(message);
          });
          this.#sockets.set(local, socket);
        }
        peer.open(socket);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Ends: what is asked stays unanswered, and is told so. */
  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #failed(peer: string, error: unknown): void {
    const held = this.#limiter.pass(peer);
    if (held === undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#options.log.warn("SOA query could not be sent", { to: peer, error: cause, alike: held });
  }

  #disbelieved(peer: string, why: string): void {
    const held = this.#limiter.pass(`disbelieved ${peer}`);
    if (held === undefined) return;
    this.#options.log.warn("the answer to an SOA query is not believed", {
      from: peer,
      why,
      alike: held,
    });
  }
}

/** A question on its way, or waiting its turn. */
interface Question {
  readonly apex: Name;
  readonly answered: (answer: SoaAnswer | undefined) => void;
  readonly answerMs: number;
  /** Undefined while it waits its turn. */
  id: number | undefined;
  /** The signature of the message sent, if it has one. */
  signed: Signed | undefined;
  cancelTimer: (() => void) | undefined;
  done: boolean;
}

/** What a peer tells of. */
interface PeerTrouble {
  /** A question could not be sent. */
  failed(error: unknown): void;
  /** An answer came that anybody may have sent. */
  disbelieved(why: string): void;
}

/** One server. Questions to it leave at a bounded rate, at a slow one while it answers none. */
export class SoaPeer {
  sent = 0;
  readonly #clock: Clock;
  /** Replaced only before anything is asked. */
  signer: RequestSigner;
  readonly #trouble: PeerTrouble;
  readonly #pacer: Pacer;
  readonly #inFlight = new Map<number, Question>();
  readonly #waiting = new Set<Question>();
  #socket: UdpSocket | undefined;
  #closed = false;
  /** When the last question went, ms since the epoch. */
  #sentAt = -Infinity;
  /** Questions in a row that were not answered. */
  #unanswered = 0;

  constructor(
    readonly address: SocketAddress,
    readonly local: string,
    { clock, signer }: { readonly clock: Clock; readonly signer: RequestSigner },
    trouble: PeerTrouble,
  ) {
    this.#clock = clock;
    this.signer = signer;
    this.#trouble = trouble;
    this.#pacer = new Pacer(clock, (sent, urgent) => {
      if (this.#inFlight.size >= SOA_QUERIES_IN_FLIGHT) return false;
      if (!this.isSilent) return sent < (urgent ? SURVEY_WINDOW_MESSAGES : SOA_WINDOW_MESSAGES);
      return clock.now() - this.#sentAt >= SILENT_GAP_MS;
    });
  }

  /** Whether it has answered none of the last questions. */
  get isSilent(): boolean {
    return this.#unanswered >= SILENT_AFTER;
  }

  /** Whether questions wait their turn, and those that had it are answered. */
  get isBusy(): boolean {
    return this.#waiting.size > 0 && !this.isSilent && !this.#closed;
  }

  /**
   * Whether no more urgent questions wait than go out in two windows; one that is silent has room
   * for all, which then need not wait to be found unanswered.
   */
  get hasRoom(): boolean {
    return this.isSilent || this.#pacer.waitingUrgent < 2 * SURVEY_WINDOW_MESSAGES;
  }

  open(socket: UdpSocket): void {
    this.#socket = socket;
  }

  close(): void {
    this.#closed = true;
    this.#pacer.clear();
    for (const question of [...this.#waiting, ...this.#inFlight.values()]) {
      this.#end(question, undefined);
    }
    this.#socket = undefined;
  }

  /**
   * Asks for the SOA of a zone.
   *
   * @param answered  called once, later: with undefined when no answer came in time
   * @returns takes the question back; `answered` is not called any more
   */
  ask(
    apex: Name,
    answered: (answer: SoaAnswer | undefined) => void,
    { urgent = false, answerMs = SOA_ANSWER_MS }: AskOptions = {},
  ): () => void {
    const question: Question = {
      apex,
      answered,
      answerMs,
      id: undefined,
      signed: undefined,
      cancelTimer: undefined,
      done: false,
    };
    if (this.#closed) queueMicrotask(() => this.#end(question, undefined));
    else {
      this.#waiting.add(question);
      this.#pacer.add(() => this.#send(question), urgent);
    }
    return () => this.#forget(question);
  }

  /** Handles a datagram from this server's address and port. */
  received(message: Uint8Array): void {
    const response = readSoaResponse(message);
    const question = response && this.#inFlight.get(response.id);
    if (!question || !answersSoaQuery(response, response.id, question.apex)) return;
    const fault = this.signer.fault(message, question.signed);
    if (fault) return this.#trouble.disbelieved(fault);
    this.#unanswered = 0;
    this.#end(question, { rcode: response.rcode, serial: response.serial });
  }

  #send(question: Question): boolean {
    if (question.done) return false; // taken back meanwhile
    const id = freeId(this.#inFlight);
    question.id = id;
    this.#waiting.delete(question);
    this.#inFlight.set(id, question);
    this.sent++;
    this.#sentAt = this.#clock.now();
    question.cancelTimer = this.#clock.after(question.answerMs, () => {
      this.#unanswered++;
      this.#end(question, undefined);
    });
    const { message, signed } = this.signer.sign(soaQuery(id, question.apex));
    question.signed = signed;
    this.#socket?.send(message, this.address, (error) => this.#trouble.failed(error));
    return true;
  }

  #end(question: Question, answer: SoaAnswer | undefined): void {
    if (question.done) return;
    this.#forget(question);
    question.answered(answer);
  }

  #forget(question: Question): void {
    question.done = true;
    question.cancelTimer?.();
    question.cancelTimer = undefined;
    this.#waiting.delete(question);
    if (question.id !== undefined) this.#inFlight.delete(question.id);
  }
}
