/**
 * What of a change's way is zonecast's own: from COMMIT to the last octet of the IXFR, to NOTIFY,
 * in CPU time until the NOTIFY and with all that follows it; and one IXFR by itself.
 *
 * Its only secondary is the witness, which asks IXFR as soon as NOTIFY comes.
 */
import { assert, assertEquals } from "@std/assert";
import { sleep } from "../support/wait.ts";
import { assertWhole } from "./change/compare.ts";
import { decode, unhex } from "./change/messages.ts";
import { addedRecord, ChangedPrimary, zonecastPrimary } from "./change/primaries.ts";
import type { SeenChange } from "./change/witness.ts";
import type { IxfrResult } from "./client.ts";
import { cpuSeconds, idleShare } from "./process_time.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";
import { ZONE, ZONE_NAME } from "./zones.ts";

const SCENARIO = "change-share";
const SIZES = [10_000, 100_000, 1_000_000];
/** Changes a round, at each size. */
const CHANGES = 20;
/** Before anything is recorded: the program's hot code is compiled by then. */
const WARM_UP = 20;
/** Between two changes, in ms: more than the least time between two versions. */
const PAUSE_MS = 250;
/** How long, in seconds, and how often zonecast is looked at without changes. */
const IDLE_S = 2;
const IDLE_LOOKS = 5;
/** IXFRs asked one after another on one connection. */
const REPEATS = 200;

const WHAT = {
  notified: "COMMIT → NOTIFY",
  share: "COMMIT → last octet of the IXFR",
  announceCpu: "CPU time of a change until its NOTIFY",
  cpu: "CPU time of a change, all that follows it",
  ixfr: "IXFR of one record",
} as const;

async function run(bench: Bench): Promise<void> {
  const sizes = [...new Set(SIZES.map((size) => bench.size(size)))];
  const primaries: { size: number; pid: number; idle: number; primary: ChangedPrimary }[] = [];
  try {
    for (const size of sizes) {
      bench.progress(`${SCENARIO}: zonecast reads ${size} records`);
      const primary = await ChangedPrimary.start((to) => zonecastPrimary(bench, size, to), []);
      const pid = primary.way.server.pid!;
      await primary.witness.process(pid);
      primaries.push({ size, primary, pid, idle: 0 });
      for (let change = 0; change < WARM_UP; change++) await spaced(primary);
    }
    for (const entry of primaries) entry.idle = await idleShare(entry.pid, IDLE_S, IDLE_LOOKS);
    await bench.interleave(primaries, async ({ size, primary, pid, idle }) => {
      const record = recorder(bench, size);
      const [cpu, began] = [cpuSeconds(pid), performance.now()];
      for (let change = 0; change < CHANGES; change++) recordChange(record, await spaced(primary));
      const wall = (performance.now() - began) / 1000;
      record(WHAT.cpu, "s", (cpuSeconds(pid) - cpu - idle * wall) / CHANGES);
      await recordIxfr(bench, size, primary);
    });
    for (const { size, primary, idle } of primaries) {
      recorder(bench, size)("share of a core without changes", "ratio", idle);
      await assertWhole(bench, [primary.way.server], size, primary.changes);
    }
  } finally {
    for (const { primary } of primaries) await primary[Symbol.asyncDispose]();
  }
  judge(bench, sizes);
}

type Recorder = (what: string, unit: Sample["unit"], value: number) => void;

function recorder(bench: Bench, size: number): Recorder {
  return (what, unit, value) =>
    bench.record({ scenario: SCENARIO, what, server: "zonecast", size, unit, value });
}

async function spaced(primary: ChangedPrimary): Promise<SeenChange> {
  await sleep(PAUSE_MS);
  const seen = await primary.change();
  assertDifference(seen, primary.changes - 1);
  return seen;
}

/** Fails unless what came is the one record that was added, and nothing else. */
function assertDifference({ first, records }: SeenChange, index: number): void {
  const { owner, ip } = addedRecord(index);
  const answers = decode(unhex(first)).answers ?? [];
  assertEquals(records, 5, "an IXFR that adds one record has five"); // 4 SOA and itself
  assertEquals(answers.map(({ type }) => type), ["SOA", "SOA", "SOA", "A", "SOA"]);
  const [added] = answers.filter(({ type }) => type === "A");
  assert(added?.type === "A" && added.name === `${owner}.${ZONE_NAME}` && added.data === ip);
}

function recordChange(record: Recorder, seen: SeenChange): void {
  record(WHAT.notified, "s", seen.notified / 1e6);
  record(WHAT.announceCpu, "s", seen.spent / 1e6);
  record(WHAT.share, "s", seen.lastOctet / 1e6);
  record("the witness' share of a core", "ratio", seen.cpuShare);
  record("of it the client's part: connecting and asking", "s", (seen.asked - seen.notified) / 1e6);
  record("COMMIT → answered by Postgres", "s", seen.acked / 1e6);
}

async function recordIxfr(bench: Bench, size: number, { way, serial }: ChangedPrimary) {
  const { addr, port } = way.server;
  // All changes are a serial apart but for those of an earlier second.
  const result = await bench.client.run<IxfrResult>("ixfr", {
    addr,
    port,
    zone: ZONE,
    serial: serial - 1,
    repeat: REPEATS,
  });
  const record = recorder(bench, size);
  for (const seconds of result.last) record(WHAT.ixfr, "s", seconds);
  record("octets of it", "octets", result.octets);
  record("messages of it", "messages", result.messages);
}

function judge(bench: Bench, sizes: readonly number[]): void {
  const [smallest, largest] = [sizes[0], sizes[sizes.length - 1]];
  const median = (what: string, size: number) =>
    bench.median({ scenario: SCENARIO, what, server: "zonecast", size });
  const goal = (
    what: string,
    of: string,
    unit: Sample["unit"],
    atMost: number,
    reason?: string,
    size = largest,
  ) =>
    bench.goal({
      scenario: SCENARIO,
      what: `${what}, ${size} records`,
      value: median(of, size),
      unit,
      atMost,
      bound: "",
      reason,
    });
  const fsync = "two commits to disk lie on the way, Postgres' and that of the state file, and " +
    "this machine's cores are shared with Postgres and the witness";
  for (const size of sizes) {
    goal("COMMIT → last octet of the IXFR sent", WHAT.share, "s", 0.010, fsync, size);
  }
  const [small, large] = [median(WHAT.share, smallest), median(WHAT.share, largest)];
  bench.goal({
    scenario: SCENARIO,
    what: `the same, ${largest} ÷ ${smallest} records`,
    value: small && large && large / small,
    unit: "ratio",
    atMost: 1.3,
    bound: "",
    reason: "the list of pages, one per 16 KiB of zone, is copied at each change",
  });
  goal("COMMIT → NOTIFY on the wire", WHAT.notified, "s", 0.010, fsync);
  goal(
    "CPU time of a change until its NOTIFY",
    WHAT.announceCpu,
    "s",
    0.003,
    "a third is the state file's worker, with ten database pages and an fsync; the rest one " +
      "question to Postgres, the edit of a page and the NOTIFY, all code that runs once a change, " +
      "mostly interpreted, and V8's compiler and collector beside it; on a machine busy with " +
      "other work it counts more",
  );
  goal("IXFR of one record, request → answer", WHAT.ixfr, "s", 0.001);
  goal("octets of it", "octets of it", "octets", 300);
  goal("messages of it", "messages of it", "messages", 1);
}

export const CHANGE_SHARE: Scenario = {
  name: SCENARIO,
  title: "one record changed: zonecast's own share of the way, and what it costs",
  run,
};
