/** From starting the process to serving the last known zone. */
import type { DnsServer } from "../support/dns_server.ts";
import { now, type WaitResult } from "./client.ts";
import { assertSameContent, noteSameContent, SUBJECT } from "./contenders.ts";
import type { Bench, Scenario } from "./scenario.ts";
import { ZONE } from "./zones.ts";

const SCENARIO = "start";
const SIZE = 1_000_000;
const WHAT = "start → right SOA answer";
/** Seconds. */
const GOAL = 0.4;
/** How long loading may take, in ms. */
const PATIENCE_MS = 180_000;

/** Seconds from starting a stopped server to its first right answer, asked for all the time. */
async function timeStart(bench: Bench, server: DnsServer, serial: number): Promise<number> {
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
  return at - began;
}

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const contenders = await bench.contenders(size);
  const serials = new Map<DnsServer, number>();
  for (const { server } of contenders.all) serials.set(server, (await server.serial(ZONE))!);
  await contenders.stop();
  await bench.interleave(contenders.all, async ({ name, server }, round) => {
    bench.progress(`round ${round + 1}: ${name}`);
    const value = await timeStart(bench, server, serials.get(server)!);
    bench.record({ scenario: SCENARIO, what: WHAT, server: name, size, unit: "s", value });
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
  bench.goal({
    scenario: SCENARIO,
    what: `start to serving the last known zone of ${size} records`,
    value: bench.median({ scenario: SCENARIO, what: WHAT, server: SUBJECT, size }),
    unit: "s",
    atMost: GOAL,
    bound: "",
  });
}

export const START: Scenario = { name: SCENARIO, title: "start to serving", contenders: true, run };
