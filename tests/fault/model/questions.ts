/** Questions to what is served, drawn from a seed, the same names again and again. */
import { assert, assertEquals } from "@std/assert";
import { query, type QueryType, type Reply } from "../../support/dns_client.ts";
import { randomOf } from "../../support/random.ts";
import { answerOf, lineOf, type Outcome, type ServedZones } from "./answers.ts";
import { ZONES } from "./operation.ts";
import { DNAME_NAMES, NAMES } from "./rows.ts";
import type { World } from "./world.ts";

/** Each time zones are compared. */
const QUESTIONS = 12;
/** Over TCP one of so many. */
const TCP_OF = 6;

const TYPES: readonly QueryType[] = ["A", "A", "AAAA", "TXT", "MX", "CNAME", "NS", "DNAME", "SOA"];
/** How a chain without an end may be answered. */
const ENDLESS = ["SERVFAIL", "YXDOMAIN"];
const BELOW = ["x.", "x.y.", "www.", "*."];

export class Questions {
  readonly #random = randomOf(1);

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)];
  }

  #name(): string {
    const name = this.#pick([...NAMES, ...DNAME_NAMES, "f1", "nothing"]);
    const below = this.#random() < 0.3 ? this.#pick(BELOW) : "";
    const apex = `${this.#pick(ZONES)}.`;
    return below + (name === "@" ? apex : `${name}.${apex}`);
  }

  /** Asks some, of zones that stay as they are. */
  async ask(world: World, zones: ServedZones): Promise<void> {
    for (let n = 0; n < QUESTIONS; n++) {
      const [name, type] = [this.#name(), this.#pick(TYPES)];
      const tcp = n % TCP_OF === 0;
      const ask = (tcp: boolean) =>
        query(world.zonecast, name.slice(0, -1), type, { tcp, resendMs: 1_000 });
      const first = await ask(tcp);
      const reply = first.flag_tc ? await ask(true) : first;
      const expected = answerOf(zones, name, type);
      if (expected) assertEquals(outcomeOf(reply), expected, `${name} ${type}`);
      else assert(ENDLESS.includes(reply.rcode), `${name} ${type}: ${reply.rcode}`);
    }
  }
}

function outcomeOf({ rcode, flag_aa, answers = [], authorities = [] }: Reply): Outcome {
  return {
    rcode,
    authoritative: flag_aa,
    answers: answers.map(lineOf).sort(),
    authorities: authorities.map(lineOf).sort(),
  };
}
