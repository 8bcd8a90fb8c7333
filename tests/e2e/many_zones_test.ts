/** Several zones in one source: each has its own serial, its own NOTIFY, its own life. */
import { assertEquals } from "@std/assert";
import { serveFollowed } from "../support/followed.ts";
import { approveHeld, untilHeld } from "../support/held.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { served, untilServed } from "../support/served.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { until } from "../support/wait.ts";

const ZONES = ["one.example.", "two.example.", "sub.two.example."];

systemTest(
  "a change in one of three zones raises and announces no other zone's serial",
  async (t) => {
    await using postgres = await startPostgres();
    const { url, sql, mustCli } = await sourceDatabase(postgres, ZONES);
    await using secondary = startFakeSecondary();
    secondary.follows = true; // one that lags behind what it acknowledged is told again after 5 s
    await using zonecast = await serveZones({
      source: url,
      zones: ZONES,
      secondaries: [secondary],
    });
    const serials = () => Promise.all(ZONES.map((zone) => zonecast.serial(zone)));
    /** The serials announced, each once: a NOTIFY acknowledged late, on a busy machine, comes twice. */
    const notified = (zone: string) => {
      const ofZone = secondary.notifies.filter((notify) => `${notify.zone}.` === zone);
      return [...new Set(ofZone.map(({ serial }) => serial))];
    };

    await t.step("each is announced at the start", async () => {
      const before = await serials();
      await until(() => ZONES.every((zone) => notified(zone).length > 0), { what: "three NOTIFY" });
      assertEquals(ZONES.map((zone) => notified(zone)), before.map((serial) => [serial]));
    });

    await t.step("a change in one", async () => {
      const [one, two, sub] = await serials();
      await sql`insert into zonecast.records (zone, name, type, content)
      values ('two.example', 'www', 'A', '192.0.2.1')`;
      const serial = await newSerial(zonecast, "two.example.", two);
      await until(() => notified("two.example.").includes(serial), { what: "its NOTIFY" });
      assertEquals(await serials(), [one, serial, sub]);
      assertEquals(ZONES.map((zone) => notified(zone)), [[one], [two, serial], [sub]]);
    });

    await t.step("changes in two zones in one transaction come together", async () => {
      const [one, , sub] = await serials();
      await sql`insert into zonecast.records (zone, name, type, content) values
      ('one.example', 'both', 'A', '192.0.2.1'), ('sub.two.example', 'both', 'A', '192.0.2.1')`;
      await newSerial(zonecast, "one.example.", one);
      await newSerial(zonecast, "sub.two.example.", sub);
      assertEquals(await served(zonecast, "both.sub.two.example", "A"), ["192.0.2.1"]);
    });

    await t.step("a zone added while it runs is served, a removed one no more", async () => {
      await mustCli(["zone", "add", "new.example", "--ns", "ns1.servers.example."]);
      await untilServed(zonecast, "new.example", "NS", ["ns1.servers.example"]);
      await until(() => notified("new.example.").length === 1, { what: "NOTIFY of the new zone" });
      await mustCli(["zone", "remove", "new.example"]);
      await approveHeld(zonecast, await untilHeld(zonecast, "new.example"));
      await untilServed(zonecast, "new.example", "NS", "REFUSED");
      assertEquals(await served(zonecast, "one.example", "NS"), [
        "ns1.servers.example",
        "ns2.servers.example",
      ]);
    });
  },
);

systemTest(
  "a zone written in capitals is served; renamed, it is served under the new name",
  async () => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, ["MiXed.Example."]);
    await using zonecast = await serveZones({ source: url, zones: ["mixed.example."] });
    await sql`insert into zonecast.records (zone, name, type, content)
    values ('MiXed.Example', 'www', 'A', '192.0.2.1')`;
    await untilServed(zonecast, "www.mixed.example", "A", ["192.0.2.1"]);
    await sql`update zonecast.zones set name = 'renamed.example'`;
    await untilServed(zonecast, "www.renamed.example", "A", ["192.0.2.1"]);
    await approveHeld(zonecast, await untilHeld(zonecast, "mixed.example"));
    await untilServed(zonecast, "www.mixed.example", "A", "REFUSED");
  },
);

systemTest("--zone serves only the zones it names", async () => {
  await using postgres = await startPostgres();
  const { url } = await sourceDatabase(postgres, ZONES);
  await using zonecast = await serveZones({
    source: url,
    zones: ["two.example."],
    args: ["--zone", "TWO.example"],
  });
  assertEquals(await served(zonecast, "one.example", "NS"), "REFUSED");
  assertEquals(await served(zonecast, "www.sub.two.example", "A"), "NXDOMAIN");
});

interopTest("100 zones reach NSD, each with its change", { needs: ["nsd"] }, async () => {
  const zones = Array.from({ length: 100 }, (_, i) => `zone${i}.example.`);
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, zones);
  await using servers = await serveFollowed(["nsd"], { source: url, zones });
  const { zonecast, secondaries: [secondary] } = servers;
  const serials = new Map<string, number>();
  for (const zone of zones) serials.set(zone, await newSerial(zonecast, zone, undefined));
  await sql`insert into zonecast.records (zone, name, type, content)
    select name, 'www', 'A', '192.0.2.1' from zonecast.zones`;
  for (const zone of zones) {
    await secondary.reaches(zone, await newSerial(zonecast, zone, serials.get(zone)));
    // NSD's process of before the reload may answer once more beside the new one.
    await untilServed(secondary, `www.${zone}`, "A", ["192.0.2.1"]);
  }
});
