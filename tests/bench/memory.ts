/** Memory while a zone is served, transferred, and read anew. */
import { newSerial } from "../support/setup.ts";
import { until } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import type { BenchDatabase } from "./sources.ts";
import {
  assertSameContent,
  type Contender,
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
const MIB = 2 ** 20;

const RESTARTED = "after a restart";
const TRANSFERS = "peak during 16 transfers";
const FIRST_READ = "after the first full read";
const THIRD_READ = "after the third full read";
const READING = "peak during a full read";

const GOALS = { restarted: 150 * MIB, transfers: 50 * MIB, read: 200 * MIB, reading: 260 * MIB };

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const record = (server: string, what: string, { rss, pss }: Resident) => {
    const key = { scenario: SCENARIO, server, size, unit: "octets" } as const;
    bench.record({ ...key, what, value: rss });
    bench.record({ ...key, what: `${what}, PSS`, value: pss });
  };
  const transferAll = async (contender: Contender) => {
    const { name, server } = contender;
    const pid = server.pid!;
    const work = async () => {
      await transfer(bench, SCENARIO, contender, { clients: CLIENTS });
    };
    record(name, TRANSFERS, await peakWhile(pid, work));
  };
  {
    const contenders = await bench.contenders(size);
    // What a transfer before it leaves behind is not counted.
    await contenders.stop();
    await bench.interleave(contenders.all, async (contender, round) => {
      const { name, server } = contender;
      bench.progress(`round ${round + 1}: ${name}`);
      await server.start();
      await newSerial(server, ZONE, undefined, READ_MS);
      await untilQuiet(server.pid!);
      record(name, RESTARTED, residentTree(server.pid!));
      await transferAll(contender);
      await assertSameContent(bench.client, contenders.zone, [contender]);
      await server.stop();
    });
    noteSameContent(bench, SCENARIO, contenders);
  }
  const database = await bench.sources.database(size);
  for (let round = 0; round < bench.rounds; round++) {
    bench.progress(`round ${round + 1}: zonecast, full reads`);
    await readEverything(bench, database, size, (what, memory) => record(SUBJECT, what, memory));
  }
  judge(bench, size);
}

/** How often a running zonecast has read everything. */
async function fullReads(zonecast: Zonecast): Promise<number> {
  const status = JSON.parse(await zonecast.mustCli(["status", "--json"]));
  return status.source.reads.full;
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
