/** PowerDNS' own tables, as its Debian package makes them, served as they are. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type postgres from "postgres";
import { applySchema, openEditor, SourceError } from "../../../lib/source/mod.ts";
import { POWERDNS_OWNERS } from "../../../lib/source/postgres_rows.ts";
import { interopTest } from "../../support/interop.ts";
import { readPdnsSchema } from "../../support/pdns.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { FeedMirror } from "./feed_mirror.ts";
import { scansOf } from "./plans.ts";
import { formatRow } from "./watched_source.ts";

/** A domain as pdnsutil makes one, with what a PowerDNS keeps beside its records. */
const DOMAIN = `
  insert into domains (name, type) values ('example.com', 'NATIVE'), ('elsewhere.example', 'SLAVE');
  insert into records (domain_id, name, type, content, ttl, prio, disabled) values
    (1, 'example.com', 'SOA', 'ns1.example.com hostmaster.example.com 2026010203 10800 3600 604800 300', 3600, 0, false),
    (1, 'example.com', 'NS', 'ns1.example.com', 3600, 0, false),
    (1, 'example.com', 'MX', 'mail.example.com', 300, 10, false),
    (1, 'ns1.example.com', 'A', '192.0.2.53', null, null, false),
    (1, 'a.b.example.com', 'TXT', '"deep"', 60, 0, false),
    (1, 'b.example.com', null, null, null, null, false),
    (1, 'off.example.com', 'A', '192.0.2.9', 60, 0, true),
    (2, 'elsewhere.example', 'SOA', 'ns1.example.net h.example.net 7', 60, 0, false);
  insert into domainmetadata (domain_id, kind, content) values (1, 'SOA-EDIT', 'INCEPTION-INCREMENT')`;

const ROWS = [
  'example.com a.b.example.com. 60 TXT "deep"',
  "example.com example.com. 300 MX 10 mail.example.com.",
  "example.com example.com. 3600 NS ns1.example.com.",
  "example.com ns1.example.com. - A 192.0.2.53",
];

async function powerdns(server: TestPostgres, name: string) {
  const url = await server.createDatabase(name);
  const sql = server.connect(url);
  await sql.unsafe(await readPdnsSchema("pgsql")).simple();
  await sql.unsafe(DOMAIN).simple();
  await applySchema(url);
  return { url, sql };
}

async function run(sql: postgres.Sql, statements: string): Promise<void> {
  const one = await sql.reserve();
  await one.unsafe(statements).simple();
  one.release();
}

