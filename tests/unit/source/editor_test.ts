/** Both editors, by one battery: what the shell commands rely on. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  applySchema,
  openEditor,
  SourceError,
  type ZoneSettings,
} from "../../../lib/source/mod.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres } from "../../support/postgres.ts";
import { tempDir } from "../../support/tempdir.ts";

const ZONE: ZoneSettings = {
  name: "Example.COM.",
  mname: "ns1",
  rname: "hostmaster",
  refresh: 3600,
  retry: 600,
  expire: 4294967295,
  minimum: 300,
  defaultTtl: 3600,
  soaTtl: null,
  serialFloor: null,
};

/** An error of this code. */
async function assertCode(code: string, work: () => Promise<unknown>): Promise<SourceError> {
  const error = await assertRejects(work, SourceError);
  assertEquals(error.code, code, error.message);
  return error;
}

async function battery(url: string, t: Deno.TestContext): Promise<void> {
  const editor = await openEditor(url);
  /** The zone's rows as text, sorted. */
  const rows = async (zone = "example.com") =>
    (await editor.rows(zone)).map(({ name, type, ttl, content }) =>
      `${name} ${ttl ?? "-"} ${type} ${content}`
    ).sort();
  try {
    await t.step("addZone stores the name in lower case without the dot", async () => {
      await editor.addZone(ZONE, [{ name: "@", type: "ns", content: "ns1", ttl: null }]);
      assertEquals(await editor.zones(), [
        { settings: { ...ZONE, name: "example.com" }, records: 1 },
      ]);
      assertEquals(await rows(), ["@ - NS ns1"]);
    });
    await t.step("addZone refuses another spelling of a zone that exists", async () => {
      await assertCode("zone-exists", () => editor.addZone({ ...ZONE, name: "EXAMPLE.com" }, []));
      await assertCode(
        "zone-exists",
        () => editor.addZone({ ...ZONE, name: "\\101xample.com" }, []),
      );
    });
    await t.step("the root zone can be had", async () => {
      await editor.addZone({ ...ZONE, name: "." }, []);
      assertEquals(
        await editor.setRecord(".", { name: "com", type: "NS", content: "a.", ttl: 1 }),
        true,
      );
      assertEquals(await rows("."), ["com 1 NS a."]);
      assertEquals(await editor.removeZone("."), 1);
    });
    await t.step("setZone changes what is given, and nothing else", async () => {
      await editor.setZone("example.com.", { minimum: 60, soaTtl: 120 });
      await editor.setZone("example.com", {});
      assertEquals((await editor.zones())[0].settings, {
        ...ZONE,
        name: "example.com",
        minimum: 60,
        soaTtl: 120,
      });
    });
    await t.step("setRecord: the same record is the same owner, type and RDATA", async () => {
      const set = (name: string, type: string, content: string, ttl: number | null) =>
        editor.setRecord("example.com", { name, type, content, ttl });
      assertEquals(await set("www", "A", "192.0.2.1", null), true);
      assertEquals(await set("WWW.example.com.", "a", "192.0.2.1", null), false);
      assertEquals(await set("\\119ww", "A", " 192.0.2.1 ", 60), true);
      assertEquals(await set("www", "AAAA", "2001:DB8:0::1", null), true);
      assertEquals(await set("www", "AAAA", "2001:db8::1", null), false);
      assertEquals(await set("www", "A", "192.0.2.2", null), true);
      assertEquals(await rows(), [
        "@ - NS ns1",
        "www - A 192.0.2.2",
        "www - AAAA 2001:DB8:0::1",
        "www 60 A 192.0.2.1",
      ]);
    });
    await t.step("unsetRecords takes an owner, a type, a content", async () => {
      const unset = (name: string, type?: string, content?: string) =>
        editor.unsetRecords("Example.com", name, type, content);
      assertEquals(await unset("www", "AAAA", "2001:db8:0:0::1"), 1);
      assertEquals(await unset("www", "aaaa"), 0);
      assertEquals(await unset("nothing.here"), 0);
      assertEquals(await unset("WWW"), 2);
      assertEquals(await rows(), ["@ - NS ns1"]);
    });
    await t.step("a bad record can be removed by its own spelling", async () => {
      const bad = { name: "bad..name", type: "NOPE", content: "\\# what", ttl: 99999999999 };
      assertEquals(await editor.setRecord("example.com", bad), true);
      assertEquals(await rows(), ["@ - NS ns1", "bad..name 99999999999 NOPE \\# what"]);
      assertEquals(await editor.unsetRecords("example.com", "bad..name"), 1);
    });
    await t.step("replaceZone makes a zone, or replaces all of it", async () => {
      const records = Array.from(
        { length: 4500 },
        (_, n) => ({ name: `h${n}`, type: "A", content: "192.0.2.1", ttl: n % 2 ? null : n }),
      );
      await editor.replaceZone({ ...ZONE, serialFloor: 4294967295 }, records);
      assertEquals((await editor.rows("example.com")).length, 4500);
      assertEquals((await editor.zones())[0], {
        settings: { ...ZONE, name: "example.com", serialFloor: 4294967295 },
        records: 4500,
      });
      await editor.replaceZone(ZONE, records.slice(0, 1));
      assertEquals(await rows(), ["h0 0 A 192.0.2.1"]);
      assertEquals((await editor.zones())[0].settings.serialFloor, 4294967295);
      await editor.replaceZone({ ...ZONE, name: "new.example" }, records.slice(0, 2));
      assertEquals(await editor.removeZone("NEW.example."), 2);
    });
    await t.step("restoreZone leaves rows that are right, and says what it changes", async () => {
      const right = { name: "WWW.example.com.", type: "A", content: "192.0.2.1", ttl: 3600 };
      const wrong = { name: "bad..name", type: "NOPE", content: "x", ttl: null };
      await editor.replaceZone(ZONE, [
        { name: "WWW", type: "a", content: " 192.0.2.1", ttl: null },
        { name: "h1", type: "A", content: "192.0.2.1", ttl: 60 },
        wrong,
      ]);
      const before = await rows();
      const wanted = [right, { ...right, content: "192.0.2.2" }, { ...right, name: "h1" }];
      const restore = (dryRun: boolean) =>
        editor.restoreZone("EXAMPLE.com", { minimum: 7, soaTtl: 9 }, wanted, dryRun);
      const plan = await restore(true);
      assertEquals(await rows(), before);
      assertEquals((await editor.zones())[0].settings, {
        ...ZONE,
        name: "example.com",
        serialFloor: 4294967295,
      });
      assertEquals(plan.added, wanted.slice(1));
      assertEquals(plan.removed, [
        { name: "h1", type: "A", content: "192.0.2.1", ttl: 60 },
        wrong,
      ]);
      assertEquals(await restore(false), plan);
      assertEquals(await rows(), [
        "WWW - A  192.0.2.1",
        "WWW.example.com. 3600 A 192.0.2.2",
        "h1 3600 A 192.0.2.1",
      ]);
      const { minimum, soaTtl, mname } = (await editor.zones())[0].settings;
      assertEquals([minimum, soaTtl, mname], [7, 9, "ns1"]);
      assertEquals(await restore(false), { removed: [], added: [] });
      await editor.replaceZone(ZONE, [right]);
    });
    await t.step("a zone that is not there is said to be unknown", async () => {
      await assertCode("zone-unknown", () => editor.restoreZone("nope", {}, [], true));
      await assertCode("zone-unknown", () => editor.rows("nope"));
      await assertCode("zone-unknown", () => editor.setZone("nope", { minimum: 1 }));
      await assertCode("zone-unknown", () => editor.removeZone("nope"));
      await assertCode("zone-unknown", () => editor.unsetRecords("nope", "@"));
      await assertCode(
        "zone-unknown",
        () => editor.setRecord("nope", { name: "@", type: "A", content: "192.0.2.1", ttl: null }),
      );
    });
    await t.step("removeZone removes the records with it", async () => {
      assertEquals(await editor.removeZone("example.com"), 1);
      assertEquals(await editor.zones(), []);
    });
  } finally {
    await editor.close();
  }
}

