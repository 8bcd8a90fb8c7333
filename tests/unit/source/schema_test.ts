/** The schema: applied any number of times, what it notifies, the normal form of owners. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type postgres from "postgres";
import { formatName, lowerName, parseName } from "../../../lib/dns/mod.ts";
import { normalOwner } from "../../../lib/source/edit_rules.ts";
import { applySchema, printSchema, SourceError } from "../../../lib/source/mod.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { mustRun, which } from "../../support/processes.ts";

const MIGRATIONS = [
  "0001_zones_and_records.sql",
  "0002_change_feed.sql",
  "0003_written_back.sql",
  "0004_powerdns.sql",
  "0005_guard.sql",
  "0006_quarantine.sql",
];

const ZONES = `insert into zonecast.zones (name, mname, rname) values
  ('example.com', 'ns1', 'hostmaster'), ('other.example', 'ns1', 'hostmaster')`;

/** What stands in the schema, as text that two installations can be compared by. */
async function catalogue(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    select 'column ' || table_name || '.' || column_name || ' ' || data_type as line
      from information_schema.columns where table_schema = 'zonecast'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'zonecast'
    union all select 'trigger ' || pg_get_triggerdef(t.oid) from pg_trigger t
      join pg_class c on c.oid = tgrelid
      where c.relnamespace = 'zonecast'::regnamespace and not tgisinternal
    union all select 'function ' || p.oid::regprocedure || md5(prosrc) from pg_proc p
      where pronamespace = 'zonecast'::regnamespace
    order by 1`;
  return rows.map(({ line }) => String(line));
}

/** A database of its own with the schema, and a client. */
async function withSchema(server: TestPostgres, name: string) {
  const url = await server.createDatabase(name);
  await applySchema(url);
  return { url, sql: server.connect(url) };
}

/** Counts the notifications that a piece of work causes. */
async function notifications(sql: postgres.Sql, work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  let marked = () => {};
  const mark = new Promise<void>((resolve) => marked = resolve);
  const changed = await sql.listen("dns_zone_changed", () => count++);
  const done = await sql.listen("test_mark", () => marked());
  await work();
  await sql.notify("test_mark", ""); // comes after all that was committed before it
  await mark;
  await changed.unlisten();
  await done.unlisten();
  return count;
}

systemTest("the schema", async (t) => {
  await using server = await startPostgres();

  await t.step("applied twice it is as applied once, and says what it did", async () => {
    const url = await server.createDatabase("twice");
    assertEquals(await applySchema(url), MIGRATIONS);
    const sql = server.connect(url);
    const once = await catalogue(sql);
    assert(once.some((line) => line.startsWith("index") && line.includes("records_owner")));
    assertEquals(await applySchema(url), []);
    assertEquals(await catalogue(sql), once);
  });

  await t.step("printed and run in one transaction, twice, it is the same as applied", async () => {
    const { sql: applied } = await withSchema(server, "applied");
    const url = await server.createDatabase("printed");
    const sql = server.connect(url);
    for (let times = 0; times < 2; times++) {
      await sql.begin((sql) => sql.unsafe(printSchema()).simple());
      assertEquals(await catalogue(sql), await catalogue(applied));
    }
    const psql = which("psql");
    if (!psql) return;
    const other = await server.createDatabase("piped");
    for (let times = 0; times < 2; times++) {
      await mustRun(psql, ["-X", "-1", "-q", "-v", "ON_ERROR_STOP=1", other], {
        input: printSchema(),
      });
    }
    assertEquals(await catalogue(server.connect(other)), await catalogue(applied));
  });

  await t.step("those who apply at once wait for each other", async () => {
    const url = await server.createDatabase("race");
    const applied = await Promise.all([applySchema(url), applySchema(url), applySchema(url)]);
    assertEquals(applied.flat(), MIGRATIONS);
  });

  await t.step("a newer schema is left alone", async () => {
    const { url, sql } = await withSchema(server, "newer");
    await sql`insert into zonecast.migrations (version, file) values (999, 'later.sql')`;
    const error = await assertRejects(() => applySchema(url), SourceError);
    assertEquals(error.code, "source-schema-newer");
    assertStringIncludes(error.message, "version 999");
  });

  await t.step("a view in place of records is left as it is", async () => {
    const url = await server.createDatabase("view");
    const sql = server.connect(url);
    await sql.unsafe(`create schema zonecast;
      create view zonecast.records as select 'a.example' as zone, '@' as name, 'A' as type,
        60 as ttl, '192.0.2.1' as content`);
    await applySchema(url);
    await applySchema(url);
    assertEquals((await sql`select * from zonecast.records`).length, 1);
    const zones = await sql`select tgname from pg_trigger
      where tgrelid = 'zonecast.zones'::regclass and not tgisinternal`;
    assertEquals(zones.length, 4);
  });

  await t.step("bad records can be stored: zonecast is who reports them", async () => {
    const { sql } = await withSchema(server, "bad_rows");
    await sql.unsafe(ZONES);
    for (const name of ["", "a..b", "\\", "\\25", "\\999", "é", "x".repeat(100_000), "\n", "-"]) {
      await sql`insert into zonecast.records (zone, name, type, ttl, content)
        values ('example.com', ${name}, 'NOPE', -99999999999, ${"\\# x"})`;
    }
    assertEquals((await sql`select from zonecast.records where owner is null`).length, 0);
  });

  await t.step("one zone has one spelling", async () => {
    const { sql } = await withSchema(server, "zone_spelling");
    await sql.unsafe(ZONES);
    await assertRejects(() =>
      sql`insert into zonecast.zones (name, mname, rname) values ('EXAMPLE.com.', 'a', 'b')`
    );
  });

  await t.step("renaming a zone takes its records along", async () => {
    const { sql } = await withSchema(server, "rename");
    await sql.unsafe(ZONES);
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('example.com', 'www', 'A', '192.0.2.1')`;
    await sql`update zonecast.zones set name = 'renamed.example' where name = 'example.com'`;
    assertEquals((await sql`select owner from zonecast.records`)[0].owner, "www.renamed.example.");
  });

  await t.step("owner() gives one text for every spelling", () => ownerSpellings(server));
  await t.step("what is notified", (t) => notifyTable(server, t));
});

