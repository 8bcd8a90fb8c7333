/** A secondary in the test's hands: it takes NOTIFY and SOA queries over UDP and answers as told. */
import * as dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { Server } from "./dns_client.ts";
import { freePort } from "./ports.ts";
import { DEADLINE_MS, until } from "./wait.ts";

/** What is done with a NOTIFY: answered rightly, not at all, or wrongly in one respect. */
export type NotifyReaction =
  | "acknowledge"
  | "ignore"
  | "wrong-id"
  | "wrong-name"
  | "refuse"
  | "garbage";

export interface ReceivedNotify {
  readonly id: number;
  readonly zone: string;
  /** The serial of the SOA in its answer section; undefined without one. */
  readonly serial: number | undefined;
  readonly from: Server;
  /** By performance.now(). */
  readonly atMs: number;
  readonly octets: Uint8Array;
}

export interface FakeSecondary extends Server, AsyncDisposable {
  /** Every NOTIFY so far, oldest first. */
  readonly notifies: readonly ReceivedNotify[];
  /** May be changed at any time. */
  reaction: NotifyReaction;
  /** The serials it shows, by zone as dns-packet writes it; REFUSED for any other. */
  readonly serials: Map<string, number>;
  /** SOA queries so far. */
  readonly soaQueries: number;
  /** Answers leave from another port than the one asked. */
  answersFromElsewhere: boolean;
  /** False: what arrives is counted and nothing is answered. */
  up: boolean;
  /** Acknowledgements are this late, in ms. */
  lateMs: number;
  /** Whether it shows at once what a NOTIFY that it hears announces, as if it had transferred it. */
  follows: boolean;
  /** Called with each NOTIFY that it hears, before it is answered. */
  onNotify: ((notify: ReceivedNotify) => void) | undefined;
  /** Waits until there are at least `count`. Returns the last of them. */
  received(count: number, timeoutMs?: number): Promise<ReceivedNotify>;
}

const OPCODE_NOTIFY = 4;
/** The header's QR bit, in its third octet. */
const QR = 0x80;
const RCODE_REFUSED = 5;

class NotifyReceiver implements FakeSecondary {
  readonly addr = "127.0.0.1";
  readonly notifies: ReceivedNotify[] = [];
  readonly serials = new Map<string, number>();
  soaQueries = 0;
  answersFromElsewhere = false;
  up = true;
  lateMs = 0;
  follows = false;
  onNotify: FakeSecondary["onNotify"];
  readonly #late = new Set<ReturnType<typeof setTimeout>>();
  readonly #elsewhere = Deno.listenDatagram({ transport: "udp", hostname: this.addr, port: 0 });
  readonly #socket: Deno.DatagramConn;
  readonly #served: Promise<void>;

  constructor(readonly port: number, public reaction: NotifyReaction) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: this.addr, port });
    this.#served = this.#serve();
  }

  async #serve(): Promise<void> {
    for await (const [octets, from] of this.#socket) {
      const notify = decodeNotify(octets, from as Deno.NetAddr);
      if (notify) this.notifies.push(notify);
      else this.soaQueries++;
      if (!this.up) continue;
      if (notify) await this.#acknowledge(notify, from);
      else await this.#send(soaReply(octets, this.serials), from);
    }
  }

  async #acknowledge(notify: ReceivedNotify, from: Deno.Addr): Promise<void> {
    const { zone, serial, octets } = notify;
    if (this.follows && serial !== undefined) this.serials.set(zone, serial);
    this.onNotify?.(notify);
    const reply = replyTo(octets, this.reaction);
    if (!reply) return;
    if (this.lateMs > 0) this.#sendLater(reply, from);
    else await this.#send(reply, from);
  }

  async #send(reply: Uint8Array, to: Deno.Addr): Promise<void> {
    const socket = this.answersFromElsewhere ? this.#elsewhere : this.#socket;
    await socket.send(reply, to);
  }

  #sendLater(reply: Uint8Array, to: Deno.Addr): void {
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      this.#send(reply, to);
    }, this.lateMs);
    this.#late.add(timer);
  }

  async received(count: number, timeoutMs = DEADLINE_MS): Promise<ReceivedNotify> {
    await until(() => this.notifies.length >= count, {
      what: `${count} NOTIFY at ${this.addr}:${this.port}`,
      timeoutMs,
      seen: () => this.notifies.map(({ zone, serial }) => ({ zone, serial })),
    });
    return this.notifies[count - 1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#late) clearTimeout(timer);
    this.#elsewhere.close();
    this.#socket.close();
    await this.#served;
  }
}

function decodeNotify(octets: Uint8Array, from: Deno.NetAddr): ReceivedNotify | undefined {
  if (octets.length < 12 || ((octets[2] >> 3) & 0xf) !== OPCODE_NOTIFY) return undefined;
  const message = dnsPacket.decode(Buffer.from(octets));
  const soa = message.answers?.find((answer) => answer.type === "SOA");
  return {
    id: message.id ?? 0,
    zone: message.questions?.[0]?.name ?? "",
    serial: soa?.type === "SOA" ? soa.data.serial : undefined,
    from: { addr: from.hostname, port: from.port },
    atMs: performance.now(),
    octets,
  };
}

/** The acknowledgement is the NOTIFY's header and question with QR set (RFC 1996 §4.7). */
function replyTo(octets: Uint8Array, reaction: NotifyReaction): Uint8Array | undefined {
  if (reaction === "ignore") return undefined;
  if (reaction === "garbage") return new Uint8Array([octets[0], octets[1], 0xff]);
  const reply = octets.slice(0, questionEnd(octets));
  reply[2] |= QR;
  reply.fill(0, 6, 12); // no records but the question
  if (reaction === "wrong-id") reply[1] ^= 0xff;
  if (reaction === "refuse") reply[3] = (reply[3] & 0xf0) | RCODE_REFUSED;
  if (reaction === "wrong-name") reply[13] ^= 1; // the first label's first letter
  return reply;
}

/** The answer to an SOA query, by the serials shown. */
function soaReply(octets: Uint8Array, serials: ReadonlyMap<string, number>): Uint8Array {
  const { id, questions } = dnsPacket.decode(Buffer.from(octets));
  const name = questions?.[0]?.name ?? "";
  const serial = serials.get(name);
  const data = { mname: "ns1.example", rname: "host.example", serial };
  return dnsPacket.encode({
    type: "response",
    id,
    flags: 0x0400 | (serial === undefined ? RCODE_REFUSED : 0),
    questions,
    answers: serial === undefined ? [] : [{ type: "SOA", name, data } as dnsPacket.Answer],
  });
}

/** The offset after the first question. */
function questionEnd(octets: Uint8Array): number {
  let at = 12;
  while (octets[at] !== 0) at += 1 + octets[at];
  return at + 5;
}

export function startFakeSecondary(
  options: { reaction?: NotifyReaction; port?: number } = {},
): FakeSecondary {
  return new NotifyReceiver(options.port ?? freePort(), options.reaction ?? "acknowledge");
}
