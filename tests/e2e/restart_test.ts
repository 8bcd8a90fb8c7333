/** kill -9 of zonecast between changes: the serial never falls, a real secondary follows on. */
import { assert } from "@std/assert";
import { query } from "../support/dns_client.ts";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { startProber } from "../support/prober.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { startSecondary } from "../support/secondaries.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
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
  const port = freePort();
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using zonecast = await serveZones({
    source: url,
    zones: [ZONE],
    secondaries: [{ addr: "127.0.0.1", port }],
  });
  await using secondary = await startSecondary("nsd", { zones: [ZONE], primary: zonecast, port });
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

interopTest("stopped cleanly and started again, it serves the same serial and says so to NSD", {
  needs: ["nsd"],
}, async () => {
  const port = freePort();
  await using postgres = await startPostgres();
  const { url } = await sourceDatabase(postgres, [ZONE]);
  await using zonecast = await serveZones({
    source: url,
    zones: [ZONE],
    secondaries: [{ addr: "127.0.0.1", port }],
  });
  const serial = await newSerial(zonecast, ZONE, undefined);
  await zonecast.stop();
  await using secondary = await startSecondary("nsd", { zones: [ZONE], primary: zonecast, port });
  await zonecast.start();
  // NSD asked in vain when it started; the NOTIFY of the start brings it here.
  await secondary.reaches(ZONE, serial);
});