async function ownerSpellings(server: TestPostgres): Promise<void> {
  const { sql } = await withSchema(server, "owner");
  const ownerOf = async (zone: string, name: string): Promise<string> =>
    (await sql`select zonecast.owner(${zone}, ${name}) as owner`)[0].owner;
  const table: [zone: string, name: string, owner: string][] = [
    ["example.com", "@", "example.com."],
    ["Example.COM.", "@", "example.com."],
    ["example.com", "example.com.", "example.com."],
    ["example.com", "WWW", "www.example.com."],
    ["example.com", "\\087ww", "www.example.com."],
    ["example.com", "\\119\\w\\W", "www.example.com."],
    ["example.com", "www.Other.Example.", "www.other.example."],
    ["example.com", "a\\.b", "a\\.b.example.com."],
    ["example.com", "a\\046b", "a\\.b.example.com."],
    ["example.com", "a\\.", "a\\..example.com."],
    ["example.com", "a\\\\.", "a\\\\."],
    ["example.com", "a b", "a\\032b.example.com."],
    ["example.com", "a\\ b", "a\\032b.example.com."],
    ["example.com", "a;b", "a\\;b.example.com."],
    ["example.com", "a\\059b", "a\\;b.example.com."],
    ["example.com", "\\@", "\\@.example.com."],
    ["example.com", "\\064", "\\@.example.com."],
    ["example.com", "\\000\\255", "\\000\\255.example.com."],
    ["example.com", "*", "*.example.com."],
    ["example.com", "_dmarc", "_dmarc.example.com."],
    ["example.com", ".", "."],
    [".", "@", "."],
    [".", "com", "com."],
    ["", "com", "com."],
    ["ex\\097mple.com", "a", "a.example.com."],
    // What is no name stays as it is written, and never fails.
    ["example.com", "", ".example.com."],
    ["example.com", "a..b", "a..b.example.com."],
    ["example.com", "a\\999", "a\\999.example.com."],
    ["example.com", "a\\25", "a\\25.example.com."],
    ["example.com", "a\\", "a\\.example.com."],
    ["example.com", "Éa\\É", "Éa\\É.example.com."],
  ];
  for (const [zone, name, owner] of table) {
    assertEquals(await ownerOf(zone, name), owner, `owner of "${name}" in "${zone}"`);
  }

  const ascii = fc.string({
    unit: fc.nat(127).filter((n) => n > 0).map((n) => String.fromCharCode(n)),
  });
  const piece = fc.oneof(
    { weight: 4, arbitrary: ascii },
    fc.nat(999).map((n) => "\\" + String(n).padStart(3, "0")),
    fc.constantFrom("\\", ".", "@", "é", "\\A"),
  );
  const names = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      const owner = await ownerOf("Example.com", name);
      const twin = normalOwner("Example.com", name);
      if (!twin.includes(" in ")) assertEquals(owner, twin);
    }),
    { numRuns: 300 },
  );
  const octets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(octets, async (labels) => {
      const wire = new Uint8Array([...labels.flatMap((label) => [label.length, ...label]), 0]);
      const text = formatName(wire);
      assertEquals(await ownerOf("example.com", text), formatName(lowerName(parseName(text))));
    }),
    { numRuns: 200 },
  );
}

