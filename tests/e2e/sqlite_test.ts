/** The embedded source: commands beside the running server change what it serves. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { serveFollowed } from "../support/followed.ts";
import { approveHeld, untilHeld } from "../support/held.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { served, untilServed } from "../support/served.ts";
import { mustZonecast, newSerial, serveZones } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";

const NAME = "file.example";
const ZONE = `${NAME}.`;

systemTest("commands beside the running server change what it serves", async (t) => {
  await using dir = await tempDir();
  const source = `sqlite:${dir.path}/zones.db`;
  await mustZonecast(source, ["zone", "add", NAME, "--ns", "ns1", "--ttl", "60"]);
  await mustZonecast(source, ["set", NAME, "ns1", "A", "192.0.2.53"]);
  await using zonecast = await serveZones({ source, zones: [ZONE] });
  const www = `www.${ZONE}`;

  await t.step("set adds a record, and another beside it", async () => {
    await zonecast.mustCli(["set", NAME, "www", "A", "192.0.2.1"]);
    await untilServed(zonecast, www, "A", ["192.0.2.1"]);
    await zonecast.mustCli(["set", NAME, "www", "A", "192.0.2.2"]);
    await untilServed(zonecast, www, "A", ["192.0.2.1", "192.0.2.2"]);
  });
  await t.step("unset removes one record, then all of the name", async () => {
    await zonecast.mustCli(["unset", NAME, "www", "A", "192.0.2.1"]);
    await untilServed(zonecast, www, "A", ["192.0.2.2"]);
    await zonecast.mustCli(["unset", NAME, "www"]);
    await untilServed(zonecast, www, "A", "NXDOMAIN");
  });
  await t.step("zone set changes the SOA", async () => {
    const serial = await newSerial(zonecast, ZONE, undefined);
    await zonecast.mustCli(["zone", "set", NAME, "--minimum", "17"]);
    await newSerial(zonecast, ZONE, serial);
    assertStringIncludes(await zonecast.mustCli(["export", NAME]), " 17");
  });
  await t.step("import replaces the zone, and its serial raises ours", async () => {
    const raised = await newSerial(zonecast, ZONE, undefined) + 1_000_000;
    const file = await dir.write(
      "import.zone",
      `$TTL 60\n@ SOA ns1 hostmaster ${raised} 3600 600 86400 60\n@ NS ns1\n` +
        `ns1 A 192.0.2.53\nnew A 192.0.2.3\n`,
    );
    await zonecast.mustCli(["import", NAME, file]);
    await untilServed(zonecast, `new.${ZONE}`, "A", ["192.0.2.3"]);
    assertEquals(await zonecast.serial(ZONE), raised + 1);
  });
  await t.step("another program writes to the file", async () => {
    const database = new DatabaseSync(`${dir.path}/zones.db`);
    database.exec(`insert into records (zone, name, type, content)
      values ('${NAME}', 'sql', 'A', '192.0.2.4')`);
    await untilServed(zonecast, `sql.${ZONE}`, "A", ["192.0.2.4"]);
    database.close();
  });
  await t.step("a second zone comes, and goes once that is approved", async () => {
    await zonecast.mustCli(["zone", "add", "second.example", "--ns", `ns1.${ZONE}`]);
    await untilServed(zonecast, "second.example", "NS", [`ns1.${NAME}`]);
    await zonecast.mustCli(["zone", "remove", "second.example"]);
    const held = await untilHeld(zonecast, "second.example");
    assertEquals(held.reasons, ["zone-removed"]);
    assertEquals(await served(zonecast, "second.example", "NS"), [`ns1.${NAME}`]);
    await approveHeld(zonecast, held);
    await untilServed(zonecast, "second.example", "NS", "REFUSED");
    assertEquals(await served(zonecast, `ns1.${ZONE}`, "A"), ["192.0.2.53"]);
  });
  await t.step(
    "an emptied table is held over a restart; a change beside it is published",
    async () => {
      const database = new DatabaseSync(`${dir.path}/zones.db`);
      const rows = Array.from({ length: 20 }, (_, i) => `('${NAME}', 'h${i}', 'A', '192.0.2.9')`);
      database.exec(`insert into records (zone, name, type, content) values ${rows.join()}`);
      await untilServed(zonecast, `h19.${ZONE}`, "A", ["192.0.2.9"]);
      database.exec(`delete from records where name like 'h%'`);
      const held = await untilHeld(zonecast, ZONE);
      assertEquals(held.owners, 20);
      await zonecast.stop();
      database.exec(`insert into records (zone, name, type, content)
      values ('${NAME}', 'beside', 'A', '192.0.2.5')`);
      database.close();
      await zonecast.start();
      await untilServed(zonecast, `beside.${ZONE}`, "A", ["192.0.2.5"]);
      assertEquals((await untilHeld(zonecast, ZONE)).id, held.id);
      assertEquals(await served(zonecast, `h19.${ZONE}`, "A"), ["192.0.2.9"]);
      await approveHeld(zonecast, held);
      await untilServed(zonecast, `h19.${ZONE}`, "A", "NXDOMAIN");
    },
  );
  await t.step("many commands at once all take effect", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `at-once-${i}`);
    await Promise.all(names.map((name) => zonecast.mustCli(["set", NAME, name, "A", "192.0.2.5"])));
    for (const name of names) await untilServed(zonecast, `${name}.${ZONE}`, "A", ["192.0.2.5"]);
  });
});

interopTest("NSD follows a zone from a file, over a kill -9 of zonecast", {
  needs: ["nsd", "dig", "compilezone"],
}, async () => {
  await using dir = await tempDir();
  const source = `sqlite:${dir.path}/zones.db`;
  await mustZonecast(source, ["zone", "add", NAME, "--ns", "ns1.servers.example."]);
  await using servers = await serveFollowed(["nsd"], { source, zones: [ZONE] });
  const { zonecast, secondaries: [secondary] } = servers;
  let serial = await newSerial(zonecast, ZONE, undefined);
  await secondary.reaches(ZONE, serial);
  for (let n = 1; n <= 3; n++) {
    await zonecast.stop("SIGKILL");
    await zonecast.mustCli(["set", NAME, `record${n}`, "A", "192.0.2.1"]);
    await zonecast.start();
    serial = await newSerial(zonecast, ZONE, serial);
    await secondary.reaches(ZONE, serial);
    await assertSameZone(zonecast, secondary, ZONE);
  }
});
