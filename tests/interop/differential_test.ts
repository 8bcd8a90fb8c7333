/**
 * The same questions to us and to NSD, Knot and BIND with the same zones: answers
 * are the same, or the difference stands in the table with its reason.
 */
import { assert, assertEquals } from "@std/assert";
import { formatName, parseName } from "../../lib/dns/mod.ts";
import { Access } from "../../lib/server/mod.ts";
import { type AnswerContext, respond } from "../../lib/server/respond.ts";
import { readOwners, type ZoneTable } from "../../lib/zone/mod.ts";
import { askMany } from "../support/ask_many.ts";
import { comparable, type ComparableMessage, line } from "../support/comparable.ts";
import { exchange, type Server } from "../support/dns_client.ts";
import { FILE_PRIMARIES, type FilePrimary, startFilePrimary } from "../support/file_primaries.ts";
import { interopTest } from "../support/interop.ts";
import { NASTY_ZONES } from "../support/nasty_zones.ts";
import { startOurPrimary } from "../support/our_primary.ts";
import { randomOf } from "../support/random.ts";
import {
  questionMessage,
  type RandomQuestion,
  randomQuestions,
} from "../support/random_questions.ts";
import { explanationOf, EXPLANATIONS, type Pair, pointsOf } from "./differences.ts";

const SEED = Number(Deno.env.get("ZONECAST_SEED") ?? 20261123);
const QUESTIONS = 20_000;
/** Of those truncated over UDP, so many are asked over TCP too. */
const TCP_QUESTIONS = 150;
/** More than thirty times what it takes. */
const TIMEOUT_MS = 120_000;

/** Our whole answer, whatever its size: what TCP brings. */
function wholeAnswer(message: Uint8Array, zones: ZoneTable): ComparableMessage {
  const rules = { secondaries: [], allowTransfer: [], allowQuery: undefined };
  const context: AnswerContext = { zones, access: new Access(rules), keepsDifferences: false };
  return comparable(respond(message, { ip: "127.0.0.1", transport: "tcp" }, context).message!);
}

function namesIn(zones: ZoneTable): string[] {
  return [...zones.all()].flatMap(({ apex, pages }) =>
    [apex, ...Array.from(readOwners(pages), ({ owner }) => owner)].map(formatName)
  );
}

/** Fails with the first points no row explains; else counts how often each row was needed. */
class Comparison {
  readonly used = new Map<string, number>();
  readonly unexplained: string[] = [];
  same = 0;

  add(pair: Pair): void {
    const points = pointsOf(pair);
    if (points.length === 0) this.same++;
    const rows = new Set<string>();
    for (const point of points) {
      const row = explanationOf(point, pair);
      if (row) rows.add(`${pair.peer}: ${row.id}`);
      else {
        const what = "record" in point
          ? `${point.kind} only ${point.by}: ${line(point.record)}`
          : point.kind;
        const { question, ours, theirs } = pair;
        const [we, they] = [ours, theirs].map(shown);
        this.unexplained.push(
          `${pair.peer}: ${what}\n${Deno.inspect(question)}\nours: ${we}\ntheirs: ${they}\n`,
        );
        return;
      }
    }
    for (const row of rows) this.used.set(row, (this.used.get(row) ?? 0) + 1);
  }

  /** How often each row was needed, for the reader of the test's output. */
  report(): string {
    const rows = [...this.used].sort(([a], [b]) => a < b ? -1 : 1);
    return [`${this.same} the same`, ...rows.map(([row, times]) => `${times} ${row}`)].join("\n");
  }
}

interopTest("20,000 random questions: we answer as NSD, Knot and BIND do, or the table says why", {
  needs: ["nsd", "knot", "bind"],
}, async () => {
  console.log(`seed ${SEED} (ZONECAST_SEED)`);
  await using ours = await startOurPrimary(NASTY_ZONES);
  const next = randomQuestions(namesIn(ours.zones), randomOf(SEED));
  const questions = Array.from({ length: QUESTIONS }, next);
  const zoneOf = (name: string) => {
    const apex = ours.zones.closest(parseName(name))?.apex;
    return apex && formatName(apex);
  };
  const wholes = questions.map((question) => wholeAnswer(questionMessage(question), ours.zones));
  const our = await answersOf(ours, questions);
  for (const [i, answer] of our.entries()) checkOurs(questions[i], answer);
  const comparison = new Comparison();
  const truncated = new Set<number>();
  const compare = (
    peer: FilePrimary,
    i: number,
    ours: ComparableMessage,
    theirs: ComparableMessage,
  ) => comparison.add({ question: questions[i], peer, ours, theirs, whole: wholes[i], zoneOf });
  for (const peer of FILE_PRIMARIES) {
    await using server = await startFilePrimary(peer, NASTY_ZONES);
    const theirs = await answersOf(server, questions);
    for (const [i, answer] of theirs.entries()) {
      if (answer.tc || our[i].tc) truncated.add(i);
      compare(peer, i, our[i], answer);
    }
    for (const i of [...truncated].slice(0, TCP_QUESTIONS)) {
      const [mine, other] = [
        await overTcp(ours, questions[i]),
        await overTcp(server, questions[i]),
      ];
      assertEquals([mine.tc, other.tc], [false, false]);
      compare(peer, i, mine, other);
    }
  }
  console.log(comparison.report());
  const { unexplained } = comparison;
  assertEquals(unexplained.length, 0, unexplained.slice(0, 5).join("\n"));
});

/** A message in a few lines. */
function shown({ rcode, aa, tc, octets, ...sections }: ComparableMessage): string {
  const lines = (["answer", "authority", "additional"] as const).flatMap((name) =>
    sections[name].map((record) => `  ${name}: ${line(record)}`)
  );
  return [`${rcode}${aa ? " AA" : ""}${tc ? " TC" : ""}, ${octets} octets`, ...lines].join("\n");
}

/** What is to be so whatever others say. */
function checkOurs(question: RandomQuestion, answer: ComparableMessage): void {
  const { edns } = question;
  const most = Math.max(512, Math.min(edns?.payloadOctets ?? 512, 1_232));
  assert(answer.octets <= most, `${answer.octets} octets: ${Deno.inspect(question)}`);
  assertEquals(answer.opt?.dnssecOk, edns?.dnssecOk);
  for (const section of [answer.answer, answer.authority, answer.additional]) {
    assertEquals(
      new Set(section.map(line)).size,
      section.length,
      Deno.inspect({ question, section }),
    );
  }
}

async function answersOf(
  server: Server,
  questions: readonly RandomQuestion[],
): Promise<ComparableMessage[]> {
  return (await askMany(server, questions.map(questionMessage), TIMEOUT_MS)).map(comparable);
}

async function overTcp(server: Server, question: RandomQuestion): Promise<ComparableMessage> {
  const options = { tcp: true, timeoutMs: 10_000 };
  return comparable(await exchange(server, questionMessage(question), options));
}

Deno.test("the table of differences: each row has its own name and says where it rests", () => {
  assertEquals(new Set(EXPLANATIONS.map(({ id }) => id)).size, EXPLANATIONS.length);
  for (const { id, why } of EXPLANATIONS) assert(/RFC \d+ §\d/.test(why), id);
});
