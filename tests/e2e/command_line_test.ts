/** import, export and the commands on zones and records, on either source: what goes in comes out. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { assertSameLines, exportLines, serverLines } from "../support/same_zone.ts";
import { mustZonecast, serveZones } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { canonicalLines } from "../support/zone_text.ts";
import { zonecastCli } from "../support/zonecast.ts";
import { RDATA_VECTORS } from "../vectors/rdata.ts";

const NAME = "import.example";
const ZONE = `${NAME}.`;

/** A master file with what RFC 1035 §5 allows, and a record of every type. */
function masterFile(): string {
  const types = RDATA_VECTORS
    .filter(([type]) => !["SOA", "MD", "MF", "NULL", "NSEC3"].includes(type))
    .map(([type, content], i) => `type${i} IN ${type} ${content}`);
  return `$TTL 1h
@ IN SOA ns1 hostmaster\\.dns.example.net. ( 7 ; serial
  1h 10m 2w 5m )
  NS ns1
  IN NS ns2.example.net.
ns1 IN 300 A 192.0.2.53
WWW 1h30m A 192.0.2.1
    1h30m A 192.0.2.2 ; the owner before
$ORIGIN deep.${ZONE}
under A 192.0.2.3
*.wild TXT "a star" ( "and more"
  "text; no comment" )
odd\\.dot\\032blank\\@at A 192.0.2.4
$ORIGIN ${ZONE}
$INCLUDE included.zone sub
${types.join("\n")}
`;
}

interopTest("import, export and import again give the same zone, on Postgres and on SQLite", {
  needs: ["dig", "compilezone"],
}, async (t) => {
  await using dir = await tempDir();
  await using postgres = await startPostgres();
  const sources = {
    postgres: await postgres.createDatabase("import"),
    sqlite: `sqlite:${dir.path}/zones.db`,
  };
  await mustZonecast(sources.postgres, ["schema", "apply"]);
  await mustZonecast(sources.postgres, ["schema", "apply"]);
  await dir.write("included.zone", "inc A 192.0.2.5\n@ MX 10 inc\n");
  const file = await dir.write("import.zone", masterFile());
  // BIND reads the same file; it wants an $INCLUDE to be found from where it runs.
  const judged = await canonicalLines(
    ZONE,
    masterFile().replace("$INCLUDE included", `$INCLUDE ${dir.path}/included`),
  );
  const withoutSerial = (lines: readonly string[]) =>
    lines.map((line) => line.replace(/( SOA \S+ \S+) \d+/, "$1 SERIAL"));

  for (const [kind, source] of Object.entries(sources)) {
    await t.step(`${kind}: the source holds what the file says, as BIND reads it`, async () => {
      await mustZonecast(source, ["import", ZONE, file]);
      const held = await mustZonecast(source, ["export", NAME, "--from-source"]);
      assertSameLines(await canonicalLines(ZONE, held), judged);
    });

    await t.step(`${kind}: it is served so, and its export imports to the same again`, async () => {
      await using zonecast = await serveZones({ source, zones: [ZONE] });
      const exported = await exportLines(zonecast, ZONE);
      assertSameLines(withoutSerial(exported), withoutSerial(judged));
      assertSameLines(await serverLines(zonecast, ZONE), exported);

      const text = await zonecast.mustCli(["export", NAME]);
      const copy = `sqlite:${dir.path}/copy-${kind}.db`;
      await mustZonecast(copy, ["import", NAME, "-"], text);
      const again = await mustZonecast(copy, ["export", NAME, "--from-source"]);
      assertSameLines(await canonicalLines(ZONE, again), exported);
    });

    await t.step(`${kind}: zones, set, unset and remove`, async () => {
      const must = (...args: string[]) => mustZonecast(source, args);
      await must("zone", "add", "shell.example", "--ns", "ns1", "--mname", "ns0", "--ttl", "5m");
      assertStringIncludes(await must("zones"), "shell.example");
      await must("set", "shell.example", "ns1", "A", "192.0.2.1", "--ttl", "60");
      await must("set", "shell.example", "@", "MX", "10 mail.example.net.");
      await must("zone", "set", "shell.example", "--refresh", "2h");
      const lines = await canonicalLines(
        "shell.example.",
        await must("export", "shell.example", "--from-source"),
      );
      assertEquals(withoutSerial(lines), [
        "ns1.shell.example. 60 A 192.0.2.1",
        "shell.example. 300 MX 10 mail.example.net.",
        "shell.example. 300 NS ns1.shell.example.",
        "shell.example. 300 SOA ns0.shell.example. hostmaster.shell.example. SERIAL 7200 600 1209600 300",
      ]);
      await must("unset", "shell.example", "ns1");
      const missing = await zonecastCli(["unset", "shell.example", "ns1"], {
        env: { ZONECAST_SOURCE: source },
      });
      assertEquals(missing.code, 1);
      assertStringIncludes(missing.stderr, "There is no record ns1.shell.example.");
      const wildcard = await zonecastCli(["set", "shell.example", "*", "NS", "ns1"], {
        env: { ZONECAST_SOURCE: source },
      });
      assertEquals(wildcard.code, 1);
      assertStringIncludes(wildcard.stderr, "cannot stand at the wildcard *.shell.example.");
      await must("zone", "remove", "shell.example");
      const zones = await must("zones");
      assertEquals(zones.includes("shell.example"), false);
      assertStringIncludes(zones, NAME);
    });

    await t.step(`${kind}: a file with an error changes nothing`, async () => {
      const before = await mustZonecast(source, ["export", NAME, "--from-source"]);
      const bad = await dir.write("bad.zone", masterFile() + "late A 192.0.2.300\n");
      const { code, stderr } = await zonecastCli(["import", NAME, bad], {
        env: { ZONECAST_SOURCE: source },
      });
      assertEquals(code, 1);
      assertStringIncludes(stderr, `bad.zone:${masterFile().split("\n").length}`);
      assertStringIncludes(stderr, "192.0.2.300");
      assertEquals(await mustZonecast(source, ["export", NAME, "--from-source"]), before);
    });
  }
});
