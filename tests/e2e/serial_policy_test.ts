/** `--serial`: which serials the versions get, over a restart with another policy. */
import { assert, assertEquals } from "@std/assert";
import { systemTest } from "../support/interop.ts";
import { mustZonecast, newSerial, serveZones } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { untilServed } from "../support/served.ts";
import type { Zonecast } from "../support/zonecast.ts";

const NAME = "policy.example";
const ZONE = `${NAME}.`;

let changes = 0;

/** Changes the zone; the serial that brings it. */
async function change(zonecast: Zonecast): Promise<number> {
  const serial = await newSerial(zonecast, ZONE, undefined);
  const name = `change${++changes}`;
  await zonecast.mustCli(["set", NAME, name, "A", "192.0.2.1"]);
  await untilServed(zonecast, `${name}.${ZONE}`, "A", ["192.0.2.1"]);
  return await newSerial(zonecast, ZONE, serial);
}

/** Today's first serial in the form YYYYMMDDnn, in UTC. */
function today(): number {
  return Number(new Date().toISOString().slice(0, 10).replaceAll("-", "")) * 100;
}

/** Serves a source in its own file. */
async function serve(source: string, ...args: string[]): Promise<Zonecast> {
  return await serveZones({ source, zones: [ZONE], args });
}

systemTest(
  "--serial increment counts from 1, date from the day, each on over a restart",
  async (t) => {
    await using dir = await tempDir();
    const source = `sqlite:${dir.path}/zones.db`;
    await mustZonecast(source, ["zone", "add", NAME, "--ns", "ns1.servers.example."]);

    await t.step("increment: 1, 2, 3, and 4 after a kill -9", async () => {
      await using zonecast = await serve(source, "--serial", "increment");
      assertEquals(await zonecast.serial(ZONE), 1);
      assertEquals([await change(zonecast), await change(zonecast)], [2, 3]);
      await zonecast.stop("SIGKILL");
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), 3);
      assertEquals(await change(zonecast), 4);
    });

    await t.step("date: YYYYMMDD00, 01, 02, over a restart too", async () => {
      const before = today();
      await using zonecast = await serve(source, "--serial", "date");
      const first = await newSerial(zonecast, ZONE, undefined);
      assert([before, today()].includes(first), `${first}`);
      // The day may be another by then.
      const second = await change(zonecast);
      assert([first + 1, today()].includes(second), `${second} after ${first}`);
      await zonecast.stop();
      await zonecast.start();
      const third = await change(zonecast);
      assert([second + 1, today()].includes(third), `${third} after ${second}`);
    });
  },
);