async function notifyTable(server: TestPostgres, t: Deno.TestContext): Promise<void> {
  const { sql } = await withSchema(server, "notify");
  await sql.unsafe(ZONES);
  const table: [what: string, count: number, statements: string][] = [
    ["inserting many records", 1, INSERT_MANY],
    ["inserting none", 0, `${INSERT_MANY} limit 0`],
    ["updating them", 1, "update zonecast.records set ttl = 60"],
    ["updating none", 0, "update zonecast.records set ttl = 60 where ttl = 1"],
    ["several statements of one transaction", 1, `begin; ${INSERT_MANY}; ${INSERT_MANY}; commit`],
    ["two transactions", 2, `begin; ${INSERT_MANY}; commit; begin; ${INSERT_MANY}; commit`],
    ["a transaction rolled back", 0, `begin; ${INSERT_MANY}; rollback`],
    ["deleting none", 0, "delete from zonecast.records where ttl = 1"],
    ["deleting some", 1, "delete from zonecast.records where name = 'h1'"],
    ["changing a zone", 1, "update zonecast.zones set minimum = 60 where name = 'example.com'"],
    ["removing a zone and, by that, its records", 1, "delete from zonecast.zones"],
    ["removing none", 0, "delete from zonecast.zones"],
    ["adding a zone", 1, ZONES],
    ["truncating records", 1, "truncate zonecast.records"],
    ["touching owners", 1, "select zonecast.touch('example.com', array['www', 'api'])"],
    ["touching all of a zone", 1, "select zonecast.touch('example.com', null)"],
    ["touching no owner", 0, "select zonecast.touch('example.com', '{}')"],
    [
      "anything with zonecast.notify = off",
      0,
      `begin; set local zonecast.notify = off;
      ${INSERT_MANY}; update zonecast.records set ttl = 1; delete from zonecast.records;
      truncate zonecast.records; select zonecast.touch('example.com', array['www']); commit`,
    ],
    ["anything after that", 1, INSERT_MANY],
  ];
  for (const [what, count, statements] of table) {
    await t.step(`${what}: ${count}`, async () => {
      const counted = await notifications(sql, async () => {
        const one = await sql.reserve();
        await one.unsafe(statements).simple();
        one.release();
      });
      assertEquals(counted, count);
    });
  }

  await t.step("a transaction to be prepared can do without", async () => {
    const one = await sql.reserve();
    await one.unsafe(`begin; set local zonecast.notify = off; ${INSERT_MANY};
      prepare transaction 'later'`).simple();
    await one`commit prepared 'later'`;
    one.release();
  });
}

const INSERT_MANY = `insert into zonecast.records (zone, name, type, content)
  select 'example.com', 'h' || n, 'A', '192.0.2.1' from generate_series(1, 100) as n`;
