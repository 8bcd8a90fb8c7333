/** Questions whose right answers are known, over UDP and TCP; and one whose answer moves. */
import { askMany } from "../support/ask_many.ts";
import { comparable, type ComparableMessage, lines } from "../support/comparable.ts";
import { exchange, query, type Server } from "../support/dns_client.ts";
import { percentile } from "../support/process_figures.ts";
import { questionMessage, type RandomQuestion } from "../support/random_questions.ts";
import { type CounterChanges, valueOf } from "./changes.ts";
import type { Load } from "./load.ts";

/** What is served of a zone that does not change. */
export interface Known {
  readonly name: string;
  readonly type: string;
  readonly rcode?: string;
  /** Default: yes. */
  readonly aa?: boolean;
  /** As lines of master files; default none. */
  readonly answer?: readonly string[];
  /** The types in the authority section; default none. */
  readonly authority?: readonly string[];
  /** Whether the answer may be cut short over UDP. */
  readonly large?: boolean;
}

export const STEADY_ZONE = "steady.example";

/** Rows of {@link STEADY_ZONE}: owner, type, content. */
export const STEADY_ROWS: readonly (readonly [string, string, string])[] = [
  ["www", "A", "192.0.2.1"],
  ["www", "A", "192.0.2.2"],
  ["www", "AAAA", "2001:db8::1"],
  ["@", "MX", "10 mail.elsewhere.example."],
  ["*.wild", "TXT", '"any"'],
  ["alias", "CNAME", "www"],
  ["er.deep", "A", "192.0.2.3"],
  ["sub", "NS", "ns.sub"],
  ["ns.sub", "A", "192.0.2.4"],
  ["tree", "DNAME", "t.elsewhere.example."],
  ...Array.from(
    { length: 60 },
    (_, index) => ["large", "TXT", `"${`${index}`.padEnd(200, "x")}"`] as const,
  ),
];

const WWW = ["192.0.2.1", "192.0.2.2"].map((ip) => `www.steady.example. 300 A ${ip}`);

export const KNOWN: readonly Known[] = [
  { name: "www.steady.example.", type: "A", answer: WWW },
  {
    name: "www.steady.example.",
    type: "AAAA",
    answer: ["www.steady.example. 300 AAAA 2001:db8::1"],
  },
  {
    name: "steady.example.",
    type: "MX",
    answer: ["steady.example. 300 MX 10 mail.elsewhere.example."],
  },
  {
    name: "x.wild.steady.example.",
    type: "TXT",
    answer: ['x.wild.steady.example. 300 TXT "any"'],
  },
  {
    name: "alias.steady.example.",
    type: "A",
    answer: ["alias.steady.example. 300 CNAME www.steady.example.", ...WWW],
  },
  { name: "www.steady.example.", type: "SRV", authority: ["SOA"] },
  { name: "deep.steady.example.", type: "A", authority: ["SOA"] },
  { name: "none.steady.example.", type: "A", rcode: "NXDOMAIN", authority: ["SOA"] },
  { name: "x.sub.steady.example.", type: "A", aa: false, authority: ["NS"] },
  {
    name: "x.tree.steady.example.",
    type: "A",
    answer: [
      "tree.steady.example. 300 DNAME t.elsewhere.example.",
      "x.tree.steady.example. 300 CNAME x.t.elsewhere.example.",
    ],
  },
  {
    name: "large.steady.example.",
    type: "TXT",
    large: true,
    answer: STEADY_ROWS.filter(([name]) => name === "large")
      .map(([, , content]) => `large.steady.example. 300 TXT ${content}`),
  },
  { name: "www.nowhere.test.", type: "A", rcode: "REFUSED", aa: false },
];

