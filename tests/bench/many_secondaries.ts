/**
 * Fifty secondaries on one zone: until all have a change, and all fetching the whole zone at once.
 *
 * They are light ones in one process ({@link Sinks}): fifty real servers would measure themselves.
 */
import { freePort } from "../support/ports.ts";
import { newSerial } from "../support/setup.ts";
import { sleep } from "../support/wait.ts";
import { startZonecast } from "../support/zonecast.ts";
import { assertArrived, tableSum } from "./expected.ts";
import { forgetPeak, resident, residentPeak } from "./resident.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";
import { Sinks } from "./sinks.ts";
import { APEX_RECORDS, ZONE, ZONE_NAME } from "./zones.ts";

const SECONDARIES = 50;
const SIZE = 100_000;
/** How long anything here may take, in ms. */
const PATIENCE_MS = 60_000;
/** Between two changes, in ms: more than the least time between two versions. */
const PAUSE_MS = 300;

const SCENARIO = "many-secondaries";

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const record = (what: string, unit: Sample["unit"], value: number) =>
    bench.record({ scenario: SCENARIO, what, server: "zonecast", size, unit, value });
  const dir = await bench.tempDir();
  const { url, sql } = await bench.sources.database(size);
  const primary = { addr: "127.0.0.1", port: freePort() };
  await using sinks = await Sinks.start(primary, SECONDARIES);
  await using zonecast = await startZonecast({
    source: url,
    binary: true,
    port: primary.port,
    secondaries: sinks.servers,
  });
  let serial = await newSerial(zonecast, ZONE, undefined, PATIENCE_MS);
  await sinks.follow(ZONE);
  await sinks.untilFollowed(serial, PATIENCE_MS);

  const changes = 3 * bench.rounds;
  const before = await sinks.followers();
  for (let change = 0; change < changes; change++) {
    await sleep(PAUSE_MS);
    await sinks.markBeforeChange();
    const committedMs = performance.now();
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${ZONE_NAME}, ${`change-${change}`}, 'A', '192.0.2.1')`;
    serial = await newSerial(zonecast, ZONE, serial, PATIENCE_MS);
    const followers = await sinks.untilFollowed(serial, PATIENCE_MS);
    const { firstMs, lastMs } = await sinks.notifies();
    record("commit → NOTIFY at the first", "s", (firstMs - committedMs) / 1000);
    record("commit → NOTIFY at all 50", "s", (lastMs - committedMs) / 1000);
    const doneMs = Math.max(...followers.map(({ doneMs }) => doneMs));
    record("commit → all 50 have the change", "s", (doneMs - committedMs) / 1000);
  }
  const after = await sinks.followers();
  const table = await tableSum(sinks, sql, dir);
  for (const follower of after) assertArrived(follower, table, "a secondary that followed");
  const sum = (of: (typeof after)[number][], what: "octets" | "ixfrs" | "axfrs") =>
    of.reduce((total, follower) => total + follower[what], 0);
  const ixfrs = sum(after, "ixfrs") - sum(before, "ixfrs");
  record("octets of one IXFR", "octets", (sum(after, "octets") - sum(before, "octets")) / ixfrs);
  const whole = sum(after, "axfrs") - sum(before, "axfrs");

  await fetchAtOnce();
  bench.note(
    SCENARIO,
    `${changes} changes of one record, ${ixfrs} IXFR and ${whole} AXFR for them; all ${SECONDARIES} ` +
      `secondaries and all transfers had the table's ${table.records} records`,
  );

  /** All fetch the whole zone at once: the first time to have the client's memory ready. */
  async function fetchAtOnce(): Promise<void> {
    await sinks.axfrAll(ZONE);
    for (let round = 0; round < bench.rounds; round++) {
      const pid = zonecast.pid!;
      const atRest = resident(pid);
      forgetPeak(pid);
      const { transfers, seconds, cpuShare } = await sinks.axfrAll(ZONE);
      record("50 AXFR at once, all whole", "s", seconds);
      const firstS = Math.max(...transfers.map(({ firstS }) => firstS));
      record("50 AXFR at once, the last one's first octet", "s", firstS);
      const records = SECONDARIES * (size + APEX_RECORDS);
      record("50 AXFR at once", "records/s", records / seconds);
      record("the client's share of a core meanwhile", "ratio", cpuShare);
      record("memory before them", "octets", atRest);
      record("memory during them, peak", "octets", residentPeak(pid));
      for (const transfer of transfers) assertArrived(transfer, table, "one of 50 transfers");
    }
  }
}

export const MANY_SECONDARIES: Scenario = {
  name: SCENARIO,
  title: "50 secondaries (light ones, in one process) on one zone of 100k records",
  run,
};
