/**
 * A million rows read for the first time, and a tenth of them changed in one transaction: until
 * it is published, and how long questions wait meanwhile.
 */
import { assert, assertEquals } from "@std/assert";
import { freePort } from "../support/ports.ts";
import { newSerial } from "../support/setup.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import { assertWhole } from "./change/compare.ts";
import { ixfrQuery, postgresQuery, question } from "./change/messages.ts";
import { postgresPlace, witnessSoa } from "./change/primaries.ts";
import { type SeenQuestions, Witness } from "./change/witness.ts";
import type { Bench, Sample, Scenario } from "./scenario.ts";
import { NS, TTL, ZONE, ZONE_NAME } from "./zones.ts";

const SCENARIO = "large-changes";
const SIZE = 1_000_000;
/** One row in so many is changed. */
const PART = 10;
/** Served meanwhile, from the state file, and not changed. */
const OTHER = "other.example.";
/** SOA questions a second: rare enough that none waits for another. */
const RATE = 500;
const PATIENCE_MS = 180_000;
/** One in the address that replaces another, in the first octet of A and the last of AAAA. */
const CHANGED = { A: "'11' || substr(content, 3)", AAAA: "'2001:db9' || substr(content, 9)" };
const RESTORED = { A: "'10' || substr(content, 3)", AAAA: "'2001:db8' || substr(content, 9)" };

const WHAT = {
  first: "first full read → published, from the start of the process",
  firstP99: "SOA meanwhile, p99",
  bulk: "bulk change, COMMIT → NOTIFY",
  bulkP99: "SOA during it, p99",
} as const;

async function run(bench: Bench): Promise<void> {
  const size = bench.size(SIZE);
  const record = (what: string, unit: Sample["unit"], value: number) =>
    bench.record({ scenario: SCENARIO, what, server: "zonecast", size, unit, value });
  const { url, sql } = await bench.sources.database(size);
  await sql`insert into zonecast.zones ${
    sql({
      name: OTHER.slice(0, -1),
      mname: NS[0],
      rname: "hostmaster.other.example.",
      default_ttl: TTL,
    })
  }`;
  await sql`insert into zonecast.records (zone, name, type, content)
    values (${OTHER.slice(0, -1)}, '@', 'NS', ${NS[0]})`;
  const state = `${await bench.tempDir()}/other.db`;
  await publishOther(url, state);

  for (let round = 0; round < bench.rounds; round++) {
    bench.progress(`${SCENARIO}: round ${round + 1}, the first full read`);
    await using watch = await Witness.start();
    await using witness = await Witness.start();
    const own = { addr: "127.0.0.1", port: freePort() };
    await witness.listen(own);
    await witness.zone(witnessSoa(1)); // any will do: what the secondaries have is asked first
    const began = performance.now();
    await using zonecast = await startZonecast({
      source: url,
      binary: true,
      stateFrom: state,
      secondaries: [own],
      args: ["--allow-transfer", "127.0.0.1"],
    });
    const stop = await watch.steady(zonecast, RATE, question(OTHER, "SOA"));
    const serial = await newSerial(zonecast, ZONE, undefined, PATIENCE_MS);
    record(WHAT.first, "s", (performance.now() - began) / 1000);
    recordQuestions(WHAT.firstP99, await stop());
    await assertWhole(bench, [zonecast], size, 0);
    await bulkChange(witness, watch, zonecast, serial);
    await assertWhole(bench, [zonecast], size, 0);
  }
  judge();
  bench.note(
    SCENARIO,
    `SOA was asked ${RATE} times a second, each time by the clock; what was due while an answer ` +
      "was late counts as late too. Of the bulk change the IXFR was fetched and counted, and " +
      "after it was taken back the zone compared with what was generated.",
  );

  function recordQuestions(what: string, seen: SeenQuestions): void {
    // Less than one in a thousand: a socket buffer that ran over in a pause would hide it.
    assert(
      seen.asked - seen.answered <= seen.asked / 1000,
      `answers are missing: ${JSON.stringify(seen)}`,
    );
    record(what, "s", seen.p99 / 1e6);
    record(`${what.replace(", p99", "")}, the longest`, "s", seen.max / 1e6);
  }

  async function bulkChange(
    witness: Witness,
    watch: Witness,
    zonecast: Zonecast,
    before: number,
  ): Promise<void> {
    await witness.primary(zonecast);
    const place = postgresPlace(url);
    const { port } = new URL(url);
    await witness.changesTo("tcp", { addr: "127.0.0.1", port: Number(port) });
    await witness.send(place.greeting!);
    let serial = before;
    for (const content of [CHANGED, RESTORED]) {
      await witness.send(postgresQuery(`begin; ${updateOf(content, size / PART)}`));
      const stop = await watch.steady(zonecast, RATE, question(ZONE, "SOA"));
      const seen = await witness.round({
        timeoutMs: PATIENCE_MS,
        change: postgresQuery("commit"),
        ixfr: ixfrQuery(ZONE, serial),
      });
      const questions = await stop();
      assert(seen.done, `the bulk change did not arrive: ${JSON.stringify(seen)}`);
      assertEquals(seen.records, 2 * size / PART + 4, "rows removed and added, and four SOA");
      serial = seen.serial;
      record(WHAT.bulk, "s", seen.notified / 1e6);
      record("bulk change, COMMIT → last octet of the IXFR", "s", seen.lastOctet / 1e6);
      record("octets of that IXFR", "octets", seen.octets);
      recordQuestions(WHAT.bulkP99, questions);
    }
  }

  function judge(): void {
    const goal = (what: string, of: string, atMost: number, reason?: string) =>
      bench.goal({
        scenario: SCENARIO,
        what: `${what}, ${size} records`,
        value: bench.median({ scenario: SCENARIO, what: of, server: "zonecast", size }),
        unit: "s",
        atMost,
        bound: "",
        reason,
      });
    const shared = "Postgres sends the rows while zonecast takes them in, and both share " +
      `${navigator.hardwareConcurrency} cores with who asks SOA`;
    const turns = "a turn of the event loop takes longer than its slice where rows are parsed, " +
      "pages built or garbage is collected";
    goal("first full read → published", WHAT.first, 8, shared);
    goal("SOA during it, p99", WHAT.firstP99, 0.020, turns);
    goal(`${size / PART} rows changed at once → published`, WHAT.bulk, 3, shared);
    goal("SOA during that, p99", WHAT.bulkP99, 0.020, turns);
  }
}

/** Rows of the zone in the order they were made: A and AAAA of the same owners. */
function updateOf(content: typeof CHANGED, rows: number): string {
  return `update zonecast.records set content = case type when 'A' then ${content.A}
      else ${content.AAAA} end
    where id in (select id from zonecast.records
      where zone = '${ZONE_NAME}' and type in ('A', 'AAAA') order by id limit ${rows})`;
}

/** A state file in which only the other zone was published. */
async function publishOther(source: string, file: string): Promise<void> {
  await using zonecast = await startZonecast({ source, binary: true, args: ["--zone", OTHER] });
  await newSerial(zonecast, OTHER, undefined, PATIENCE_MS);
  await zonecast.stop();
  await Deno.copyFile(zonecast.stateFile, file);
}

export const LARGE_CHANGES: Scenario = {
  name: SCENARIO,
  title: "a million rows read for the first time, and 100k of them changed at once",
  run,
};
