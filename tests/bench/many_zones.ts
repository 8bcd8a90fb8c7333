/**
 * 10,000 zones of 20 records: start, memory, a change in each of 1,000 of them, and NOTIFY to four
 * secondaries.
 *
 * The secondaries are light ones in one process ({@link Sinks}): 10,000 zones in real ones take
 * longer to configure than to measure.
 */
import type postgres from "postgres";
import { assertEquals } from "@std/assert";
import { freePort } from "../support/ports.ts";
import { sourceDatabase } from "../support/setup.ts";
import { sleep, until } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import { assertArrived, tableSum } from "./expected.ts";
import { cpuSeconds, resident, residentPeak } from "./resident.ts";
import { format } from "./report.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";
import { Sinks } from "./sinks.ts";

const ZONES = 10_000;
/** Rows of a zone: two NS, the others A and AAAA in equal parts; its SOA comes beside. */
const ROWS = 20;
const CHANGED = 1_000;
const SECONDARIES = 4;
/** How long anything here may take, in ms. */
const PATIENCE_MS = 90_000;
/** Between two rounds of changes, in ms: more than the least time between two versions. */
const PAUSE_MS = 500;
/** Sessions that commit at once. */
const SESSIONS = 4;

const CHANGE_ROUNDS = 3;
/** Zones whose SOA is asked for to see when all are served: asking for all would be the load. */
const SAMPLE = 250;

const SCENARIO = "many-zones";
const TOGETHER = "1,000 zones, one transaction";
const ALONE = "1,000 zones, a transaction each";

const zoneName = (index: number) => `z${String(index).padStart(5, "0")}.many.example`;

async function fill(sql: postgres.Sql, zones: number): Promise<void> {
  await sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into zonecast.zones (name, mname, rname, default_ttl)
      select 'z' || lpad(n::text, 5, '0') || '.many.example', 'ns1.servers.example.',
        'hostmaster.servers.example.', 300
      from generate_series(0, ${zones - 1}::integer) as n`;
    await sql`insert into zonecast.records (zone, name, type, content)
      select name, '@', 'NS', ns from zonecast.zones,
        unnest(array['ns1.servers.example.', 'ns2.servers.example.']) as ns`;
    await sql`insert into zonecast.records (zone, name, type, content)
      select zone.name, 'app-' || n, type, content from zonecast.zones as zone,
        generate_series(1, ${(ROWS - 2) / 2}::integer) as n,
        lateral (values ('A', '10.0.0.' || n), ('AAAA', '2001:db8::' || n)) as row (type, content)`;
  });
  await sql`analyze zonecast.records`;
  await sql`analyze zonecast.zones`;
}

/** Some of them, evenly spread, the first and the last among them. */
function sampleOf(zones: readonly string[]): string[] {
  const step = (zones.length - 1) / (SAMPLE - 1);
  return Array.from({ length: SAMPLE }, (_, index) => zones[Math.round(index * step)]);
}

/** Owns nothing; the steps of one run, in order. */
class Run {
  readonly names: readonly string[];
  /** The zones that a round changes. */
  readonly changed: readonly string[];

  constructor(
    readonly bench: Bench,
    readonly sql: postgres.Sql,
    readonly sinks: Sinks,
    readonly dir: string,
    zones: number,
  ) {
    this.names = Array.from({ length: zones }, (_, index) => zoneName(index));
    const step = Math.max(1, Math.floor(zones / CHANGED));
    this.changed = this.names.filter((_, index) => index % step === 0);
  }

  record(what: string, unit: Sample["unit"], value: number): void {
    this.bench.record({ scenario: SCENARIO, what, server: "zonecast", unit, value });
  }

  /** From the program's start until all zones are served, and until all NOTIFY have come. */
  async start(what: string, start: () => Promise<Zonecast>): Promise<Zonecast> {
    await this.sinks.mark();
    const all = sampleOf(this.names).map((zone) => [zone, undefined] as const);
    const startedMs = performance.now();
    const served = this.sinks.untilNewer(`${this.dir}/all`, all, PATIENCE_MS);
    const zonecast = await start();
    const pid = zonecast.pid!;
    const { lastMs } = await served;
    this.record(`${what} → all zones served`, "s", (lastMs - startedMs) / 1000);
    this.record(`${what}: its CPU time until then`, "s", cpuSeconds(pid));
    this.record(`${what}: memory then`, "octets", resident(pid));
    const pairs = this.names.length * SECONDARIES;
    const notifies = await this.sinks.untilNotified(pairs, PATIENCE_MS, 50);
    this.record(`${what} → NOTIFY of all at all 4`, "s", (notifies.lastMs - startedMs) / 1000);
    this.record(`${what}: NOTIFY messages for ${pairs}`, "messages", notifies.received);
    this.record(`${what}: memory after them`, "octets", resident(pid));
    this.record(`${what}: peak of memory`, "octets", residentPeak(pid));
    return zonecast;
  }

  /** One change in each of the chosen zones, and the time until it is served and announced. */
  async change(what: string, pid: number, commit: () => Promise<unknown>): Promise<void> {
    const { changed, sinks } = this;
    await sleep(PAUSE_MS);
    const serials = await sinks.zones(`${this.dir}/told`);
    await sinks.markBeforeChange();
    const [beganMs, cpuBefore] = [performance.now(), cpuSeconds(pid)];
    const since = (ms: number) => (ms - beganMs) / 1000;
    const newer = sinks.untilNewer(
      `${this.dir}/changed`,
      sampleOf(changed).map((zone) => [zone, serials.get(`${zone}.`)] as const),
      PATIENCE_MS,
    );
    await commit();
    const committedMs = performance.now();
    this.record(`${what}: begun → all committed`, "s", since(committedMs));
    const { lastMs } = await newer;
    this.record(`${what}: begun → all published`, "s", since(lastMs));
    this.record(`${what}: last commit → all published`, "s", (lastMs - committedMs) / 1000);
    const notifies = await sinks.untilNotified(changed.length * SECONDARIES, PATIENCE_MS);
    this.record(`${what}: begun → first NOTIFY`, "s", since(notifies.firstMs));
    this.record(`${what}: begun → NOTIFY of all at all 4`, "s", since(notifies.lastMs));
    this.record(`${what}: zonecast's CPU time for it`, "s", cpuSeconds(pid) - cpuBefore);
  }

  /** The newest serial of each zone, as zonecast wrote it back. */
  async #published(): Promise<Map<string, number>> {
    const rows = await this.sql<{ zone: string; serial: string }[]>`
      select distinct on (zone) zone, serial from zonecast.published
      order by zone, published_at desc`;
    return new Map(rows.map(({ zone, serial }) => [zone, Number(serial)]));
  }

  /** Every zone fetched by the secondaries: what they were told, and what the table has. */
  async compare(): Promise<void> {
    const swept = await this.sinks.sweep(`${this.dir}/all`, this.names);
    this.record("AXFR of all zones, one connection each, 4 at once", "s", swept.seconds);
    const table = await tableSum(this.sinks, this.sql, this.dir);
    assertArrived(swept, table, "all zones fetched");
    assertEquals(swept.stale, 0, "Zones fetched with another serial than NOTIFY told");
    const told = await this.sinks.zones(`${this.dir}/told`);
    // It is written back in the background.
    await until(async () => {
      const published = await this.#published();
      return this.names.every((zone) => told.get(`${zone}.`) === published.get(zone));
    }, { what: "zonecast.published has the serials that NOTIFY told", timeoutMs: PATIENCE_MS });
    this.bench.note(
      SCENARIO,
      `"published" and "served" are seen in the SOA of ${SAMPLE} zones, the first and the last among them`,
    );
    this.bench.note(
      SCENARIO,
      `all ${swept.zones} zones were fetched at the serial all ${SECONDARIES} secondaries were told, ` +
        `with the table's ${table.records} records`,
    );
  }
}

