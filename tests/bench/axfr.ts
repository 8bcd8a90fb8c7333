/** One whole zone to one client, and the same octets from a bare sender: the limit of this machine. */
import type { TransferResult } from "./client.ts";
import {
  assertSameContent,
  ClientShares,
  noteSameContent,
  SUBJECT,
  takeTurn,
  transfer,
} from "./contenders.ts";
import { format } from "./report.ts";
import type { Bench, Scenario } from "./scenario.ts";

const SCENARIO = "axfr";
const SIZE = 1_000_000;
/** Of NSD's time. */
const OF_NSD = 1 / 10;
/** Of the raw loopback limit. */
const OF_RAW = 3;
const RAW = "raw loopback";

const FIRST = "first octet";
const LAST = "last octet";

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const contenders = await bench.contenders(size);
  const stream = `${await bench.tempDir()}/stream`;
  const shares = new ClientShares();
  const record = (server: string, { first, last, cpuShare }: TransferResult) => {
    bench.record({ scenario: SCENARIO, what: FIRST, server, size, unit: "s", value: first[0] });
    bench.record({ scenario: SCENARIO, what: LAST, server, size, unit: "s", value: last[0] });
    shares.add(server, cpuShare);
  };

  const saved = await transfer(bench, SCENARIO, contenders.zonecast, { save: stream });
  const raw = {
    name: RAW,
    measure: () => bench.client.run<TransferResult>("raw", { file: stream }),
  };
  const measured = [
    ...contenders.all.map((one) => ({
      name: one.name,
      measure: () => transfer(bench, SCENARIO, one),
    })),
    raw,
  ];
  await bench.interleave(measured, async ({ name, measure }, round) => {
    bench.progress(`round ${round + 1}: ${name}`);
    await takeTurn(async () => record(name, await measure()));
  });

  await assertSameContent(bench.client, contenders.zone, contenders.all);
  noteSameContent(bench, SCENARIO, contenders);
  bench.note(SCENARIO, `zonecast sends ${saved.octets} octets in ${saved.messages} messages`);
  bench.note(SCENARIO, String(shares));
  judge(bench, size);
}

function judge(bench: Bench, size: number): void {
  const median = (server: string) => bench.median({ scenario: SCENARIO, what: LAST, server, size });
  const [value, raw] = [median(SUBJECT), median(RAW)];
  for (
    const [server, share, words] of [
      ["NSD", OF_NSD, "1/10 of NSD's time"],
      [RAW, OF_RAW, "3 × the raw loopback limit"],
    ] as const
  ) {
    const reference = median(server);
    bench.goal({
      scenario: SCENARIO,
      what: `AXFR of ${size} records, one client`,
      value,
      unit: "s",
      atMost: reference === undefined ? undefined : reference * share,
      bound: words,
      reason: raw === undefined ? undefined : whyMissed(raw, reference && reference * share),
    });
  }
}

/** @param raw  what the bare sender took, s */
function whyMissed(raw: number, bound: number | undefined): string {
  const bare = `a bare sender of the same octets takes ${format(raw, "s")} here`;
  if (bound !== undefined && raw > bound) return `${bare}, itself more than the bound`;
  return `${bare}; to that one thread adds the question, the copying of each page behind its ` +
    `header, and looks at the other sockets, on ${navigator.hardwareConcurrency} cores shared ` +
    `with the client`;
}

export const AXFR: Scenario = {
  name: SCENARIO,
  title: "AXFR to one client",
  contenders: true,
  run,
};
