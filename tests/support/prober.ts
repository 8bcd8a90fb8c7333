/**
 * Asks a server all the time for a zone's SOA, and in turn for a record that never changes, and
 * tells how long it ever went without an answer.
 */
import * as dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { Server } from "./dns_client.ts";
import { sleep, until } from "./wait.ts";

export interface Probe {
  readonly answers: number;
  readonly questions: number;
  /** Questions not answered within {@link LOST_AFTER} further ones. */
  readonly unanswered: number;
  /**
   * The longest time between two answers, or since the last, in ms; told by the questions asked
   * in it, so that time in which the prober itself was kept from running does not count.
   */
  readonly longestGapMs: number;
  /** Answers that were none: not NOERROR, not authoritative, without the SOA or the record as it is. */
  readonly bad: readonly string[];
  /** The serials seen, each once, in the order seen. */
  readonly serials: readonly number[];
}

export interface Prober extends AsyncDisposable {
  /** What was seen since the start. */
  readonly probe: Probe;
  /**
   * Waits until what was asked is answered, or lost, as what is asked later is answered. Asks no
   * more then. Returns all that was seen.
   */
  end(): Promise<Probe>;
}

/** A record of type A that is there all the time. */
export interface SteadyRecord {
  readonly name: string;
  readonly address: string;
}

/** Between two questions, in ms. */
const INTERVAL_MS = 10;
/** Questions asked after one before it counts as unanswered, unless the end comes first. */
const LOST_AFTER = 100;
/** What is not answered so long after a later question was never will be, in ms. */
const DRAIN_MS = 2_000;

class UdpProber implements Prober {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #bad: string[] = [];
  readonly #serials: number[] = [];
  #answers = 0;
  #questions = 0;
  /** As many questions had been asked at the last answer. */
  #answeredAt = 0;
  #longestGap = 0;
  /** Of the questions answered, how many were asked before the newest. */
  #newestAnswered = -1;
  /** Questions without an answer: message ID → how many were asked before it. */
  readonly #open = new Map<number, number>();
  #lost = 0;
  #over = false;
  readonly #asking: Promise<void>;
  readonly #listening: Promise<void>;

  constructor(readonly server: Server, readonly zone: string, readonly steady?: SteadyRecord) {
    this.#asking = this.#ask();
    this.#listening = this.#listen();
  }

  get probe(): Probe {
    const sinceLast = this.#questions - this.#answeredAt;
    const lostBelow = this.#over ? Infinity : this.#questions - LOST_AFTER;
    return {
      answers: this.#answers,
      questions: this.#questions,
      unanswered: this.#lost +
        [...this.#open.values()].filter((asked) => asked < lostBelow).length,
      longestGapMs: Math.max(this.#longestGap, sinceLast) * INTERVAL_MS,
      bad: [...this.#bad],
      serials: [...this.#serials],
    };
  }

  async end(): Promise<Probe> {
    const end = this.#questions;
    const isPast = () => this.#newestAnswered >= end;
    await until(isPast, { what: `${this.zone} is answered once more` });
    this.#over = true;
    await this.#asking.catch(() => {}); // the socket may be closed under it
    for (const [id, asked] of this.#open) if (asked >= end) this.#open.delete(id);
    const deadline = performance.now() + DRAIN_MS;
    while (this.#open.size > 0 && performance.now() < deadline) await sleep(INTERVAL_MS);
    return this.probe;
  }

  async #ask(): Promise<void> {
    const to = { transport: "udp", hostname: this.server.addr, port: this.server.port } as const;
    for (let id = 0; !this.#over; id = (id + 1) & 0xffff) {
      const { steady } = this;
      const question = steady && id % 2 === 1
        ? { type: "A", name: steady.name } as const
        : { type: "SOA", name: this.zone } as const;
      if (this.#open.has(id)) this.#lost++; // of the round of IDs before
      this.#open.set(id, this.#questions);
      await this.#socket.send(
        dnsPacket.encode({ type: "query", id, questions: [question] }),
        to,
      );
      this.#questions++;
      await sleep(INTERVAL_MS);
    }
  }

  async #listen(): Promise<void> {
    for await (const [octets] of this.#socket) {
      this.#longestGap = Math.max(this.#longestGap, this.#questions - this.#answeredAt);
      this.#answeredAt = this.#questions;
      this.#answers++;
      const reply = dnsPacket.decode(Buffer.from(octets));
      this.#newestAnswered = Math.max(this.#newestAnswered, this.#open.get(reply.id ?? -1) ?? 0);
      this.#open.delete(reply.id ?? -1);
      this.#judge(reply);
    }
  }

  #judge(reply: dnsPacket.DecodedPacket): void {
    if (!reply.flag_aa || !this.#isRight(reply)) this.#bad.push(JSON.stringify(reply));
  }

  #isRight({ questions, answers = [] }: dnsPacket.DecodedPacket): boolean {
    const [answer] = answers;
    if (questions?.[0]?.type === "A") {
      return answers.length === 1 && answer.type === "A" && answer.data === this.steady?.address;
    }
    const serial = answer?.type === "SOA" ? answer.data.serial : undefined;
    if (serial === undefined) return false;
    if (serial !== this.#serials.at(-1)) this.#serials.push(serial);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.#socket.close();
    // A question may be on its way into the closed socket.
    await Promise.all([this.#asking, this.#listening]).catch(() => {});
  }
}

/**
 * Starts to ask; until it is disposed of.
 *
 * @param steady  without it only the SOA is asked for
 */
export function startProber(server: Server, zone: string, steady?: SteadyRecord): Prober {
  return new UdpProber(server, zone, steady);
}
