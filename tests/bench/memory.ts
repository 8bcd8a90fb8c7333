/** Memory while a zone is served, transferred, and read anew. */
import { newSerial } from "../support/setup.ts";
import { until } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import { now } from "./client.ts";
import type { BenchDatabase } from "./sources.ts";
import {
  assertSameContent,
  type Contender,
  type Contenders,
  noteSameContent,
  SUBJECT,
  transfer,
} from "./contenders.ts";
import { peakWhile, type Resident, residentTree, untilQuiet } from "./resident.ts";
import type { Bench, Scenario } from "./scenario.ts";
import { ZONE } from "./zones.ts";

const SCENARIO = "memory";
const SIZE = 1_000_000;
const CLIENTS = 16;
const FULL_READS = 3;
/** How long one full read may take, in ms. */
const READ_MS = 300_000;
/** A peer whose one transfer takes longer is not asked for 16 at once, in seconds. */
const SLOW = 8;
const MIB = 2 ** 20;

const RESTARTED = "after a restart";
const TRANSFERS = "peak during 16 transfers";
const FIRST_READ = "after the first full read";
const THIRD_READ = "after the third full read";
const READING = "peak during a full read";

/** What is there beside the zone. */
const MISSED =
  "beside the zone, 32 MiB, it holds two heaps of the runtime, each 10 MiB before it has done a " +
  "thing, the code, and memory that garbage had and that the runtime keeps for more of it";

const GOALS = { restarted: 150 * MIB, transfers: 50 * MIB, read: 200 * MIB, reading: 260 * MIB };

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const record = (server: string, what: string, { rss, pss }: Resident) => {
    const key = { scenario: SCENARIO, server, size, unit: "octets" } as const;
    bench.record({ ...key, what, value: rss });
    bench.record({ ...key, what: `${what}, PSS`, value: pss });
  };
  const contenders = await bench.contenders(size);
  const slow = await compare(bench, contenders);
  await contenders.stop();
  const measure = async (contender: Contender) => {
    const { name, server } = contender;
    await server.start();
    await newSerial(server, ZONE, undefined, READ_MS);
    await untilQuiet(server.pid!);
    record(name, RESTARTED, residentTree(server.pid!));
    if (!slow.has(name)) {
      const work = async () => {
        await transfer(bench, SCENARIO, contender, { clients: CLIENTS });
      };
      record(name, TRANSFERS, await peakWhile(server.pid!, work));
    }
    await server.stop();
  };
  await bench.interleave(contenders.all, async (contender, round) => {
    if (contender !== contenders.zonecast && round > 0) return;
    bench.progress(`round ${round + 1}: ${contender.name}`);
    await measure(contender);
  });
  noteSameContent(bench, SCENARIO, contenders);
  bench.note(SCENARIO, "each peer is measured once: no goal depends on it");
  for (const name of slow) {
    bench.note(SCENARIO, `${name} was spared the ${CLIENTS} transfers: one takes over ${SLOW} s`);
  }
  const database = await bench.sources.database(size);
  await bench.interleave([database], async (database, round) => {
    bench.progress(`round ${round + 1}: zonecast, full reads`);
    await readEverything(bench, database, size, (what, memory) => record(SUBJECT, what, memory));
  });
  judge(bench, size);
}

/** Compares what the servers serve. Returns those whose many transfers would take minutes. */
async function compare(bench: Bench, { zone, all }: Contenders): Promise<Set<string>> {
  const slow = new Set<string>();
  for (const contender of all) {
    const began = now();
    await assertSameContent(bench.client, zone, [contender]);
    if (now() - began > SLOW) slow.add(contender.name);
  }
  return slow;
}

/** How often a running zonecast has read everything. */
async function fullReads(zonecast: Zonecast): Promise<number> {
  const status = JSON.parse(await zonecast.mustCli(["status", "--json"]));
  return status.server.source.reads.full;
}

/** A zonecast that knows nothing yet reads the whole zone, and then twice more. */
async function readEverything(
  bench: Bench,
  { url, sql }: BenchDatabase,
  size: number,
  record: (what: string, memory: Resident) => void,
): Promise<void> {
  await using zonecast = await startZonecast({
    source: url,
    binary: true,
    args: ["--allow-transfer", "127.0.0.1"],
  });
  const pid = zonecast.pid!;
  const peaks = [
    await peakWhile(pid, async () => {
      await newSerial(zonecast, ZONE, undefined, READ_MS);
    }),
  ];
  await untilQuiet(pid);
  record(FIRST_READ, residentTree(pid));
  for (let reads = 2; reads <= FULL_READS; reads++) {
    const before = await fullReads(zonecast);
    peaks.push(
      await peakWhile(pid, async () => {
        await sql`select pg_notify('dns_zone_changed', '')`;
        await until(async () => await fullReads(zonecast) > before, {
          what: "a full read",
          timeoutMs: READ_MS,
          intervalMs: 200,
        });
      }),
    );
    await untilQuiet(pid);
  }
  record(THIRD_READ, residentTree(pid));
  const most = (of: (peak: Resident) => number) => Math.max(...peaks.map(of));
  record(READING, { rss: most(({ rss }) => rss), pss: most(({ pss }) => pss) });
  await assertSameContent(bench.client, await bench.zone(size), [{
    name: SUBJECT,
    server: zonecast,
  }]);
}

function judge(bench: Bench, size: number): void {
  const median = (what: string) =>
    bench.median({ scenario: SCENARIO, what, server: SUBJECT, size });
  const restarted = median(RESTARTED);
  const goal = (what: string, value: number | undefined, atMost: number | undefined, bound = "") =>
    bench.goal({
      scenario: SCENARIO,
      what: `RSS serving ${size} records ${what}`,
      value,
      unit: "octets",
      atMost,
      bound,
      reason: MISSED,
    });
  goal(RESTARTED, restarted, GOALS.restarted);
  const most = restarted === undefined ? undefined : restarted + GOALS.transfers;
  goal(TRANSFERS, median(TRANSFERS), most, "50 MiB over a restart's");
  goal(FIRST_READ, median(FIRST_READ), GOALS.read);
  goal(THIRD_READ, median(THIRD_READ), GOALS.read);
  goal(READING, median(READING), GOALS.reading);
}

export const MEMORY: Scenario = {
  name: SCENARIO,
  title: "memory of all its processes",
  contenders: true,
  run,
};