Deno.test("the SQLite editor", async (t) => {
  await using dir = await tempDir();
  const url = `sqlite:${dir.path}/source.db`;
  const editor = await openEditor(url);
  await t.step("a file that is not there is not made by looking", async () => {
    await assertCode("source-unreachable", () => editor.zones());
  });
  await editor.close();
  await battery(url, t);
});

systemTest("the Postgres editor", async (t) => {
  await using server = await startPostgres();
  await t.step("without the schema it says how to get it", async () => {
    const error = await assertCode("source-schema-missing", () => openEditor(server.url));
    assertMatch(error.hint ?? "", /^"zonecast schema apply" installs it/);
  });
  await applySchema(server.url);
  await battery(server.url, t);

  await t.step("records that are a view are not changed", async () => {
    const editor = await openEditor(server.url);
    try {
      await editor.addZone(ZONE, []);
      await server.sql.unsafe(`
        drop table zonecast.records;
        create view zonecast.records as
          select 'example.com' as zone, '@' as name, 'A' as type, null::int as ttl,
            '192.0.2.1' as content`);
      assertEquals((await editor.zones())[0].records, 1);
      assertEquals((await editor.rows("example.com")).length, 1);
      const record = { name: "@", type: "A", content: "192.0.2.2", ttl: null };
      await assertCode("source-view", () => editor.setRecord("example.com", record));
      await assertCode("source-view", () => editor.unsetRecords("example.com", "@"));
      await assertCode("source-view", () => editor.replaceZone(ZONE, []));
      await assertCode("source-view", () => editor.restoreZone("example.com", {}, [], true));
      await assertCode(
        "source-view",
        () => editor.addZone({ ...ZONE, name: "b.example" }, [record]),
      );
      assertEquals(await editor.removeZone("example.com"), 0);
    } finally {
      await editor.close();
    }
  });
});
