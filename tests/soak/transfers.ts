/** Clients that fetch zones: whole, by differences, and ones that break off. */
import { type Answer, encode } from "dns-packet";
import { axfr, type Server } from "../support/dns_client.ts";
import { applySequences, recordText } from "../support/ixfr.ts";
import { ixfr } from "../support/ixfr_client.ts";
import type { Load } from "./load.ts";

/** The records of a zone as texts, its SOA left out. */
function texts(records: readonly Answer[]): Set<string> {
  return new Set(records.filter(({ type }) => type !== "SOA").map(recordText));
}

/** Fetches whole zones: each is of one moment. */
export class WholeTransfers implements Load {
  readonly name = "AXFR";
  readonly everyMs = 2_500;
  #done = 0;
  #records = 0;

  constructor(readonly server: Server, readonly zones: readonly string[]) {}

  async turn(): Promise<void> {
    const zone = this.zones[this.#done % this.zones.length];
    const { rcode, records } = await axfr(this.server, zone);
    if (rcode !== "NOERROR") throw new Error(`AXFR of ${zone}: ${rcode}`);
    const [first, last] = [records[0], records[records.length - 1]].map(recordText);
    if (first !== last) throw new Error(`AXFR of ${zone} began with ${first}, ended with ${last}`);
    const generations = new Set(
      records.filter(({ name }) => name.startsWith("bulk")).map((record) =>
        "data" in record ? String(record.data) : ""
      ),
    );
    if (generations.size > 1) {
      throw new Error(`AXFR of ${zone} mixes ${[...generations].join(", ")}`);
    }
    this.#done++;
    this.#records += records.length;
  }

  summary(): string {
    return `${this.#done} transfers, ${this.#records} records`;
  }
}

/** Follows a zone by IXFR, as strictly as BIND does. */
export class Follower implements Load {
  readonly name: string;
  #records = new Set<string>();
  #serial = 0;
  readonly #forms = { soa: 0, ixfr: 0, axfr: 0 };
  #sequences = 0;

  constructor(readonly server: Server, readonly zone: string, readonly everyMs: number) {
    this.name = `IXFR of ${zone} each ${everyMs / 1000} s`;
  }

  async turn(): Promise<void> {
    const answer = await ixfr(this.server, this.zone, this.#serial);
    this.#forms[answer.form]++;
    if (answer.form === "axfr") this.#records = texts(answer.records);
    if (answer.form === "ixfr") {
      this.#records = applySequences(this.#records, this.#serial, answer.sequences).records;
      this.#sequences += answer.sequences.length;
    }
    this.#serial = answer.serial;
  }

  /** Fails unless it holds what the server has now. */
  async compare(): Promise<void> {
    await this.turn();
    const { records } = await axfr(this.server, this.zone);
    const whole = texts(records);
    const differing = this.#records.symmetricDifference(whole);
    if (differing.size > 0) {
      throw new Error(
        `${this.name}: ${differing.size} records differ from the AXFR's, as ${[...differing][0]}`,
      );
    }
  }

  summary(): string {
    const { soa, ixfr, axfr } = this.#forms;
    return `${ixfr} of ${this.#sequences} sequences, ${axfr} whole zones, ${soa} times nothing new`;
  }
}

/** Asks for a zone three times over and leaves without having read: the connection is reset. */
export class BrokenTransfers implements Load {
  readonly name = "transfers reset";
  readonly everyMs = 1_500;
  #done = 0;

  constructor(readonly server: Server, readonly zone: string) {}

  async turn(): Promise<void> {
    using conn = await Deno.connect({ hostname: this.server.addr, port: this.server.port });
    const questions = [{ type: "AXFR", name: this.zone } as const];
    for (let id = 0; id < 3; id++) {
      const message = encode({ type: "query", id, questions });
      await conn.write(Uint8Array.of(message.length >> 8, message.length & 0xff, ...message));
    }
    // Something has come: closing now, with more to read, resets the connection.
    await conn.read(new Uint8Array(2));
    this.#done++;
  }

  summary(): string {
    return `${this.#done} connections`;
  }
}
