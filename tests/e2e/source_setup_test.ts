/** Databases that are not as they should be, yet: zonecast says so, waits, and goes on when they are. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { served, untilServed } from "../support/served.ts";
import { mustZonecast, newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { until } from "../support/wait.ts";
import { zonecastCli } from "../support/zonecast.ts";

const NAME = "setup.example";
const ZONE = `${NAME}.`;

systemTest("started before its database, its schema and its zone are there", async (t) => {
  await using postgres = await startPostgres();
  const url = postgres.url.replace(/\/postgres$/, "/later");
  await using zonecast = await serveZones({ source: url, zones: [] });

  await t.step("no database: status and log say which", async () => {
    await untilStatus(
      zonecast,
      "no database",
      ({ server }) =>
        server?.source.up === false && /"later" does not exist/.test(server.source.reason ?? ""),
    );
    assertMatch(zonecast.log(), /event="source down".*later/);
  });
  await t.step("no schema: the hint names the command", async () => {
    await postgres.createDatabase("later");
    await until(() => /schema apply/.test(zonecast.log()), {
      what: "the log names `zonecast schema apply`",
    });
    const told = await zonecastCli(["zones"], { env: { ZONECAST_SOURCE: url } });
    assertEquals(told.code === 0, false);
    assertStringIncludes(told.stderr, "schema apply");
  });
  await t.step("then both, and a zone: served, without a restart", async () => {
    await mustZonecast(url, ["schema", "apply"]);
    await mustZonecast(url, ["zone", "add", NAME, "--ns", "ns1.servers.example."]);
    await untilServed(zonecast, ZONE, "NS", ["ns1.servers.example"]);
  });
  await t.step("the schema dropped: served on; made again: followed", async () => {
    const sql = postgres.connect(url);
    await sql`drop schema zonecast cascade`;
    await untilStatus(
      zonecast,
      "a failure",
      ({ server }) => /schema|does not exist/.test(JSON.stringify(server?.source)),
    );
    assertEquals(await served(zonecast, ZONE, "NS"), ["ns1.servers.example"]);
    await mustZonecast(url, ["schema", "apply"]);
    await sql`insert into zonecast.zones (name, mname, rname) values (${NAME}, 'ns1', 'hm')`;
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${NAME}, '@', 'NS', 'ns1')`;
    await untilServed(zonecast, ZONE, "NS", [`ns1.${NAME}`]);
  });
});

systemTest("a role that may only read is enough to serve", async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await sql.unsafe(`create role reader login;
    grant usage on schema zonecast to reader;
    grant select on all tables in schema zonecast to reader`);
  const source = url.replace("postgres@", "reader@");
  await using zonecast = await serveZones({
    source,
    zones: [ZONE],
    args: ["--poll-interval", "1h", "--allow-transfer", "127.0.0.1"],
  });
  const serial = await newSerial(zonecast, ZONE, undefined);
  await untilStatus(zonecast, "source up", ({ server }) => server?.source.up === true);
  await sql`insert into zonecast.records (zone, name, type, content)
    values (${NAME}, 'www', 'A', '192.0.2.1')`;
  await newSerial(zonecast, ZONE, serial);
  await untilServed(zonecast, `www.${ZONE}`, "A", ["192.0.2.1"]);
});

systemTest("with Postgres down a command says so at once, and how it can be reached", async () => {
  await using postgres = await startPostgres();
  const { url } = await sourceDatabase(postgres, [ZONE]);
  await postgres.stop();
  for (const args of [["zones"], ["set", NAME, "www", "A", "192.0.2.1"]]) {
    const { code, stderr } = await zonecastCli(args, { env: { ZONECAST_SOURCE: url } });
    assertEquals(code, 1);
    assertMatch(stderr, /^zonecast: .*127\.0\.0\.1:\d+/);
    assertEquals(stderr.includes("    at "), false, stderr);
  }
});
