/** What strangers send: the fuzzer's messages, and connections that hang. */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { fuzzTcp, UdpFuzzer } from "../fault/fuzz_client.ts";
import type { Server } from "../support/dns_client.ts";
import { MessageFuzzer } from "../support/fuzz_messages.ts";
import { randomOf } from "../support/random.ts";
import type { Load } from "./load.ts";

/** Names near which the fuzzer's questions lie. */
const NAMES = [
  "steady.example",
  "www.steady.example",
  "x.wild.steady.example",
  "x.sub.steady.example",
  "x.tree.steady.example",
  "large.steady.example",
  "counter.soak.example",
  "nowhere.test",
];

/** Spoilt messages over UDP, each answered that must be. */
export class UdpJunk implements Load {
  readonly name = "junk over UDP";
  readonly everyMs = 100;
  readonly #fuzzer: MessageFuzzer;
  #udp: UdpFuzzer;
  #sent = 0;

  constructor(readonly server: Server, seed: number) {
    this.#fuzzer = new MessageFuzzer(seed, NAMES, [1, 2]);
    this.#udp = new UdpFuzzer(server);
  }

  async turn(): Promise<void> {
    try {
      for (let i = 0; i < 15; i++) await this.#udp.send(this.#fuzzer.next());
      await this.#udp.settle();
      this.#sent += 15;
    } catch (error) {
      // It would say the same of every message from now on.
      this.close();
      this.#udp = new UdpFuzzer(this.server);
      throw error;
    }
  }

  summary(): string {
    return `${this.#sent} messages`;
  }

  close(): void {
    this.#udp[Symbol.dispose]();
  }
}

/** Spoilt messages pipelined over TCP, with something spoilt behind them. */
export class TcpJunk implements Load {
  readonly name = "junk over TCP";
  readonly everyMs = 1_500;
  readonly #fuzzer: MessageFuzzer;
  #sent = 0;

  constructor(readonly server: Server, seed: number) {
    this.#fuzzer = new MessageFuzzer(seed, NAMES, [1, 2]);
  }

  async turn(): Promise<void> {
    const messages = Array.from({ length: 30 }, () => this.#fuzzer.next());
    await fuzzTcp(this.server, messages, this.#fuzzer.next().octets);
    this.#sent += messages.length;
  }

  summary(): string {
    return `${this.#sent} messages`;
  }
}

/** Connections held at a time: beyond what one stranger may have (32). */
const HELD = 40;
/** What a connection that hangs has sent: nothing, half a length, a length, half a message. */
const BEGINNINGS = [[], [0], [0, 40], [0, 40, 1, 2, 0, 0, 0, 1]];

/** Connections that are opened, hang, and are dropped, from strangers' addresses. */
export class HangingConnections implements Load {
  readonly name = "connections that hang";
  readonly everyMs = 250;
  readonly #random: () => number;
  readonly #held = new Set<Socket>();
  #opened = 0;
  #ended = 0;

  constructor(readonly server: Server, seed: number) {
    this.#random = randomOf(seed);
  }

  turn(): Promise<void> {
    const { addr: host, port } = this.server;
    // Most of them are one stranger's, who comes to have too many.
    const localAddress = this.#random() < 0.9 ? "127.0.7.1" : `127.0.7.${2 + this.#opened % 250}`;
    const socket = connect({ host, port, localAddress });
    // Refused, reset, timed out: as it may be.
    socket.on("error", () => {});
    socket.on("close", () => this.#ended += this.#held.delete(socket) ? 1 : 0);
    const begin = BEGINNINGS[Math.floor(this.#random() * BEGINNINGS.length)];
    if (begin.length > 0) socket.write(Buffer.from(begin));
    socket.resume();
    this.#opened++;
    this.#held.add(socket);
    if (this.#held.size > HELD) this.#drop(...this.#held.values().take(1));
    return Promise.resolve();
  }

  #drop(...sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      this.#held.delete(socket);
      socket.destroy();
    }
  }

  summary(): string {
    return `${this.#opened} opened, ${this.#ended} of them ended by the server`;
  }

  close(): void {
    this.#drop(...this.#held);
  }
}
