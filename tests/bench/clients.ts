/** The whole zone to 1, 4 and 16 clients at once. */
import type { TransferResult } from "./client.ts";
import {
  assertSameContent,
  bestPeer,
  ClientShares,
  noteSameContent,
  SUBJECT,
  takeTurn,
  transfer,
} from "./contenders.ts";
import type { Bench, Scenario } from "./scenario.ts";

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
  const contenders = await bench.contenders(size);
  const stream = `${await bench.tempDir()}/stream`;
  await transfer(bench, SCENARIO, contenders.zonecast, { save: stream });
  const shares = new ClientShares();
  const measured = [
    ...contenders.all.map((contender) => ({
      name: contender.name,
      measure: (clients: number) => transfer(bench, SCENARIO, contender, { clients }),
    })),
    {
      name: RAW,
      measure: (clients: number) =>
        bench.client.run<TransferResult>("raw", { file: stream, clients }),
    },
  ];
  for (const clients of COUNTS) {
    await bench.interleave(measured, ({ name, measure }) =>
      takeTurn(async () => {
        const result = await measure(clients);
        shares.add(name, result.cpuShare);
        bench.record({
          scenario: SCENARIO,
          what: words(clients),
          server: name,
          size,
          unit: "records/s",
          value: result.records / result.all,
        });
      }));
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
    reason: best && raw !== undefined ? whyMissed(raw, best) : undefined,
  });
}

/** @param raw  what the bare sender reached, records/s */
function whyMissed(raw: number, best: { readonly name: string; readonly median: number }): string {
  const times = `${(raw / best.median).toFixed(1)} × ${best.name}`;
  if (raw < best.median * TIMES_BEST) {
    return `a bare sender of the same octets reaches no more than ${times} on this machine`;
  }
  return `a bare sender of the same octets reaches ${times} on this machine; here the one thread ` +
    `that sends also accepts, reads, answers and logs ${MOST} transfers, on ` +
    `${navigator.hardwareConcurrency} cores shared with the clients`;
}

export const CLIENTS: Scenario = {
  name: SCENARIO,
  title: "AXFR to many clients at once",
  contenders: true,
  run,
};
