/** The whole zone to 1, 4 and 16 clients at once. */
import type { TransferResult } from "./client.ts";
import {
  assertSameContent,
  bestPeer,
  ClientShares,
  noteSameContent,
  startContenders,
  SUBJECT,
} from "./contenders.ts";
import type { Bench, Scenario } from "./scenario.ts";
import { ZONE } from "./zones.ts";

const SCENARIO = "clients";
const SIZE = 100_000;
const COUNTS = [1, 4, 16];
const MOST = 16;
/** Times the best peer's records/s. */
const TIMES_BEST = 10;
const RAW = "raw loopback";

function words(count: number): string {
  return count === 1 ? "1 client" : `${count} clients`;
}

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  await using contenders = await startContenders(bench, size);
  const stream = `${await bench.tempDir()}/stream`;
  await bench.client.run("axfr", {
    port: contenders.zonecast.server.port,
    zone: ZONE,
    save: stream,
  });
  const shares = new ClientShares();
  const measured = [
    ...contenders.all.map(({ name, server }) => ({
      name,
      flags: { port: server.port, zone: ZONE },
    })),
    { name: RAW, flags: { file: stream } },
  ];
  for (const clients of COUNTS) {
    await bench.interleave(measured, async ({ name, flags }) => {
      const mode = name === RAW ? "raw" : "axfr";
      const result = await bench.client.run<TransferResult>(mode, { ...flags, clients });
      shares.add(name, result.cpuShare);
      bench.record({
        scenario: SCENARIO,
        what: words(clients),
        server: name,
        size,
        unit: "records/s",
        value: result.records / result.all,
      });
    });
    bench.progress(`measured ${words(clients)}`);
  }
  await assertSameContent(bench.client, contenders.zone, contenders.all);
  noteSameContent(bench, SCENARIO, contenders);
  bench.note(SCENARIO, String(shares));

  const key = { scenario: SCENARIO, what: words(MOST), size };
  const best = bestPeer(bench, key, (a, b) => a > b);
  const raw = bench.median({ ...key, server: RAW });
  bench.goal({
    scenario: SCENARIO,
    what: `${MOST} clients at once, ${size} records`,
    value: bench.median({ ...key, server: SUBJECT }),
    unit: "records/s",
    atLeast: best && best.median * TIMES_BEST,
    bound: best ? `${TIMES_BEST} × the best peer's, ${best.name}` : "10 × the best peer's",
    reason: best && raw !== undefined && raw < best.median * TIMES_BEST
      ? `a bare sender of the same octets reaches no more than ${
        (raw / best.median).toFixed(1)
      } × ${best.name} on this machine`
      : undefined,
  });
}

export const CLIENTS: Scenario = { name: SCENARIO, title: "AXFR to many clients at once", run };
