/** Asks a server for a zone's SOA all the time, and tells how long it ever went without an answer. */
import * as dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { Server } from "./dns_client.ts";
import { sleep } from "./wait.ts";

export interface Probe {
  readonly answers: number;
  /**
   * The longest time between two answers, or since the last, in ms; told by the questions asked
   * in it, so that time in which the prober itself was kept from running does not count.
   */
  readonly longestGapMs: number;
  /** Answers that were none: not NOERROR, not authoritative, without the SOA. */
  readonly bad: readonly string[];
  /** The serials seen, each once, in the order seen. */
  readonly serials: readonly number[];
}

export interface Prober extends AsyncDisposable {
  /** What was seen since the start. */
  readonly probe: Probe;
}

/** Between two questions, in ms. */
const INTERVAL_MS = 10;

class SoaProber implements Prober {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #bad: string[] = [];
  readonly #serials: number[] = [];
  #answers = 0;
  #questions = 0;
  /** As many questions had been asked at the last answer. */
  #answeredAt = 0;
  #longestGap = 0;
  #over = false;
  readonly #ended: Promise<unknown>;

  constructor(readonly server: Server, readonly zone: string) {
    this.#ended = Promise.all([this.#ask(), this.#listen()]);
  }

  get probe(): Probe {
    const sinceLast = this.#questions - this.#answeredAt;
    return {
      answers: this.#answers,
      longestGapMs: Math.max(this.#longestGap, sinceLast) * INTERVAL_MS,
      bad: [...this.#bad],
      serials: [...this.#serials],
    };
  }

  async #ask(): Promise<void> {
    const to = { transport: "udp", hostname: this.server.addr, port: this.server.port } as const;
    for (let id = 0; !this.#over; id = (id + 1) & 0xffff) {
      const octets = dnsPacket.encode({
        type: "query",
        id,
        questions: [{ type: "SOA", name: this.zone }],
      });
      await this.#socket.send(octets, to);
      this.#questions++;
      await sleep(INTERVAL_MS);
    }
  }

  async #listen(): Promise<void> {
    for await (const [octets] of this.#socket) {
      this.#longestGap = Math.max(this.#longestGap, this.#questions - this.#answeredAt);
      this.#answeredAt = this.#questions;
      this.#answers++;
      this.#judge(dnsPacket.decode(Buffer.from(octets)));
    }
  }

  #judge(reply: dnsPacket.DecodedPacket): void {
    const soa = reply.answers?.find((answer) => answer.type === "SOA");
    const serial = soa?.type === "SOA" ? soa.data.serial : undefined;
    if (serial === undefined || !reply.flag_aa) this.#bad.push(JSON.stringify(reply));
    else if (serial !== this.#serials.at(-1)) this.#serials.push(serial);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.#socket.close();
    await this.#ended.catch(() => {}); // a question may be on its way into the closed socket
  }
}

/** Starts to ask; until it is disposed of. */
export function startProber(server: Server, zone: string): Prober {
  return new SoaProber(server, zone);
}
