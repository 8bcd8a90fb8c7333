/**
 * 10,000 commits of one row in 10 seconds, with real secondaries: how many versions they become,
 * what travels, and how long after the last commit all secondaries are equal.
 */
import type postgres from "postgres";
import type { DnsServer, SecondaryKind } from "../support/dns_server.ts";
import { missing } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startSecondary } from "../support/secondaries.ts";
import { newSerial } from "../support/setup.ts";
import { sleep, until } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import { assertArrived, tableSum } from "./expected.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";
import { Sinks } from "./sinks.ts";
import { NS, ZONE, ZONE_NAME } from "./zones.ts";

const SIZE = 100_000;
const COMMITS = 10_000;
const SECONDS = 10;
/** Commits are handed out so often, in ms. */
const TICK_MS = 10;
const KINDS: readonly SecondaryKind[] = ["nsd", "knot"];
const PATIENCE_MS = 60_000;
/** zonecast's default for --min-publish-interval, in ms. */
const INTERVAL_MS = 100;

const SCENARIO = "burst";

/** One transfer, as zonecast's log has it. */
interface SentTransfer {
  readonly secondary: string;
  readonly kind: "axfr" | "ixfr";
  readonly serial: number;
  readonly octets: number;
  readonly reason?: string;
}

/** The transfers of versions after `serial`. */
function transfersAfter(zonecast: Zonecast, serial: number): SentTransfer[] {
  return zonecast.log().split("\n")
    .filter((line) => line.includes('"transfer sent"'))
    .map((line) => JSON.parse(line) as SentTransfer)
    .filter((transfer) => transfer.secondary && transfer.serial > serial);
}

/** Row `index`: no two of a burst are alike. */
function rowOf(index: number) {
  const content = `10.1.${index >> 8 & 255}.${index & 255}`;
  return { zone: ZONE_NAME, name: `burst-${index}`, type: "A", content };
}

/**
 * Commits one row at a time, evenly over `seconds`, or as fast as Postgres can.
 *
 * @returns seconds from the first to the last
 */
async function commitEvenly(sql: postgres.Sql, commits: number, seconds: number): Promise<number> {
  const began = performance.now();
  const passed = () => (performance.now() - began) / 1000;
  const open = new Set<Promise<unknown>>();
  for (let sent = 0; sent < commits;) {
    const due = Math.min(commits, Math.ceil(passed() / seconds * commits));
    for (; sent < due; sent++) {
      const commit: Promise<unknown> = sql`insert into zonecast.records ${sql(rowOf(sent))}`
        .then(() => open.delete(commit));
      open.add(commit);
    }
    await sleep(TICK_MS);
  }
  await Promise.all(open);
  return passed();
}

/** One run, set up: zonecast and its secondaries are equal. */
interface Setup {
  readonly bench: Bench;
  readonly size: number;
  readonly sql: postgres.Sql;
  readonly zonecast: Zonecast;
  readonly secondaries: readonly DnsServer[];
  /** No secondary of zonecast's: to fetch and compare. */
  readonly sinks: Sinks;
  /** The version they all have. */
  readonly first: number;
}

async function setUp(bench: Bench, running: AsyncDisposableStack): Promise<Setup> {
  const kinds = KINDS.filter((kind) => missing(kind) === undefined);
  const absent = KINDS.map(missing).filter((reason) => reason !== undefined);
  if (absent.length > 0) bench.note(SCENARIO, `without ${absent.join(", ")}`);
  const size = bench.size(SIZE);
  const { url, sql } = await bench.sources.database(size);
  const primary = { addr: "127.0.0.1", port: freePort() };
  const secondaries = await Promise.all(kinds.map(async (kind, index) => {
    // Each has an address of its own: by that zonecast tells whose transfers are whose.
    const addr = `127.0.2.${index + 1}`;
    const options = { zones: [ZONE], primary, addr, transferFrom: addr };
    return running.use(await startSecondary(kind, options));
  }));
  const sinks = running.use(await Sinks.start(primary, 1));
  const named = secondaries.flatMap(({ name, addr, port }) => [
    "--secondary",
    `${name}=${addr}:${port}`,
  ]);
  const args = [...named, "--allow-transfer", "127.0.1.0/24", "--log-format", "json"];
  const zonecast = running.use(
    await startZonecast({ source: url, binary: true, port: primary.port, args }),
  );
  const first = await newSerial(zonecast, ZONE, undefined, PATIENCE_MS);
  await Promise.all(secondaries.map((secondary) => secondary.reaches(ZONE, first, PATIENCE_MS)));
  return { bench, size, sql, zonecast, secondaries, sinks, first };
}

