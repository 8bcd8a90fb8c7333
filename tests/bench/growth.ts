/**
 * Cost as the zone grows: commit → NOTIFY of one record, and AXFR, from 1k to 2M records.
 *
 * A zonecast for each size runs all the time, and each is measured in turn within each round, so
 * that whatever else the machine does falls on all sizes alike. The clock begins when the INSERT
 * is sent, outside of a transaction: its own time in Postgres is part of what is shown.
 */
import type postgres from "postgres";
import { assertEquals } from "@std/assert";
import { freePort } from "../support/ports.ts";
import { newSerial } from "../support/setup.ts";
import { sleep } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import { assertArrived, tableSum } from "./expected.ts";
import { drawPlot } from "./growth_plot.ts";
import { format, formatSize } from "./report.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";
import { Sinks } from "./sinks.ts";
import { median, quantile } from "./statistics.ts";
import { ZONE, ZONE_NAME } from "./zones.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000, 2_000_000];
const QUICK_SIZES = [1_000, 3_000, 10_000];
/** Turns of each size per round of the bench. */
const TURNS = 2;
/** Changes and AXFRs of one turn. */
const CHANGES = 2;
const TRANSFERS = 2;
/** Changes and AXFRs before the first that counts: code that runs for the first time is slow. */
const WARM_UP = 5;
/** Between two changes, in ms: more than the least time between two versions. */
const PAUSE_MS = 200;
/** How long a first full read may take, in ms. */
const FULL_READ_MS = 180_000;
const PATIENCE_MS = 30_000;

const SCENARIO = "growth";
const NOTIFIED = "one record changed: commit → NOTIFY";
const FETCHED = "whole zone fetched (AXFR)";

/** The zone of one size, served. */
class Server {
  #changes = 0;

  constructor(
    readonly size: number,
    readonly sql: postgres.Sql,
    readonly sinks: Sinks,
    readonly zonecast: Zonecast,
  ) {}

  /** Seconds from the INSERT's sending to its NOTIFY. */
  async change(): Promise<number> {
    await sleep(PAUSE_MS);
    await this.sinks.markBeforeChange();
    const name = `change-${this.#changes++}`;
    const sentMs = performance.now();
    await this.sql`insert into zonecast.records (zone, name, type, content)
      values (${ZONE_NAME}, ${name}, 'A', '192.0.2.1')`;
    const { firstMs } = await this.sinks.untilNotified(1, PATIENCE_MS, 2);
    return (firstMs - sentMs) / 1000;
  }

  /** Seconds from the connection to the last octet. */
  async fetch(): Promise<number> {
    return (await this.sinks.axfr(this.zonecast, ZONE)).lastS;
  }

  /** Fails unless the zone fetched is the table's, at the serial NOTIFY told. */
  async compare(dir: string): Promise<void> {
    const fetched = await this.sinks.axfr(this.zonecast, ZONE);
    const table = await tableSum(this.sinks, this.sql, dir);
    assertArrived(fetched, table, `the AXFR of ${this.size} records`);
    const told = (await this.sinks.zones(`${dir}/told`)).get(ZONE);
    assertEquals(fetched.serial, told, "The AXFR has another serial than NOTIFY told");
  }
}

async function startServer(
  bench: Bench,
  size: number,
  running: AsyncDisposableStack,
): Promise<Server> {
  const { url, sql } = await bench.sources.database(size);
  const primary = { addr: "127.0.0.1", port: freePort() };
  const sinks = running.use(await Sinks.start(primary, 1));
  const options = { source: url, binary: true, port: primary.port, secondaries: sinks.servers };
  const zonecast = running.use(await startZonecast(options));
  await newSerial(zonecast, ZONE, undefined, FULL_READ_MS);
  await sinks.untilNotified(1, PATIENCE_MS);
  return new Server(size, sql, sinks, zonecast);
}

async function run(bench: Bench): Promise<void> {
  const dir = await bench.tempDir();
  await using running = new AsyncDisposableStack();
  const servers: Server[] = [];
  for (const size of bench.quick ? QUICK_SIZES : SIZES) {
    servers.push(await startServer(bench, size, running));
  }
  for (const server of servers) {
    for (let time = 0; time < WARM_UP; time++) {
      await server.change();
      await server.fetch();
    }
  }
  await bench.interleave(servers, async (server) => {
    const record = (what: string, value: number) =>
      bench.record({
        scenario: SCENARIO,
        what,
        server: "zonecast",
        size: server.size,
        unit: "s",
        value,
      });
    for (let time = 0; time < CHANGES; time++) record(NOTIFIED, await server.change());
    for (let time = 0; time < TRANSFERS; time++) record(FETCHED, await server.fetch());
  }, TURNS * bench.rounds);
  for (const server of servers) await server.compare(dir);
  bench.note(SCENARIO, "each zone was fetched at the serial NOTIFY told, with the table's records");
  judge(bench, servers.map(({ size }) => size));
}

/** What growing by two decades may cost: the change nothing, the transfer its share. */
function judge(bench: Bench, sizes: readonly number[]): void {
  const at = (what: string, size: number) =>
    bench.median({ scenario: SCENARIO, what, server: "zonecast", size });
  const [small, large] = [sizes[1], sizes[sizes.length - 1]];
  const [changeSmall, changeLarge] = [at(NOTIFIED, small), at(NOTIFIED, large)];
  bench.goal({
    scenario: SCENARIO,
    what: `commit → NOTIFY with ${formatSize(large)} records`,
    value: changeLarge,
    unit: "s",
    atMost: changeSmall === undefined ? undefined : 1.3 * changeSmall,
    bound: `1.3 × that with ${formatSize(small)}`,
    reason:
      "the list of pages, one per 16 KiB of zone, is copied and looked through at each change",
  });
}

/** The plot of what was measured; undefined when nothing was. */
export function growthPlot(samples: readonly Sample[], machine: string): string | undefined {
  const ours = samples.filter(({ scenario }) => scenario === SCENARIO);
  if (ours.length === 0) return undefined;
  const sizes = [...new Set(ours.map(({ size = 0 }) => size))].sort((a, b) => a - b);
  return drawPlot({
    title: "Cost as the zone grows",
    caption: `Medians; bars hold the middle 80 %. ${machine}`,
    xLabel: "records in the zone",
    yLabel: "time",
    formatX: formatSize,
    formatY: (value) => format(value, "s"),
    series: [NOTIFIED, FETCHED].map((name) => ({
      name,
      points: sizes.map((x) => {
        const values = ours.filter(({ what, size }) => what === name && size === x)
          .map(({ value }) => value);
        const [low, high] = [quantile(values, 0.1), quantile(values, 0.9)];
        return { x, median: median(values), low, high };
      }),
    })),
  });
}

export const GROWTH: Scenario = {
  name: SCENARIO,
  title: "cost as the zone grows from 1k to 2M records",
  run,
};
