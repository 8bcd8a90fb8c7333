/** SOA and A questions over UDP. */
import type { QuestionsResult } from "./client.ts";
import {
  assertSameContent,
  ClientShares,
  type Contender,
  noteSameContent,
  SUBJECT,
} from "./contenders.ts";
import type { Bench, Scenario } from "./scenario.ts";
import { label, ZONE } from "./zones.ts";

const SCENARIO = "questions";
const SIZE = 1_000_000;
/** Names asked for, spread over the zone: more than fit a processor's cache. */
const NAMES = 100_000;
/** How long one measurement is, in seconds. */
const SECONDS = { quick: 0.2, whole: 2 };
const WINDOW = { sockets: 4, window: 32 };
const REFERENCE = "BIND";
/**
 * Found by a profile and by timing datagrams alone: sending and receiving 64 at a time, an echo
 * does some 260,000 a second on one thread, and an answer's own work is 0.2 µs (SOA) to 1.5 µs (A,
 * most of it memory that lies far apart).
 */
const MISSED =
  "zonecast answers on one thread: the runtime cannot share a UDP port among several. " +
  "BIND uses every core";

async function writeNames(path: string, size: number): Promise<void> {
  const owners = size / 2;
  const count = Math.min(NAMES, owners);
  const names = Array.from(
    { length: count },
    (_, index) => `${label(Math.floor(index * owners / count))}.${ZONE}\n`,
  );
  await Deno.writeTextFile(path, names.join(""));
}

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const contenders = await bench.contenders(size);
  const names = `${await bench.tempDir()}/names`;
  await writeNames(names, size);
  const shares = new ClientShares();
  const seconds = bench.quick ? SECONDS.quick : SECONDS.whole;
  let lost = 0;
  const ask = ({ server }: Contender, type: string) =>
    bench.client.run<QuestionsResult>("questions", {
      port: server.port,
      type,
      seconds,
      ...WINDOW,
      ...(type === "SOA" ? { name: ZONE } : { names }),
    });
  for (const type of ["SOA", "A"]) {
    // Not counted: caches fill, and zonecast's code is compiled.
    for (const contender of contenders.all) await ask(contender, type);
    await bench.interleave(contenders.all, async (contender) => {
      const { name } = contender;
      const result = await ask(contender, type);
      if (result.wrong > 0) {
        throw new Error(`${name} gave ${result.wrong} wrong answers to ${type}`);
      }
      lost += result.lost;
      shares.add(name, result.cpuShare);
      const key = { scenario: SCENARIO, server: name, size };
      bench.record({ ...key, what: type, unit: "questions/s", value: result.perSecond });
      bench.record({ ...key, what: `${type}, p50`, unit: "s", value: result.p50 });
      bench.record({ ...key, what: `${type}, p99`, unit: "s", value: result.p99 });
    });
    const median = (server: string) =>
      bench.median({ scenario: SCENARIO, what: type, server, size });
    bench.progress(`measured ${type}`);
    bench.goal({
      scenario: SCENARIO,
      what: `${type} questions/s over UDP`,
      value: median(SUBJECT),
      unit: "questions/s",
      atLeast: median(REFERENCE),
      bound: `${REFERENCE}'s`,
      reason: MISSED,
    });
  }
  await assertSameContent(bench.client, contenders.zone, contenders.all);
  noteSameContent(bench, SCENARIO, contenders);
  bench.note(
    SCENARIO,
    `after as long a time that was not counted; ${WINDOW.sockets} sockets with ${WINDOW.window} questions under way each; every answer was ` +
      `authoritative and held a record; ${lost} got lost`,
  );
  bench.note(SCENARIO, String(shares));
}

export const QUESTIONS: Scenario = {
  name: SCENARIO,
  title: "questions over UDP",
  contenders: true,
  run,
};