async function run(bench: Bench): Promise<void> {
  await using running = new AsyncDisposableStack();
  const setup = await setUp(bench, running);
  const { size, sql, zonecast, secondaries, sinks } = setup;
  const record = (what: string, server: string, unit: Sample["unit"], value: number) =>
    bench.record({ scenario: SCENARIO, what, server, size, unit, value });

  const [commits, seconds] = bench.quick ? [COMMITS / 10, SECONDS / 10] : [COMMITS, SECONDS];
  const took = await commitEvenly(sql, commits, seconds);
  const lastMs = performance.now();
  const sinceLast = () => (performance.now() - lastMs) / 1000;
  record(`${commits} commits of one row took`, "zonecast", "s", took);

  // An AXFR costs little: the first that is whole shows the version with all commits.
  const records = size + NS.length + commits;
  const { serial } = await until(async () => {
    const fetched = await sinks.axfr(zonecast, ZONE);
    return fetched.records >= records && fetched;
  }, { what: `${records} records are served`, timeoutMs: PATIENCE_MS });
  record("last commit → all served", "zonecast", "s", sinceLast());
  await Promise.all(secondaries.map(async (secondary) => {
    await secondary.reaches(ZONE, serial, PATIENCE_MS);
    record("last commit → all served", secondary.name, "s", sinceLast());
  }));
  await compare(setup, serial);
  await count(setup, serial, commits, took);
}

/** Fails unless zonecast and every secondary have what the table has. */
async function compare({ bench, sinks, sql, zonecast, secondaries }: Setup, serial: number) {
  const table = await tableSum(sinks, sql, await bench.tempDir());
  for (const server of [zonecast, ...secondaries]) {
    // At a reload NSD's old process answers beside the new one for a moment.
    const fetched = await until(async () => {
      const fetched = await sinks.axfr(server, ZONE);
      return fetched.serial === serial && fetched;
    }, {
      what: `${server.name} transfers serial ${serial}`,
      intervalMs: 50,
      timeoutMs: PATIENCE_MS,
    });
    assertArrived(fetched, table, server.name);
  }
  const who = ["zonecast", ...secondaries.map(({ name }) => name)].join(", ");
  bench.note(SCENARIO, `${who}: all had the table's ${table.records} records in the end`);
}

/** What the burst became. */
async function count(setup: Setup, serial: number, commits: number, took: number): Promise<void> {
  const { bench, size, sql, zonecast, secondaries, first } = setup;
  const record = (what: string, server: string, unit: Sample["unit"], value: number) =>
    bench.record({ scenario: SCENARIO, what, server, size, unit, value });
  // Written back in the background.
  const versions = await until(async () => {
    const rows = await sql<{ serial: string }[]>`
      select serial from zonecast.published where zone = ${ZONE_NAME} and serial > ${first}`;
    return rows.some((row) => Number(row.serial) === serial) && rows.length;
  }, { what: `serial ${serial} stands in zonecast.published`, timeoutMs: PATIENCE_MS });
  record("versions made", "zonecast", "count", versions);
  for (const secondary of secondaries) {
    const { name } = secondary;
    const sent = transfersAfter(zonecast, first).filter(({ secondary }) => secondary === name);
    const octets = sent.reduce((sum, { octets }) => sum + octets, 0);
    const reasons = sent.filter(({ kind }) => kind === "axfr").map(({ reason }) => reason);
    if (reasons.length > 0) {
      const why = [...new Set(reasons)].join(", ");
      // NSD gives up IXFR for once when one reload of its own has applied two transfers.
      const restarts = secondary.log().match(/update failed, restarting transfer/g)?.length ?? 0;
      bench.note(
        SCENARIO,
        `the whole zone was sent to ${name}: ${why}` +
          (restarts > 0 ? `; it says ${restarts} times that it restarts a transfer` : ""),
      );
    }
    record("IXFRs sent to it", name, "count", sent.filter(({ kind }) => kind === "ixfr").length);
    record("AXFRs sent to it", name, "count", sent.filter(({ kind }) => kind === "axfr").length);
    record("octets sent to it", name, "octets", octets);
    record("octets sent to it, per commit", name, "octets", octets / commits);
  }
  bench.goal({
    scenario: SCENARIO,
    what: `versions made of ${commits} commits`,
    value: versions,
    unit: "count",
    atMost: Math.ceil(took * 1000 / INTERVAL_MS) + 1,
    bound: "one each 100 ms, and the first at once",
  });
}

export const BURST: Scenario = {
  name: SCENARIO,
  title: "10,000 commits of one row in 10 s, a zone of 100k records, NSD and Knot",
  run,
};
