/**
 * Everything at once: writers commit while Postgres and zonecast are killed; in the end what is
 * served is what the source holds, and no serial ever fell.
 */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { startProber } from "../support/prober.ts";
import { assertSameLines, assertSameZone, exportLines } from "../support/same_zone.ts";
import { sourceDatabase } from "../support/setup.ts";
import { sleep, until } from "../support/wait.ts";
import { canonicalLines } from "../support/zone_text.ts";
import type { Zonecast } from "../support/zonecast.ts";

const NAMES = ["one.converge.example", "two.converge.example"];
const ZONES = NAMES.map((name) => `${name}.`);
const WRITERS = 3;

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)];

/** One random change of an owner. */
function randomChange(): string {
  const [zone, name] = [pick(NAMES), `owner${Math.floor(Math.random() * 50)}`];
  const address = `192.0.2.${Math.floor(Math.random() * 256)}`;
  return pick([
    `insert into zonecast.records (zone, name, type, content)
      values ('${zone}', '${name}', 'A', '${address}')`,
    `update zonecast.records set content = '${address}' where zone = '${zone}' and name = '${name}'`,
    `update zonecast.records set name = upper(name) where zone = '${zone}' and name = '${name}'`,
    `delete from zonecast.records where zone = '${zone}' and lower(name) = '${name}'`,
  ]);
}

/**
 * One transaction of one to three random changes; some wait before they commit, some roll back.
 * In one message, which is one transaction: postgres.js cannot bear a server that goes away
 * between two.
 */
async function writeOnce(sql: postgres.Sql): Promise<void> {
  const changes = Array.from({ length: Math.ceil(Math.random() * 3) }, randomChange);
  if (Math.random() < 0.2) changes.push("select pg_sleep(0.1)");
  if (Math.random() < 0.1) changes.push("select 1 / 0");
  await sql.unsafe(changes.join(";\n"));
}

/** Waits until zonecast serves what the source holds. Compares once more, to show what differs. */
async function converged(zonecast: Zonecast, name: string): Promise<void> {
  const comparable = (lines: readonly string[]) => lines.filter((line) => !/ SOA /.test(line));
  const both = async () => [
    comparable(await exportLines(zonecast, `${name}.`)),
    comparable(
      await canonicalLines(`${name}.`, await zonecast.mustCli(["export", name, "--from-source"])),
    ),
  ];
  await until(async () => {
    const [served, held] = await both();
    return JSON.stringify(served) === JSON.stringify(held);
  }, { what: `${name} is served as the source holds it`, intervalMs: 100 })
    .catch(async () => {
      const [served, held] = await both();
      assertSameLines(served, held);
    });
}

interopTest("changes, kills and restarts at once: in the end all hold the same", {
  needs: ["nsd", "dig", "compilezone"],
}, async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, ZONES);
  await using servers = await serveFollowed(["nsd"], {
    source: url,
    zones: ZONES,
    unguarded: true,
  });
  const { zonecast, secondaries: [secondary] } = servers;
  await using prober = startProber(zonecast, ZONES[0]);

  let over = false;
  let committed = 0;
  const writing = Array.from({ length: WRITERS }, async () => {
    while (!over) {
      // Killed with Postgres, or rolled back: what counts is what is there in the end.
      await writeOnce(sql).then(() => committed++, () => sleep(20));
    }
  });
  try {
    const disturb = [
      () => zonecast.stop("SIGKILL").then(() => zonecast.start()),
      () => postgres.kill9().then(() => postgres.start()),
      () => zonecast.stop().then(() => zonecast.start()),
      () => postgres.stop().then(() => postgres.start()),
    ];
    for (const disturbance of [...disturb, ...disturb]) {
      const before = committed;
      await until(() => committed >= before + 40, { what: "40 more commits" });
      await disturbance();
    }
  } finally {
    over = true;
    await Promise.all(writing);
  }

  for (const name of NAMES) {
    const zone = `${name}.`;
    await converged(zonecast, name);
    const serial = await zonecast.serial(zone);
    assert(serial !== undefined);
    await secondary.reaches(zone, serial);
    await assertSameZone(zonecast, secondary, zone);
  }
  const { serials, bad } = prober.probe;
  assertEquals(bad, []);
  assert(serials.every((serial, i) => i === 0 || serial > serials[i - 1]), `seen: ${serials}`);
});
