/** kill -9 of zonecast between changes: the serial never falls, a real secondary follows on. */
import { assert, assertEquals } from "@std/assert";
import { query } from "../support/dns_client.ts";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { startProber } from "../support/prober.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { newSerial, sourceDatabase } from "../support/setup.ts";
import { sleep, until } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";

const NAME = "restart.example";
const ZONE = `${NAME}.`;
const ROUNDS = 9;
/** Each round kills so much later after the commit; a publication takes some 20 ms. */
const KILL_STEP_MS = 4;

/** Waits for the moment to kill zonecast: all along a publication, or when it is served. */
async function untilKill(round: number, zonecast: Zonecast, serial: number): Promise<void> {
  if (round % 3 === 0) await newSerial(zonecast, ZONE, serial);
  else await sleep(KILL_STEP_MS * round);
}

interopTest("killed between changes and started again, the serial never falls and NSD follows on", {
  needs: ["nsd", "dig", "compilezone"],
}, async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using servers = await serveFollowed(["nsd"], { source: url, zones: [ZONE] });
  const { zonecast, secondaries: [secondary] } = servers;
  await using prober = startProber(zonecast, ZONE);

  for (let round = 1; round <= ROUNDS; round++) {
    const serial = await newSerial(zonecast, ZONE, undefined);
    await sql`insert into zonecast.records (zone, name, type, content)
      select ${NAME}, 'round' || ${round}::integer || '-' || n, 'A', '192.0.2.1'
      from generate_series(1, 200) as n`;
    await untilKill(round, zonecast, serial);
    await zonecast.stop("SIGKILL");
    await zonecast.start();

    const after = await until(async () => {
      const { rcode } = await query(zonecast, `round${round}-200.${ZONE}`, "A");
      return rcode === "NOERROR" && await zonecast.serial(ZONE);
    }, { what: `the change of round ${round} is served` });
    assert(after > serial, `the serial was ${serial}, and is ${after} after a change`);
    await secondary.reaches(ZONE, after);
    await assertSameZone(zonecast, secondary, ZONE);
  }
  const { serials } = prober.probe;
  assert(serials.every((serial, i) => i === 0 || serial > serials[i - 1]), `seen: ${serials}`);
});

interopTest("started again, it brings a secondary that missed a change up to its serial", {
  needs: ["nsd"],
}, async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using servers = await serveFollowed(["nsd"], { source: url, zones: [ZONE] });
  const { zonecast, secondaries: [secondary] } = servers;
  const first = await newSerial(zonecast, ZONE, undefined);
  await secondary.reaches(ZONE, first);
  await secondary.stop();
  await sql`insert into zonecast.records (zone, name, type, content)
    values (${NAME}, 'missed', 'A', '192.0.2.1')`;
  const serial = await newSerial(zonecast, ZONE, first);
  await zonecast.stop();
  await secondary.start();
  assert(await secondary.serial(ZONE) !== serial);

  await zonecast.start();
  await secondary.reaches(ZONE, serial);
  assertEquals(await zonecast.serial(ZONE), serial);
});

interopTest("its state file lost, it starts above the serial its secondary shows", {
  needs: ["nsd", "dig", "compilezone"],
}, async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using servers = await serveFollowed(["nsd"], { source: url, zones: [ZONE] });
  const { zonecast, secondaries: [secondary] } = servers;
  // A serial far ahead of the time, and of all that the source knows.
  const first = await newSerial(zonecast, ZONE, undefined);
  await sql`update zonecast.zones set serial_floor = ${first + 1_000_000}`;
  const high = await newSerial(zonecast, ZONE, first);
  await secondary.reaches(ZONE, high);
  await sql`update zonecast.zones set serial_floor = null`;

  await zonecast.stop("SIGKILL");
  for (const { name } of [...Deno.readDirSync(zonecast.dir)]) {
    if (name.startsWith("state.db")) await Deno.remove(`${zonecast.dir}/${name}`);
  }
  await sql`insert into zonecast.records (zone, name, type, content)
    values (${NAME}, 'after', 'A', '192.0.2.1')`;
  await zonecast.start();
  const serial = await newSerial(zonecast, ZONE, undefined);
  assert(serial > high, `${serial} after ${high}`);
  await secondary.reaches(ZONE, serial);
  await assertSameZone(zonecast, secondary, ZONE);
});
