/** `zonecast doctor` about Postgres: each check where all is well, and where it is not. */
import { assertEquals } from "@std/assert";
import { applySchema, clockFinding, grantServingRole } from "../../lib/source/mod.ts";
import { assertFound, doctor, examine } from "../support/doctor.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { startPgbouncer } from "../support/pgbouncer.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { SERVICES_TABLE, SERVICES_VIEW } from "../unit/source/services_view.ts";

const ZONE = "example.org.";

systemTest("doctor: Postgres", async (t) => {
  await using postgres = await startPostgres();
  await using dir = await tempDir();
  let databases = 0;
  const database = async (sql = "") => {
    const url = await postgres.createDatabase(`doctor${databases++}`);
    await applySchema(url);
    const client = postgres.connect(url);
    if (sql) await client.unsafe(sql).simple();
    return { url, sql: client };
  };

  await t.step("all is well with a role that serves", async () => {
    const { url } = await sourceDatabase(postgres, [ZONE]);
    await grantServingRole(url, "serving");
    const found = await examine(url.replace("postgres@", "serving@"));
    for (
      const [check, text] of [
        ["postgres", /^Postgres \d+/],
        ["clock", /^Postgres' clock is 0\.\d s/],
        ["schema", /whole/],
        ["rights", /the role serving has/],
        ["triggers", /zonecast\.records, zonecast\.zones/],
        ["index", /by an index/],
        ["feed-probe", /rolled back/],
        ["feed-cursor", /nothing was read yet/],
        ["feed-size", /the feed has \d+ rows/],
        ["pooler", /of its own/],
        ["listener", /arrived after \d+ ms/],
      ] as const
    ) assertFound(found, ["postgres", check, "good", text]);
    assertEquals(found.of("postgres", "few-rights"), []);
    const { sql } = { sql: postgres.connect(url) };
    const [{ rows }] = await sql`select count(*)::integer as rows from zonecast.changes
      where zone like '%doctor%'`;
    assertEquals(rows, 0, "the probe stayed");
  });

  await t.step("nobody answers, no schema, no rights, too many", async () => {
    const away = await examine(`postgres://postgres@127.0.0.1:${freePort()}/none`);
    assertEquals(away.code, 3);
    assertFound(away, ["postgres", "postgres", "bad", /Cannot reach|refused/i, /./]);
    const bare = await examine(await postgres.createDatabase("bare"));
    assertFound(bare, ["postgres", "schema", "bad", /is not in/, /zonecast schema apply/]);
    const { url, sql } = await database("create role idle login");
    const shut = await examine(url.replace("postgres@", "idle@"));
    assertFound(shut, ["postgres", "rights", "bad", /may not use/, /--role idle/]);
    await sql`grant usage on schema zonecast to idle`;
    await sql`grant select on zonecast.records to idle`;
    const few = await examine(url.replace("postgres@", "idle@"));
    assertFound(few, ["postgres", "rights", "bad", /lacks select on zones/, /--role idle/]);
    const many = await examine(url);
    assertFound(many, ["postgres", "few-rights", "warning", /owns the schema/, /--role zonecast/]);
    await sql`drop table zonecast.changes`;
    const feedless = await examine(url);
    assertFound(feedless, ["postgres", "schema", "bad", /lacks changes/, /schema apply/]);
    assertFound(feedless, ["postgres", "feed", "bad", /no change feed/, /schema apply/]);
  });

  await t.step("tables behind a view, with triggers and without", async () => {
    const { url, sql } = await database(`${SERVICES_TABLE} ${SERVICES_VIEW}
      insert into services select 's' || n, '192.0.2.1', null from generate_series(1, 2000) as n;
      analyze`);
    const good = await examine(url);
    assertFound(good, [
      "postgres",
      "triggers",
      "good",
      /public\.services, zonecast\.own_records, zonecast\.zones/,
    ]);
    assertFound(good, ["postgres", "index", "good", /by an index/]);

    await sql`alter table services disable trigger services_updated`;
    const disabled = await examine(url);
    assertFound(disabled, [
      "postgres",
      "triggers",
      "bad",
      /public\.services has triggers that are disabled \(services_updated\)/,
      /alter table public\.services enable trigger services_updated/,
    ]);

    await sql.unsafe(`drop trigger services_updated on services;
      drop trigger services_truncated on services`).simple();
    const missing = await examine(url);
    assertFound(missing, [
      "postgres",
      "triggers",
      "bad",
      /public\.services has no trigger on UPDATE, TRUNCATE/,
      /zonecast\.touch/,
    ]);

    await sql.unsafe(`create trigger services_updated after update on services
      referencing old table as old_rows new table as new_rows
      for each statement execute function services_changed()`).simple();
    const truncate = await examine(url);
    assertFound(truncate, ["postgres", "triggers", "warning", /on TRUNCATE/, /touch/]);
    assertEquals(truncate.of("postgres", "triggers").length, 1);

    const [{ name }] = await sql<{ name: string }[]>`
      select indexname as name from pg_indexes where tablename = 'services'
        and indexdef like '%owner%'`;
    await sql`drop index ${sql(name)}`;
    const scanned = await examine(url);
    assertFound(scanned, [
      "postgres",
      "index",
      "bad",
      /read all of public\.services \(some 2000 rows\)/,
      /create index on public\.services \(zonecast\.owner/,
    ]);
    await sql`delete from services where name > 's1'`;
    await sql`vacuum analyze services`;
    const small = await examine(url);
    assertFound(small, ["postgres", "index", "warning", /public\.services/, /create index/]);
  });

  await t.step(
    "a materialized view, a view without owner, an index that finds no owner",
    async () => {
      const { url, sql } = await database(`
      alter table zonecast.records rename to kept;
      create materialized view public.made as select * from zonecast.kept;
      create view zonecast.records as select * from public.made`);
      const made = await examine(url);
      assertFound(made, [
        "postgres",
        "triggers",
        "bad",
        /public\.made is a materialized view/,
        /touch/,
      ]);
      await sql.unsafe(`drop view zonecast.records;
      create view zonecast.records as select zone, name, type, ttl, content from zonecast.kept`)
        .simple();
      const ownerless = await examine(url);
      assertFound(ownerless, ["postgres", "index", "bad", /no column owner/, /zonecast\.owner/]);
      await sql.unsafe(`drop view zonecast.records;
      create view zonecast.records as select * from zonecast.kept;
      drop index zonecast.records_owner;
      create index on zonecast.kept (zone)`).simple();
      const byZone = await examine(url);
      assertFound(byZone, ["postgres", "index", "warning", /zonecast\.kept/, /create index/]);
    },
  );

  await t.step("the feed's cursor: goes on, pruned, of another source", async () => {
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    const zonecast = await serveZones({ source: url, zones: [ZONE] });
    await using _ = zonecast;
    await newSerial(zonecast, ZONE, undefined);
    await zonecast.stop();
    const look = () => doctor(["--state", zonecast.stateFile], { ZONECAST_SOURCE: url });
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('example.org', 'new', 'A', '192.0.2.1')`;
    const on = await look();
    assertFound(on, ["postgres", "feed-cursor", "good", /read up to .*, 1 owner noted/]);
    assertFound(on, ["server", "running", "warning", /no server runs/, /zonecast serve/]);
    await sql`update zonecast.feed_floor set xid = pg_snapshot_xmax(pg_current_snapshot())`;
    const pruned = await look();
    assertFound(pruned, ["postgres", "feed-cursor", "warning", /was pruned/, /--feed-retention/]);
    await sql`update zonecast.changes set at = at - interval '30 days'`;
    const old = await look();
    assertFound(old, ["postgres", "feed-size", "warning", /not pruned/, /pg_prepared_xacts/]);
  });

  await t.step("a clock that is off", () => {
    assertEquals(clockFinding(-500, "its clock").verdict, "good");
    const { verdict, text, fix } = clockFinding(61_000, "its clock");
    assertEquals([verdict, text], ["warning", "its clock is 61.0 s ahead of ours"]);
    assertEquals(fix?.includes("NTP"), true);
  });

  await t.step("a SQLite file: there, empty, not there", async () => {
    const file = `sqlite:${dir.path}/zones.db`;
    const none = await examine(file);
    assertFound(none, ["source", "sqlite", "bad", /cannot be looked at/, /zone add/]);
    await Deno.writeTextFile(`${dir.path}/junk.db`, "this is no database, but it is a file");
    const junk = await examine(`sqlite:${dir.path}/junk.db`);
    assertFound(junk, ["source", "sqlite", "bad", /./, /./]);
  });
});

interopTest("doctor: a pooler in transaction mode", { needs: ["pgbouncer"] }, async () => {
  await using postgres = await startPostgres();
  const { url } = await sourceDatabase(postgres, [ZONE]);
  await using pooler = await startPgbouncer(postgres.port);
  const found = await examine(pooler.through(url));
  assertEquals(found.code, 3);
  assertFound(found, ["postgres", "pooler", "bad", /share a server process/, /session mode/]);
  assertFound(found, ["postgres", "listener", "bad", /no notification/, /straight/]);
  assertFound(found, ["postgres", "triggers", "good", /zonecast\.records/]);
});