async function run(bench: Bench): Promise<void> {
  const zones = bench.quick ? ZONES / 10 : ZONES;
  const server = await bench.sources.postgres();
  const { url, sql } = await sourceDatabase(server, []);
  bench.progress(`filling a database with ${zones} zones`);
  await fill(sql, zones);
  const primary = { addr: "127.0.0.1", port: freePort() };
  await using sinks = await Sinks.start(primary, SECONDARIES);
  const run = new Run(bench, sql, sinks, await bench.tempDir(), zones);
  await using running = new AsyncDisposableStack();
  const options = { source: url, binary: true, port: primary.port, secondaries: sinks.servers };
  const zonecast = await run.start(
    "first start",
    async () => running.use(await startZonecast(options)),
  );

  const sessions = server.connect(url);
  for (let round = 0; round < Math.min(bench.rounds, CHANGE_ROUNDS); round++) {
    await run.change(
      TOGETHER,
      zonecast.pid!,
      () =>
        sql`insert into zonecast.records (zone, name, type, content)
        select zone, ${`together-${round}`}, 'A', '192.0.2.1'
        from unnest(${run.changed}::text[]) as zone`,
    );
    const name = `alone-${round}`;
    await run.change(ALONE, zonecast.pid!, () => commitEach(sessions, run.changed, name));
  }
  judge(bench);

  await zonecast.stop();
  await run.start("restart", async () => {
    await zonecast.start();
    return zonecast;
  });
  await run.compare();
}

function judge(bench: Bench): void {
  const at = (what: string) => bench.median({ scenario: SCENARIO, what, server: "zonecast" });
  for (const how of [TOGETHER, ALONE]) {
    const cpu = format(at(`${how}: zonecast's CPU time for it`) ?? 0, "s");
    const committed = format(at(`${how}: begun → all committed`) ?? 0, "s");
    const load = Deno.loadavg()[0].toFixed(1);
    bench.goal({
      scenario: SCENARIO,
      what: `a change in each of ${how}, ${
        how === ALONE ? "from the last commit " : ""
      }until all are published`,
      // A thousand commits one by one are the database's time.
      value: at(`${how}: ${how === ALONE ? "last commit" : "begun"} → all published`),
      unit: "s",
      atMost: 1,
      bound: "within a second",
      reason: `the commits alone took ${committed}; zonecast used ${cpu} of CPU for publishing, ` +
        `NOTIFY and writing back; the load was ${load} on ${navigator.hardwareConcurrency} cores`,
    });
  }
}

/** One commit per zone, as fast as a few sessions can. */
async function commitEach(
  sql: postgres.Sql,
  zones: readonly string[],
  name: string,
): Promise<void> {
  const left = zones.values();
  const session = async () => {
    for (const zone of left) {
      await sql`insert into zonecast.records (zone, name, type, content)
        values (${zone}, ${name}, 'A', '192.0.2.1')`;
    }
  };
  await Promise.all(Array.from({ length: SESSIONS }, session));
}

export const MANY_ZONES: Scenario = {
  name: SCENARIO,
  title: "10,000 zones of 20 records, NOTIFY to 4 secondaries (light ones, in one process)",
  run,
};
