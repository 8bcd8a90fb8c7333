/** A touched read goes through an index, however large the tables: the plans Postgres makes. */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { applySchema } from "../../../lib/source/mod.ts";
import { arrayText, ownersQuery } from "../../../lib/source/postgres_rows.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres } from "../../support/postgres.ts";
import { FeedMirror } from "./feed_mirror.ts";
import { scansOf } from "./plans.ts";
import { SERVICES_TABLE, SERVICES_VIEW } from "./services_view.ts";

/** The plan of reading owners as the source reads them. */
async function planOf(sql: postgres.Sql, zone: string, owners: string[]): Promise<string[]> {
  const query = ownersQuery({ owner: true, disabled: true });
  return await scansOf(sql, query, [zone, arrayText(owners)]);
}

systemTest("a touched read goes through an index", async (t) => {
  await using server = await startPostgres();

  await t.step("of the own table", async () => {
    const url = await server.createDatabase("own");
    await applySchema(url);
    const sql = server.connect(url);
    await sql.unsafe(
      `insert into zonecast.zones (name, mname, rname) values ('example.com', 'a', 'b');
      insert into zonecast.records (zone, name, type, content)
        select 'example.com', 'h' || n, 'A', '192.0.2.1' from generate_series(1, 50000) as n;
      analyze`,
    ).simple();
    const owners = Array.from({ length: 100 }, (_, n) => `h${n}.example.com.`);
    for (const count of [1, 100]) {
      const plan = await planOf(sql, "example.com", owners.slice(0, count));
      assert(plan.every((scan) => !scan.startsWith("Seq Scan")), plan.join());
      assert(plan.some((scan) => /Index Scan on records/.test(scan)), plan.join());
    }
  });

  await t.step("of the services behind the README's view", async () => {
    const url = await server.createDatabase("services");
    const sql = server.connect(url);
    await applySchema(url);
    await sql.unsafe(`${SERVICES_TABLE} ${SERVICES_VIEW}
      insert into services select 's' || n, '192.0.2.1', '2001:db8::1' from generate_series(1, 50000) as n;
      insert into zonecast.own_records (zone, name, type, content)
        select 'apps.example.com', 't' || n, 'TXT', 'x' from generate_series(1, 50000) as n;
      analyze`).simple();
    const owners = Array.from({ length: 100 }, (_, n) => `s${n}.apps.example.com.`);
    for (const count of [1, 100]) {
      const plan = await planOf(sql, "apps.example.com", owners.slice(0, count));
      assert(plan.every((scan) => !scan.startsWith("Seq Scan")), plan.join());
      for (const table of ["services", "own_records"]) {
        assert(plan.some((scan) => scan.includes(`Index Scan on ${table}`)), plan.join());
      }
    }
    await using mirror = await FeedMirror.open(url);
    await sql`update services set name = 'renamed' where name = 's7'`;
    assertEquals(await mirror.scope(), {
      "apps.example.com": ["renamed.apps.example.com.", "s7.apps.example.com."],
    });
    await mirror.assertEqual(sql);
    await sql`truncate services`;
    assertEquals(await mirror.scope(), { "apps.example.com": "all" });
    await mirror.assertEqual(sql);
  });

  await t.step("of the feed itself", async () => {
    const url = await server.createDatabase("feed");
    await applySchema(url);
    const sql = server.connect(url);
    await sql`insert into zonecast.changes (xid, zone, owner)
      select n::text::xid8, 'example.com', 'x' from generate_series(1, 50000) as n`;
    await sql`analyze`;
    const plan = await scansOf(
      sql,
      `select zone, owner from zonecast.changes where xid >= '49990' and xid < '50100'
        and not pg_visible_in_snapshot(xid, '49995:49995:')`,
    );
    assert(plan.every((scan) => scan.includes("Index")), plan.join());
  });
});
