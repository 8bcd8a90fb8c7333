/** The Postgres source: what it reads, what wakes it, in what shape records may be. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { applySchema, SourceError } from "../../../lib/source/mod.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { until } from "../../support/wait.ts";
import { SERVICES_TABLE, SERVICES_VIEW } from "./services_view.ts";
import { EVERYTHING, watchSource } from "./watched_source.ts";

const ZONE = `insert into zonecast.zones (name, mname, rname, soa_ttl, serial_floor)
  values ('example.com', 'ns1', 'hostmaster', 120, 4294967295)`;
const MANY = `insert into zonecast.records (zone, name, type, content)
  select 'example.com', 'h' || n, 'A', '192.0.2.1' from generate_series(1, 10000) as n`;

async function database(server: TestPostgres, name: string, statements = "") {
  const url = await server.createDatabase(name);
  await applySchema(url);
  const sql = server.connect(url);
  if (statements) await sql.unsafe(statements).simple();
  return { url, sql };
}

systemTest("the Postgres source reads", async (t) => {
  await using server = await startPostgres();

  await t.step("zones with their settings, and records that are enabled", async () => {
    const { url } = await database(
      server,
      "rows",
      `${ZONE};
      insert into zonecast.records (zone, name, type, ttl, content, disabled) values
        ('example.com', '@', 'NS', null, 'ns1', false),
        ('example.com', 'old', 'A', 1, '192.0.2.9', true),
        ('example.com', 'www', 'A', 60, '192.0.2.1', false),
        ('example.com', 'bad..name', 'NOPE', 99999999999, '\\# x', false)`,
    );
    await using watched = watchSource(url);
    await watched.linkIs(true);
    const { reading, rows } = await watched.read();
    assertEquals(rows, [
      "example.com @ - NS ns1",
      "example.com bad..name 99999999999 NOPE \\# x",
      "example.com www 60 A 192.0.2.1",
    ]);
    assertEquals([...reading.zones], [{
      name: "example.com",
      mname: "ns1",
      rname: "hostmaster",
      refresh: 3600,
      retry: 600,
      expire: 1209600,
      minimum: 300,
      defaultTtl: 3600,
      soaTtl: 120,
      serialFloor: 4294967295,
    }]);
    assertEquals(reading.scope, "everything");
    assertEquals(JSON.parse(reading.cursor).database, "rows");
  });

  await t.step("in batches, the next only when the last was taken", async () => {
    const { url } = await database(server, "batches", `${ZONE}; ${MANY}`);
    await using watched = watchSource(url);
    await watched.linkIs(true);
    let under_way = 0;
    let records = 0;
    await watched.source.read(EVERYTHING, async (rows) => {
      assertEquals(++under_way, 1);
      await Promise.resolve();
      records += rows.length;
      under_way--;
    });
    assertEquals(records, 10000);
  });

  await t.step("no further when the consumer fails, and passes its error on", async () => {
    const { url } = await database(server, "consumer", `${ZONE}; ${MANY}`);
    await using watched = watchSource(url);
    await watched.linkIs(true);
    const read = watched.source.read(EVERYTHING, () => {
      throw new RangeError("mine");
    });
    await assertRejects(() => read, RangeError, "mine");
    assertEquals((await watched.read()).rows.length, 10000);
  });

  await t.step("a view without disabled and owner, with other types and nulls", async () => {
    const { url } = await database(
      server,
      "view",
      `${ZONE};
      drop table zonecast.records;
      create view zonecast.records as
        select 'example.com'::varchar as zone, 'a' as name, 'A' as type, 60::smallint as ttl,
          '192.0.2.1'::inet as content
        union all select 'example.com', 'b', 'A', null, null`,
    );
    await using watched = watchSource(url);
    await watched.linkIs(true);
    assertEquals((await watched.read()).rows, [
      "example.com a 60 A 192.0.2.1",
      "example.com b - A ",
    ]);
  });

  await t.step("with a role that may do no more than SELECT", async () => {
    const { url } = await database(
      server,
      "restricted",
      `${ZONE}; ${MANY}; create role reader login password 'geheim';
      grant usage on schema zonecast to reader;
      grant select on zonecast.zones, zonecast.records to reader`,
    );
    await using watched = watchSource(url.replace("postgres@", "reader:geheim@"));
    await watched.linkIs(true);
    assertEquals((await watched.read()).rows.length, 10000);
  });

  await t.step("what the role may not lock or read it says so", async () => {
    const { url, sql } = await database(server, "denied", `${ZONE}; create role nothing login`);
    await using watched = watchSource(url.replace("postgres@", "nothing@"));
    await watched.linkIs(true);
    const error = await assertRejects(() => watched.read(), SourceError);
    assertEquals(error.code, "source-permission");
    await sql`grant usage on schema zonecast to nothing`;
    assertEquals(
      (await assertRejects(() => watched.read(), SourceError)).code,
      "source-permission",
    );
  });

  await t.step("nothing while there is no schema, and all of it once there is", async () => {
    const url = await server.createDatabase("no_schema");
    await using watched = watchSource(url, { pollIntervalMs: 50 });
    await watched.linkIs(true);
    const error = await assertRejects(() => watched.read(), SourceError);
    assertEquals(error.code, "source-schema-missing");
    assertMatch(error.hint ?? "", /^"zonecast schema apply" installs it/);
    assertEquals(watched.source.link.up, true);
    assertEquals(watched.source.link.reason, error.message);
    await applySchema(url);
    await watched.woken(watched.wakes.length, "poll");
    assertEquals((await watched.read()).rows, []);
    assertEquals(watched.source.link.reason, undefined);
  });

  await t.step("later, when a table is locked for long", async () => {
    const { url, sql } = await database(server, "locked", ZONE);
    await using watched = watchSource(url);
    await watched.linkIs(true);
    const holder = await sql.reserve();
    await holder.unsafe("begin; lock table zonecast.records in access exclusive mode").simple();
    const error = await assertRejects(() => watched.read(), SourceError);
    assertEquals(error.code, "source-locked");
    await holder`rollback`;
    holder.release();
    assertEquals((await watched.read()).rows, []);
  });

  await t.step("never a table that TRUNCATE has just emptied", () => truncates(server));
  await t.step("the services of the README", () => services(server));
});

/** Every read sees all records or all of the next filling, while each filling begins with TRUNCATE. */
async function truncates(server: TestPostgres): Promise<void> {
  const refill = `begin; truncate zonecast.records; ${MANY}; commit`;
  for (const shape of ["table", "view"]) {
    const { url, sql } = await database(server, `truncates_${shape}`, `${ZONE}; ${MANY}`);
    if (shape === "view") {
      await sql.unsafe(`alter table zonecast.records rename to own_records;
        create view zonecast.records as select * from zonecast.own_records`);
    }
    const statements = shape === "view" ? refill.replaceAll(".records", ".own_records") : refill;
    await using watched = watchSource(url);
    await watched.linkIs(true);
    let filling = true;
    let reads = 0;
    const writer = (async () => {
      const one = await sql.reserve();
      for (let times = 0; times < 15 || reads <= 3; times++) await one.unsafe(statements).simple();
      one.release();
      filling = false;
    })();
    while (filling) {
      assertEquals((await watched.read()).rows.length, 10000);
      reads++;
    }
    await writer;
  }
}

