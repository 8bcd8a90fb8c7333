/**
 * A change until real secondaries answer with it: zonecast beside servers that need no database.
 */
import type { SecondaryKind } from "./change/primaries.ts";
import { changeable, ChangedPrimary } from "./change/primaries.ts";
import { assertWhole } from "./change/compare.ts";
import { which } from "../support/processes.ts";
import { sleep } from "../support/wait.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";

const SCENARIO = "change-live";
const NOTIFIED = "change → NOTIFY";
const SIZE = 100_000;
/** The sizes at which zonecast alone is measured beside. */
const OTHER_SIZES = [10_000, 1_000_000];
/** Changes a round, of each primary. */
const CHANGES = 4;
/** Before anything is recorded, as in "change-share"; each waits until the secondaries have it. */
const WARM_UP = 20;
/**
 * Between two changes of one primary, in ms. Secondaries pace themselves: NSD reloads, and Knot
 * refreshes, about once a second. What is measured is the way of a change they are ready for.
 */
const SPACING_MS = 1_700;

const KINDS: readonly { kind: SecondaryKind; program: string; name: string }[] = [
  { kind: "knot", program: "knotd", name: "Knot" },
  { kind: "nsd", program: "nsd", name: "NSD" },
];

const seconds = (us: number) => us / 1e6;

async function run(bench: Bench): Promise<void> {
  const kinds = KINDS.filter(({ program }) => which(program) !== undefined);
  const size = bench.size(SIZE);
  await measure(bench, size, kinds, changeable(bench, size));
  for (const other of new Set(OTHER_SIZES.map((records) => bench.size(records)))) {
    if (other === size) continue;
    await measure(bench, other, kinds, changeable(bench, other).slice(0, 1));
  }
  for (const { name } of KINDS) judge(bench, size, name);
  bench.note(
    SCENARIO,
    "Measured from the sending of COMMIT (zonecast) or of the UPDATE (BIND), from the start of " +
      "knotc zone-commit (Knot: an UPDATE is notified of a second later) or from just before the " +
      "rows are written (PowerDNS, which looks for new serials every second). Every " +
      "primary has the same three secondaries: Knot, NSD and one that asks IXFR at each NOTIFY " +
      `at once. Changes are at least ${
        SPACING_MS / 1000
      } s apart: the secondaries pace themselves, ` +
      `and write no zone files. ${WARM_UP} changes of each go before those measured.`,
  );
}

type Kinds = readonly (typeof KINDS)[number][];

async function measure(
  bench: Bench,
  size: number,
  kinds: Kinds,
  ways: ReturnType<typeof changeable>,
): Promise<void> {
  const primaries: ChangedPrimary[] = [];
  try {
    for (const { name, start } of ways) {
      bench.progress(`${SCENARIO}: ${name} and its secondaries load ${size} records`);
      primaries.push(await ChangedPrimary.start(start, kinds.map(({ kind }) => kind)));
    }
    const changedAt = new Map<ChangedPrimary, number>();
    const spaced = async (primary: ChangedPrimary) => {
      const since = performance.now() - (changedAt.get(primary) ?? -Infinity);
      if (since < SPACING_MS) await sleep(SPACING_MS - since);
      const seen = await primary.change();
      changedAt.set(primary, performance.now());
      return seen;
    };
    // The first changes find caches cold, programs that compile themselves as they run, and
    // secondaries busy with what they have just loaded.
    await Promise.all(primaries.map(async (primary) => {
      for (let change = 0; change < WARM_UP; change++) await primary.change();
      changedAt.set(primary, performance.now());
    }));
    await bench.interleave(primaries, async (primary) => {
      const seen = await spaced(primary);
      const record = (what: string, unit: Sample["unit"], value: number) =>
        bench.record({ scenario: SCENARIO, what, server: primary.name, size, unit, value });
      for (const [index, { name }] of kinds.entries()) {
        record(`change → ${name} answers with it`, "s", seconds(seen.answered[index]));
        if (!seen.done) continue;
        const own = seen.answered[index] - seen.lastOctet;
        record(`of it the time of ${name} itself`, "s", seconds(Math.max(0, own)));
      }
      record("change → all of them answer with it", "s", seconds(Math.max(...seen.answered)));
      if (!seen.done) return; // no IXFR was asked of it
      if (seen.acked > 0) record("change → acknowledged", "s", seconds(seen.acked));
      record(NOTIFIED, "s", seconds(seen.notified));
      record("change → last octet of the IXFR", "s", seconds(seen.lastOctet));
      record("octets of the IXFR", "octets", seen.octets);
      record("the witness' share of a core", "ratio", seen.cpuShare);
    }, bench.rounds * CHANGES);
    for (const { secondaries, changes } of primaries) {
      await assertWhole(bench, secondaries, size, changes);
    }
  } finally {
    for (const primary of primaries) await primary[Symbol.asyncDispose]();
  }
}

function judge(bench: Bench, size: number, name: string): void {
  const what = `change → ${name} answers with it`;
  const median = (server: string, what: string) =>
    bench.median({ scenario: SCENARIO, what, server, size });
  const own = `of it the time of ${name} itself`;
  const ms = (value: number | undefined) => `${((value ?? NaN) * 1000).toFixed(1)} ms`;
  bench.goal({
    scenario: SCENARIO,
    what: `COMMIT → ${name} answers, ${size} records`,
    value: median("zonecast", what),
    unit: "s",
    atMost: median("BIND", what),
    bound: "BIND's in the same run, by UPDATE, no database",
    reason:
      `until its last NOTIFY zonecast takes ${
        ms(median("zonecast", NOTIFIED))
      }, with two commits ` +
      `to disk and a read of Postgres on the way (BIND: ${
        ms(median("BIND", NOTIFIED))
      }, with one ` +
      "commit, but its first NOTIFY, Knot's, leaves up to 8 ms before the last); all secondaries " +
      `then work side by side on ${navigator.hardwareConcurrency} cores, ${name} for ${
        ms(median("zonecast", own))
      } (after BIND's, which come apart, ${ms(median("BIND", own))})`,
  });
}

export const CHANGE_LIVE: Scenario = {
  name: SCENARIO,
  title: "one record changed, until Knot and NSD answer with it",
  run,
};