interopTest("PowerDNS' tables", { needs: ["pdns-pgsql"] }, async (t) => {
  await using server = await startPostgres();

  await t.step("are served once zonecast.serve_powerdns was called, as they are", async () => {
    const { url, sql } = await powerdns(server, "served");
    await using mirror = await FeedMirror.open(url);
    assertEquals(mirror.rows, []);
    await sql`select zonecast.serve_powerdns()`;
    await sql`select zonecast.serve_powerdns()`;
    const { reading, scope } = await mirror.read();
    assertEquals(scope, "everything");
    assertEquals(mirror.rows, ROWS);
    assertEquals(reading.zones.map(({ name, mname, serialFloor }) => [name, mname, serialFloor]), [
      ["example.com", "ns1.example.com.", 2026010203],
    ]);
    assertEquals(await mirror.scope(), {});
  });

  await t.step("beside zonecast's own, which come first where both have a zone", async () => {
    const { url, sql } = await powerdns(server, "beside");
    await sql`select zonecast.serve_powerdns()`;
    await sql`insert into zonecast.zones (name, mname, rname) values ('own.example', 'a', 'b')`;
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('own.example', 'www', 'A', '192.0.2.7')`;
    await using mirror = await FeedMirror.open(url);
    assertEquals(mirror.rows, [...ROWS, "own.example www - A 192.0.2.7"]);
    await sql`insert into zonecast.zones (name, mname, rname) values ('example.com', 'a', 'b')`;
    assertEquals(await mirror.scope(), { "example.com": "all" });
    assertEquals(mirror.rows, ["own.example www - A 192.0.2.7"]);
    await sql`delete from zonecast.zones where name = 'example.com'`;
    assertEquals(await mirror.scope(), { "example.com": "all" });
    assertEquals(mirror.rows, [...ROWS, "own.example www - A 192.0.2.7"]);
  });

  await t.step("are looked at by the shell's commands, and not changed by them", async () => {
    const { url, sql } = await powerdns(server, "looked_at");
    await sql`select zonecast.serve_powerdns()`;
    const editor = await openEditor(url);
    try {
      const zones = await editor.zones();
      assertEquals(zones.map(({ settings, records }) => [settings.name, records]), [
        ["example.com", 4],
      ]);
      assertEquals((await editor.rows("Example.com.")).map(formatRow).sort(), ROWS);
      const record = { name: "x", type: "A", content: "192.0.2.1", ttl: null };
      for (
        const change of [
          () => editor.setRecord("example.com", record),
          () => editor.unsetRecords("example.com", "@"),
          () => editor.setZone("example.com", { minimum: 1 }),
          () => editor.removeZone("example.com"),
          () => editor.restoreZone("example.com", {}, [record], true),
        ]
      ) {
        const error = await assertRejects(change, SourceError, "it lives in PowerDNS' tables");
        assertEquals(error.code, "source-view");
      }
      await sql`insert into zonecast.zones (name, mname, rname) values ('example.com', 'a', 'b')`;
      assertEquals((await editor.zones()).map(({ records }) => records), [0]);
      assertEquals(await editor.setRecord("example.com", record), true);
    } finally {
      await editor.close();
    }
  });

  const cases: [what: string, statements: string, scope: unknown][] = [
    [
      "a record added, as PowerDNS' API adds it: the owner alone",
      `begin; delete from records where domain_id = 1 and name = 'www.example.com' and type = 'A';
      insert into records (domain_id, name, type, content, ttl, prio, disabled, ordername, auth)
        values (1, 'www.example.com', 'A', '192.0.2.80', 300, 0, false, null, true);
      delete from records where domain_id = 1 and name = 'example.com' and type = 'SOA';
      insert into records (domain_id, name, type, content, ttl, prio)
        values (1, 'example.com', 'SOA', 'ns1.example.com hostmaster.example.com 2026010204', 3600, 0);
      commit`,
      { "example.com": ["www.example.com."] },
    ],
    [
      "a record renamed, and one disabled",
      `update records set name = 'renamed.example.com' where name = 'ns1.example.com';
      update records set disabled = true where type = 'MX'`,
      { "example.com": ["example.com.", "ns1.example.com.", "renamed.example.com."] },
    ],
    [
      "a record moved to another domain",
      `insert into domains (name, type) values ('other.example', 'MASTER');
      update records set domain_id = 3, name = 'ns1.other.example' where name = 'ns1.example.com'`,
      { "example.com": ["ns1.example.com."], "other.example": "all" },
    ],
    [
      "a SOA edited: the settings alone",
      "update records set content = 'a b 9' where type = 'SOA'",
      {
        "example.com": [],
      },
    ],
    [
      "what PowerDNS keeps for itself: nothing",
      "update records set ordername = 'x', auth = false",
      {},
    ],
    [
      "a serial PowerDNS notified: nothing",
      "update domains set notified_serial = 7, last_check = 9",
      {},
    ],
    ["a domain removed, its records by cascade", "delete from domains where name = 'example.com'", {
      "example.com": "all",
    }],
    ["records truncated", "truncate records", "everything"],
  ];
  for (const [at, [what, statements, scope]] of cases.entries()) {
    await t.step(`tell of ${what}`, async () => {
      const { url, sql } = await powerdns(server, `case_${at}`);
      await sql`select zonecast.serve_powerdns()`;
      await using mirror = await FeedMirror.open(url);
      const seen = mirror.wakes.length;
      await run(sql, statements);
      if (Object.keys(scope as object).length > 0) await mirror.fed(seen);
      assertEquals<unknown>(await mirror.scope(), scope);
      await using fresh = await FeedMirror.open(url);
      assertEquals(mirror.rows, fresh.rows);
    });
  }

  await t.step("tell of a domain that PowerDNS has from elsewhere from now on", async () => {
    const { url, sql } = await powerdns(server, "secondary");
    await sql`select zonecast.serve_powerdns()`;
    await using mirror = await FeedMirror.open(url);
    await sql`update domains set type = 'SLAVE' where name = 'example.com'`;
    const { scope, reading } = await mirror.read();
    assertEquals(scope, { "example.com": "all" });
    assertEquals([reading.zones, mirror.rows], [[], []]);
  });

  await t.step("are read by PowerDNS' own indexes", async () => {
    const { url, sql } = await powerdns(server, "plans");
    await run(
      sql,
      `select zonecast.serve_powerdns();
      insert into domains (name, type) select 'd' || n || '.example', 'NATIVE' from generate_series(1, 2000) as n;
      insert into records (domain_id, name, type, content, ttl)
        select 1, 'h' || n || '.example.com', 'A', '192.0.2.1', 60 from generate_series(1, 50000) as n;
      analyze`,
    );
    for (const count of [1, 100]) {
      const names = Array.from({ length: count }, (_, n) => `h${n}.example.com`);
      const plan = await scansOf(sql, POWERDNS_OWNERS, ["example.com", `{${names.join()}}`]);
      assert(plan.every((scan) => !scan.startsWith("Seq Scan")), plan.join());
    }
    await using mirror = await FeedMirror.open(url);
    await run(sql, "update records set ttl = 61 where name = 'h7.example.com'");
    assertEquals((await mirror.read()).rows, 1);
  });

  await t.step("can be waited for", async () => {
    const { sql } = await powerdns(server, "waited");
    await sql`select zonecast.serve_powerdns()`;
    const [{ xid }] = await sql`insert into records (domain_id, name, type, content)
      values (1, 'x.example.com', 'A', '192.0.2.1') returning pg_current_xact_id()::text as xid`;
    const [{ state }] = await sql`
      select state from zonecast.wait_live('Example.com', ${xid}::text::xid8, '0 s')`;
    assertEquals(state, "timeout");
  });
});