/** What is wrong with an answer; undefined when nothing is. */
export function objectionTo(
  message: ComparableMessage,
  known: Known,
  asked: Pick<RandomQuestion, "edns"> & { readonly tcp: boolean },
): string | undefined {
  const { rcode = "NOERROR", aa = true, answer = [], authority = [], large = false } = known;
  if (message.rcode !== rcode) return `RCODE ${message.rcode}`;
  if (message.aa !== aa) return `AA ${message.aa}`;
  if ((message.opt !== undefined) !== (asked.edns !== undefined)) return "an OPT record or none";
  if (message.tc) return large && !asked.tcp ? undefined : "truncated";
  const got = lines(message.answer);
  if (got.join("\n") !== [...answer].sort().join("\n")) return `answer ${got.join("; ")}`;
  const types = [...new Set(message.authority.map(({ type }) => type))];
  if (types.join() !== authority.join()) return `authority of types ${types.join() || "none"}`;
}

type Pick1 = <T>(values: readonly T[]) => T;

/** Questions to which the answers are {@link KNOWN}. */
export class KnownQuestions implements Load {
  readonly name: string;
  readonly everyMs: number;
  #asked = 0;

  /** @param random  from 0 up to 1 */
  constructor(
    readonly server: Server,
    readonly random: () => number,
    readonly load: { readonly tcp: boolean; readonly perTurn: number; readonly everyMs: number },
  ) {
    this.name = `questions over ${load.tcp ? "TCP" : "UDP"}`;
    this.everyMs = load.everyMs;
  }

  async turn(): Promise<void> {
    const pick: Pick1 = (values) => values[Math.floor(this.random() * values.length)];
    const asked = Array.from({ length: this.load.perTurn }, () => {
      const known = pick(KNOWN);
      const edns = this.random() < 0.4
        ? undefined
        : { payloadOctets: pick([512, 1232, 4096]), dnssecOk: this.random() < 0.3 };
      return { known, edns, tcp: this.load.tcp };
    });
    const messages = asked.map(({ known: { name, type }, edns }) =>
      questionMessage({ name, type, edns, recursionDesired: this.random() < 0.5 })
    );
    const answers = this.load.tcp
      ? await Promise.all(messages.map((message) => exchange(this.server, message, { tcp: true })))
      : await askMany(this.server, messages, 60_000);
    answers.forEach((answer, index) => {
      const { known } = asked[index];
      const wrong = objectionTo(comparable(answer), known, asked[index]);
      if (wrong) throw new Error(`${known.name} ${known.type}: ${wrong}`);
    });
    this.#asked += asked.length;
  }

  summary(): string {
    return `${this.#asked} answered rightly`;
  }
}

/** Asks for the counter: it never falls, and never shows what was not written. */
export class CounterQuestions implements Load {
  readonly name = "questions for the counter";
  readonly everyMs = 40;
  readonly #lagsMs: number[] = [];
  #seen = 0;
  #asked = 0;

  constructor(readonly server: Server, readonly changes: CounterChanges, readonly zone: string) {}

  async turn(): Promise<void> {
    const reply = await query(this.server, `counter.${this.zone}`, "A", { resendMs: 1_000 });
    const [answer] = reply.answers ?? [];
    if (answer?.type !== "A") throw new Error(`the counter's answer is ${Deno.inspect(reply)}`);
    const value = valueOf(answer.data);
    const { sent, committedAt } = this.changes;
    if (value < this.#seen || value > sent) {
      throw new Error(`the counter shows ${value}, after ${this.#seen}; ${sent} is the last sent`);
    }
    const at = committedAt.get(value);
    // A value that was seen before its commit was acknowledged took no time at all.
    if (value > this.#seen && at !== undefined) this.#lagsMs.push(performance.now() - at);
    this.#seen = value;
    this.#asked++;
  }

  summary(): string {
    const [half, most] = [0.5, 0.9].map((share) => percentile(this.#lagsMs, share).toFixed(0));
    return `${this.#asked} answered rightly; commit → answer p50 ${half} ms, p90 ${most} ms`;
  }
}