async function services(server: TestPostgres): Promise<void> {
  const { url, sql } = await database(server, "paas", SERVICES_TABLE);
  await sql.unsafe(SERVICES_VIEW).simple();
  await applySchema(url); // does not mind the view
  await sql.unsafe(
    `create role app login; grant select, insert, update, delete on services to app`,
  );
  const app = server.connect(url.replace("postgres@", "app@"));

  await using watched = watchSource(url, { pollIntervalMs: 60_000 });
  await watched.woken(0, "start");
  const own = [
    "apps.example.com @ - NS ns1.example.com.",
    "apps.example.com @ - NS ns2.example.com.",
  ];
  assertEquals((await watched.read()).rows, own);

  let seen = watched.wakes.length;
  await app`insert into services values ('blog', '192.0.2.7', '2001:db8::7'), ('v4', '192.0.2.8', null)`;
  await watched.woken(seen, "feed");
  assertEquals((await watched.read()).rows, [
    ...own,
    "apps.example.com blog 60 A 192.0.2.7",
    "apps.example.com blog 60 AAAA 2001:db8::7",
    "apps.example.com v4 60 A 192.0.2.8",
  ]);
  seen = watched.wakes.length;
  await app`update services set name = 'weblog' where name = 'blog'`;
  await watched.woken(seen, "feed");
  seen = watched.wakes.length;
  await app`delete from services where name = 'v4'`;
  await watched.woken(seen, "feed");
  assertEquals((await watched.read()).rows, [
    ...own,
    "apps.example.com weblog 60 A 192.0.2.7",
    "apps.example.com weblog 60 AAAA 2001:db8::7",
  ]);
  seen = watched.wakes.length;
  await sql`insert into zonecast.own_records (zone, name, type, content)
    values ('apps.example.com', '@', 'TXT', '"hello"')`;
  await watched.woken(seen, "feed");
  seen = watched.wakes.length;
  await sql`truncate services`;
  await watched.woken(seen, "feed");
}

systemTest("the Postgres source wakes", async (t) => {
  await using server = await startPostgres();

  await t.step("at the start, at each commit, and at each poll", async () => {
    const { url, sql } = await database(server, "wakes", ZONE);
    await using watched = watchSource(url, { pollIntervalMs: 300 });
    await watched.woken(0, "start");
    let seen = watched.wakes.length;
    await sql.unsafe(MANY);
    await watched.woken(seen, "feed");
    seen = watched.wakes.length;
    await sql.notify("dns_zone_changed", "");
    await watched.woken(seen, "notification");
    seen = watched.wakes.length;
    await watched.woken(seen, "poll");
  });

  await t.step("on the channel it is told, and on that of the schema's triggers", async () => {
    const { url, sql } = await database(server, "channel", ZONE);
    const channel = `My "channel"`;
    await using watched = watchSource(url, { channel, pollIntervalMs: 60_000 });
    await watched.woken(0, "start");
    await sql.notify(channel, "feed");
    await watched.woken(1, "notification");
    await sql.unsafe(MANY);
    await watched.woken(2, "feed");
    await sql.notify("dns_zone_changed", "");
    await sql.notify(channel, "anything");
    await watched.woken(3, "notification");
    assertEquals(watched.wakes, ["start", "notification", "feed", "notification"]);
  });

  await t.step("no more once it is closed, and leaves no connection behind", async () => {
    const { url, sql } = await database(server, "closing", ZONE);
    const watched = watchSource(url);
    await watched.woken(0, "start");
    await watched.read();
    await watched.source.close();
    const count = watched.wakes.length;
    await sql.unsafe(MANY);
    await until(
      async () =>
        (await sql`select from pg_stat_activity
          where application_name = 'zonecast' and datname = 'closing'`).length === 0,
      { what: "zonecast has no connections" },
    );
    assertEquals(watched.wakes.length, count);
    assertEquals(
      (await assertRejects(() => watched.read(), SourceError)).code,
      "source-unreachable",
    );
  });
});
