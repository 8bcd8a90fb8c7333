/** `zonecast check`: what would be published, held or refused, beside a server and without one. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { misfits } from "../../lib/cli/json_shape.ts";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { zonecastCli } from "../support/zonecast.ts";

const ZONE = "check.example.";
const SHAPE = COMMANDS.find(({ name }) => name === "check")!.json!;

interface Report {
  readonly comparedWith: string;
  readonly good: boolean;
  readonly zones: readonly {
    readonly zone: string;
    readonly outcome: string;
    readonly serial: number | null;
    readonly removed: readonly { readonly name: string }[];
    readonly added: readonly { readonly name: string; readonly content: string }[];
    readonly held: { readonly reasons: string[]; readonly id: string } | null;
  }[];
  readonly problems: readonly { readonly name: string; readonly code: string }[];
}

systemTest("check: what would be published, held or refused", async (t) => {
  await using postgres = await startPostgres();
  await using dir = await tempDir();
  const { url, sql } = await sourceDatabase(postgres, [ZONE, "other.example."]);
  await sql`insert into zonecast.records (zone, name, type, content)
    select 'check.example', 'h' || n, 'A', '192.0.2.1' from generate_series(1, 20) as n`;
  const env: Record<string, string> = { ZONECAST_SOURCE: url, ZONECAST_STATE: `${dir.path}/none` };
  const run = (...args: string[]) => zonecastCli(["check", ...args], { env });
  const report = async (...args: string[]) => {
    const { code, stdout, stderr } = await run("--json", ...args);
    if (stdout === "") throw new Error(stderr);
    const parsed = JSON.parse(stdout);
    assertEquals([...misfits(SHAPE, parsed)], []);
    const { zones, ...rest } = parsed as Report;
    return { code, ...rest, zones, zone: zones.find(({ zone }) => zone === ZONE)! };
  };

  await t.step("before the first start all is new", async () => {
    const { code, comparedWith, good, zones, zone } = await report();
    assertEquals([code, comparedWith, good], [0, "nothing", true]);
    assertEquals(zones.map(({ outcome }) => outcome), ["first", "first"]);
    assertEquals([zone.serial, zone.added.length], [null, 0]);
    const { stdout } = await run("check.example");
    assertStringIncludes(stdout, `${ZONE} would be published for the first time: 23 records`);
    assertEquals(stdout.includes("other.example"), false);
  });

  const zonecast = await serveZones({ source: url, zones: [ZONE, "other.example."] });
  await using _ = zonecast;
  const serial = await newSerial(zonecast, ZONE, undefined);
  env.ZONECAST_CONTROL = zonecast.controlSocket;
  env.ZONECAST_STATE = zonecast.stateFile;

  await t.step("beside the server: as published", async () => {
    const { code, comparedWith, zones } = await report();
    assertEquals([code, comparedWith], [0, "server"]);
    assertEquals(zones.map(({ outcome }) => outcome), ["unchanged", "unchanged"]);
    assertStringIncludes((await run()).stdout, "2 zones would stay as published");
  });

  await zonecast.stop();

  await t.step("without one: what changed since, and nothing of it is published", async () => {
    await sql`update zonecast.records set content = '192.0.2.9' where name = 'h1'`;
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('check.example', 'new', 'A', '192.0.2.7')`;
    const { code, comparedWith, zone } = await report();
    assertEquals([code, comparedWith, zone.outcome, zone.serial], [
      0,
      "state file",
      "changed",
      serial,
    ]);
    assertEquals(zone.removed.map(({ name }) => name), [`h1.${ZONE}`]);
    assertEquals(zone.added.map(({ content }) => content).sort(), ["192.0.2.7", "192.0.2.9"]);
    const { stdout } = await run("check.example");
    assertStringIncludes(stdout, `from serial ${serial}: 1 record would go, 2 would come`);
    assertMatch(stdout, /\n {2}- h1\.check\.example\.\t300\tIN\tA\t192\.0\.2\.1\n/);
    const { stdout: exported } = await zonecastCli(["export", ZONE], { env });
    assertStringIncludes(exported, `serial ${serial}`);
  });

  await t.step("problems, and a zone that cannot be served", async () => {
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('check.example', 'bad', 'A', 'no address'), ('stray.example', 'x', 'A', '192.0.2.1')`
      .catch(() =>
        sql`insert into zonecast.records (zone, name, type, content)
          values ('check.example', 'bad', 'A', 'no address')`
      );
    await sql`update zonecast.zones set mname = 'bad..name' where name = 'other.example'`;
    const { code, good, problems, zones } = await report();
    assertEquals([code, good], [3, false]);
    assertEquals(problems.some(({ name }) => name.startsWith("bad")), true);
    assertEquals(zones.find(({ zone }) => zone === "other.example.")?.outcome, "refused");
    const { code: again, stdout } = await run();
    assertEquals(again, 3);
    assertMatch(stdout, /problem check\.example\.? bad/);
    assertStringIncludes(stdout, "other.example. cannot be published: serial");
    await sql`update zonecast.zones set mname = 'ns1' where name = 'other.example'`;
    await sql`delete from zonecast.records where name = 'bad'`;
  });

  await t.step("what the guard would hold, by which limit, and what it lets pass", async () => {
    await sql`delete from zonecast.records where name ~ '^h(1[3-9]|20)$'`;
    const { code, zone } = await report();
    assertEquals([code, zone.held?.reasons], [3, ["shrink"]]);
    const loose = await report("--max-shrink", "90%", "--max-change", "90%");
    assertEquals([loose.code, loose.zone.held], [0, null]);
    const { stdout } = await run("check.example");
    assertStringIncludes(stdout, `${ZONE} would be held as ${zone.held!.id}: `);
    assertMatch(stdout, /owners would be gone, \d+%? ?/);
    // The server holds the very same, under the same id.
    await zonecast.start();
    const held = await until(async () => {
      const [one] = JSON.parse(await zonecast.mustCli(["held", "--json"]));
      return one;
    }, { what: "the server holds it" });
    assertEquals(held.id, zone.held!.id);
    const beside = await report();
    assertEquals([beside.comparedWith, beside.zone.held?.id], ["server", held.id]);
  });

  await t.step("a zone of more records than there may be", async () => {
    const { code, zone, problems } = await report("check.example", "--max-records", "10");
    assertEquals([code, zone.outcome], [3, "refused"]);
    assertEquals(problems.length, 1);
  });

  await t.step("a zone that is gone", async () => {
    await zonecast.stop();
    await sql`delete from zonecast.zones where name = 'other.example'`;
    const gone = await report();
    assertEquals(gone.zones.find(({ zone }) => zone === "other.example.")?.held?.reasons, [
      "zone-removed",
    ]);
  });

  await t.step("a zone that is nowhere, a source that is away, wrong usage", async () => {
    const unknown = await run("no.example");
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.stderr, "There is no zone no.example");
    const away = await zonecastCli(["check", "--source", "postgres://a@127.0.0.1:1/x"], { env });
    assertEquals(away.code, 1);
    assertStringIncludes(away.stderr, "Cannot read");
    const none = await zonecastCli(["check", "--source", `sqlite:${dir.path}/no.db`], { env });
    assertEquals(none.code, 1);
    assertEquals((await run("--max-shrink", "lots")).code, 2);
    assertEquals((await zonecastCli(["check"], { env: { ZONECAST_STATE: "x" } })).code, 2);
  });
});
