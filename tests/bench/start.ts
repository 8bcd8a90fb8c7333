/** From starting the process to serving the last known zone. */
import type { DnsServer } from "../support/dns_server.ts";
import { now, type WaitResult } from "./client.ts";
import { assertSameContent, noteSameContent, SUBJECT } from "./contenders.ts";
import { format } from "./report.ts";
import { cpuSeconds } from "./resident.ts";
import type { Bench, Scenario } from "./scenario.ts";
import { ZONE } from "./zones.ts";

const SCENARIO = "start";
const SIZE = 1_000_000;
const WHAT = "start → right SOA answer";
const CPU = "CPU time until then";
/** Seconds. */
const GOAL = 0.4;
/** How long loading may take, in ms. */
const PATIENCE_MS = 180_000;

/**
 * Seconds from starting a stopped server to its first right answer, asked for all the time, and
 * the CPU seconds it has used by then.
 */
async function timeStart(
  bench: Bench,
  server: DnsServer,
  serial: number,
): Promise<{ wall: number; cpu: number }> {
  await using waiting = bench.client.start("wait", {
    port: server.port,
    name: ZONE,
    type: "SOA",
    serial,
    timeout: PATIENCE_MS / 1000,
  });
  await waiting.line<{ ready?: boolean }>(({ ready }) => ready === true, "the client is ready");
  const began = now();
  const started = server.start();
  const { at } = await waiting.line<WaitResult>(
    (line) => line.at !== undefined,
    "a right answer",
    PATIENCE_MS,
  );
  await started;
  return { wall: at - began, cpu: cpuSeconds(server.pid!) };
}

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const contenders = await bench.contenders(size);
  const serials = new Map<DnsServer, number>();
  for (const { server } of contenders.all) serials.set(server, (await server.serial(ZONE))!);
  await contenders.stop();
  await bench.interleave(contenders.all, async ({ name, server }, round) => {
    bench.progress(`round ${round + 1}: ${name}`);
    const { wall, cpu } = await timeStart(bench, server, serials.get(server)!);
    const key = { scenario: SCENARIO, server: name, size, unit: "s" } as const;
    bench.record({ ...key, what: WHAT, value: wall });
    bench.record({ ...key, what: CPU, value: cpu });
    // What it serves so soon is the whole zone.
    if (round === 0) await assertSameContent(bench.client, contenders.zone, [{ name, server }]);
    await server.stop();
  });
  noteSameContent(bench, SCENARIO, contenders);
  bench.note(
    SCENARIO,
    "every server has the zone from before: zonecast in its state file, PowerDNS in its database " +
      "(it loads nothing, and reads rows when it is asked), the others in a master file",
  );
  const cpu = bench.median({ scenario: SCENARIO, what: CPU, server: SUBJECT, size });
  bench.goal({
    scenario: SCENARIO,
    what: `start to serving the last known zone of ${size} records`,
    value: bench.median({ scenario: SCENARIO, what: WHAT, server: SUBJECT, size }),
    unit: "s",
    atMost: GOAL,
    bound: "",
    reason:
      `it used ${format(cpu ?? 0, "s")} of CPU by then, to load the program and to read and ` +
      "check the zone; the rest it waited for the disk or a core",
  });
}

export const START: Scenario = { name: SCENARIO, title: "start to serving", contenders: true, run };
