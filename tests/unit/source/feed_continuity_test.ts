/** Where the feed may be followed on, and where everything must be read: other places, pruned feeds, standbys. */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { type FeedCursor, whyNotFrom } from "../../../lib/source/feed_cursor.ts";
import { applySchema } from "../../../lib/source/mod.ts";
import { prune } from "../../../lib/source/postgres_prune.ts";
import { PostgresWriter } from "../../../lib/source/postgres_write.ts";
import { createLogger, nullLogger } from "../../../lib/ops/mod.ts";
import { systemTest } from "../../support/interop.ts";
import { freePort } from "../../support/ports.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { DEFAULT_POSTGRES, postgresFiles, postgresUser } from "../../support/postgres_files.ts";
import { mustRun, run, spawn } from "../../support/processes.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { FeedMirror } from "./feed_mirror.ts";
import { startDeafProxy } from "./deaf_proxy.ts";

const ZONES = `insert into zonecast.zones (name, mname, rname) values
  ('example.com', 'ns1', 'hostmaster'), ('other.example', 'ns1', 'hostmaster')`;

function insertion(...names: string[]): string {
  const rows = names.map((name) => `('example.com', '${name}', 'A', '192.0.2.1')`);
  return `insert into zonecast.records (zone, name, type, content) values ${rows.join()}`;
}

async function filled(url: string, sql: postgres.Sql): Promise<void> {
  await applySchema(url);
  await sql.unsafe(`${ZONES}; ${insertion("a", "b")}`).simple();
}

async function database(server: TestPostgres, name: string) {
  const url = await server.createDatabase(name);
  const sql = server.connect(url);
  await filled(url, sql);
  return { url, sql };
}

/** Goes on from the mirror's cursor in a new process, so to say. */
async function resumed(mirror: FeedMirror, url: string): Promise<FeedMirror> {
  const next = new FeedMirror(url);
  next.cursor = mirror.cursor;
  next.take(mirror);
  await next.up();
  return next;
}

Deno.test("a cursor goes on only in the same place, and only where nothing is missing", async (t) => {
  const cursor: FeedCursor = {
    database: "app",
    system: "7",
    timeline: 1,
    startedAt: "1767225600.000000",
    standby: false,
    oids: [5, 10, 11, 12],
    views: "digest",
    snapshot: "100:110:100,105",
    readAt: 0,
  };
  const now = { ...cursor, snapshot: "110:110:", floor: 100n };
  assertEquals(whyNotFrom(cursor, now), undefined);
  const table: [change: Partial<typeof now>, why: string | undefined][] = [
    [{ system: "8" }, "another cluster answers"],
    [{ timeline: 2 }, "the cluster has a new timeline"],
    [{ database: "other" }, "another database answers"],
    [{ oids: [6, 10, 11, 12] }, "another database answers"],
    [{ oids: [5, 1, 11, 12] }, "zonecast.zones is another relation"],
    [{ oids: [5, 10, 1, 12] }, "zonecast.records is another relation"],
    [{ oids: [5, 10, 11, 1] }, "zonecast.changes is another relation"],
    [{ views: "other" }, "a view was redefined"],
    [{ standby: true }, "a standby and a primary changed places"],
    [{ snapshot: "109:109:" }, "the database is older than at the last read"],
    [{ floor: 101n }, "the feed since the last read was pruned"],
    [{ floor: 111n }, undefined], // from a dump of another cluster
  ];
  for (const [change, why] of table) {
    await t.step(`${Object.keys(change)}: ${why ?? "goes on"}`, () => {
      assertEquals(whyNotFrom(cursor, { ...now, ...change }), why);
    });
  }
});

systemTest("the feed is followed on", async (t) => {
  await using server = await startPostgres();

  await t.step("after a restart, and an hour away: only what was touched meanwhile", async () => {
    const { url, sql } = await database(server, "away");
    const before = await FeedMirror.open(url);
    await before.source.close();
    for (let times = 0; times < 50; times++) await sql.unsafe(insertion(`n${times}`));
    await sql`delete from zonecast.records where name = 'a'`;
    await using after = await resumed(before, url);
    await after.read();
    await after.assertEqual(sql);
    assertEquals(after.fullReads, 0);
    assertEquals(await after.scope(), {});
  });

  await t.step("by a new process, with whose rows could not be served", async () => {
    const { url, sql } = await database(server, "problems");
    const before = await FeedMirror.open(url);
    const problem = {
      zone: "example.com",
      type: "A",
      content: "x",
      code: "address",
      severity: "error",
      reason: "bad",
      hint: undefined,
    };
    await before.source.writeBack!({
      instance: "me",
      published: [],
      secondaries: [],
      live: [],
      problems: {
        isWhole: true,
        put: [{ ...problem, owner: "b.example.com.", name: "b" }],
        gone: [],
      },
      held: undefined,
      covered: undefined,
      configured: undefined,
    });
    await before.source.close();
    await sql`delete from zonecast.changes`;
    await using after = await resumed(before, url);
    assertEquals(await after.scope(), { "example.com": ["b.example.com."] });
    assertEquals(await after.scope(), {});
  });

  await t.step(
    "a zone read whole comes with the serial it had when it was published last",
    async () => {
      const { url, sql } = await database(server, "serials");
      await using mirror = await FeedMirror.open(url);
      await sql`insert into zonecast.published (zone, serial, published_at, added, removed, instance)
      values ('new.example', 77, now(), 1, 0, 'me')`;
      await sql`insert into zonecast.zones (name, mname, rname) values ('new.example', 'ns1', 'hm')`;
      const { reading, scope } = await mirror.read();
      assertEquals(scope, { "new.example": "all" });
      assertEquals(reading.publishedSerials, new Map([["new.example", 77]]));
    },
  );

  await t.step("after a reconnect", async () => {
    const { url, sql } = await database(server, "reconnect");
    await using mirror = await FeedMirror.open(url);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'zonecast' and datname = 'reconnect'`;
    await sql.unsafe(insertion("c"));
    await until(() => mirror.wakes.includes("reconnect"), { what: "a reconnect" });
    assert(await mirror.scope() !== "everything");
    await mirror.assertEqual(sql);
  });

  await t.step("by a session that looks back: a crash may give lost numbers again", async () => {
    const { url, sql } = await database(server, "numbers");
    const before = await FeedMirror.open(url);
    await before.source.close();
    // As if the last transactions the cursor has seen had been lost in a crash.
    const cursor = JSON.parse(before.cursor!);
    const [xmin] = cursor.snapshot.split(":");
    const lost = Number(xmin) + 3;
    before.cursor = JSON.stringify({ ...cursor, snapshot: `${lost}:${lost}:` });
    await sql.unsafe(insertion("c"));
    for (let times = 0; times < 5; times++) await sql`select pg_current_xact_id()`;
    await using after = await resumed(before, url);
    await after.read();
    await after.assertEqual(sql);
    assertEquals(after.fullReads, 0);
  });

  await t.step(
    "while it is pruned, by whoever keeps up; who was away reads everything",
    async () => {
      const { url, sql } = await database(server, "pruned");
      const away = await FeedMirror.open(url);
      await away.source.close();
      await using mirror = await FeedMirror.open(url);
      const writer = new PostgresWriter(url, nullLogger);
      for (let times = 0; times < 3; times++) {
        await sql.unsafe(insertion(`n${times}`));
        await mirror.read();
      }
      const open = await sql.reserve();
      await open.unsafe(`begin; ${insertion("open")}`).simple();
      await sql.unsafe(insertion("behind"));
      await prune(writer, 0, undefined);
      const left = async () =>
        (await sql`select distinct owner from zonecast.changes order by 1`)
          .map(({ owner }) => owner);
      // What an open transaction is older than stays, so that no snapshot lies below the floor.
      assertEquals(await left(), ["behind.example.com."]);
      assertEquals(await mirror.scope(), { "example.com": ["behind.example.com."] });
      await open`commit`;
      open.release();
      assertEquals(await mirror.scope(), { "example.com": ["open.example.com."] });
      await prune(writer, 0, undefined);
      assertEquals(await left(), []);
      assertEquals(await mirror.scope(), {});
      assertEquals(mirror.fullReads, 1);
      await mirror.assertEqual(sql);

      await using back = await resumed(away, url);
      assertEquals(await back.scope(), "everything");
      assertEquals(back.reasons.at(-1), "the feed since the last read was pruned");
      await back.assertEqual(sql);
      writer.close();
    },
  );

  await t.step(
    "and pruned by the source itself, told versions too, but the newest of a zone",
    async () => {
      const { url, sql } = await database(server, "retention");
      await sql`insert into zonecast.published (zone, serial, published_at, added, removed, instance)
      select 'example.com', n, now() - interval '1 day' + n * interval '1 s', 0, 0, 'gone'
      from generate_series(1, 6000) as n`;
      await sql`insert into zonecast.readers (instance, read_at) values ('gone', now() - interval '1 h')`;
      await sql`insert into zonecast.secondaries (zone, secondary, state, instance)
      values ('example.com', 'ns1', 'live', 'gone')`;
      await using _mirror = await FeedMirror.open(url, { feedRetentionMs: 400 });
      await until(async () => {
        const [row] = await sql`select (select count(*) from zonecast.changes) as changes,
        (select string_agg(serial::text, ',') from zonecast.published) as serials,
        (select count(*) from zonecast.readers) + (select count(*) from zonecast.secondaries) as gone`;
        return row.changes === "0" && row.serials === "6000" && row.gone === "0";
      }, { what: "the old rows are gone" });
    },
  );
});

systemTest("everything is read", async (t) => {
  await using server = await startPostgres();

  await t.step("after a dump was restored in place", async () => {
    const { url, sql } = await database(server, "restored");
    await using mirror = await FeedMirror.open(url);
    await sql.unsafe(`drop schema zonecast cascade`);
    await filled(url, sql);
    await sql`delete from zonecast.records where name = 'b'`;
    // A dump of another cluster brings changes and a floor from the future.
    await sql`insert into zonecast.changes (xid, zone, owner) values ('999999999', 'example.com', 'x')`;
    await sql`update zonecast.feed_floor set xid = '999999999'`;
    assertEquals(await mirror.scope(), "everything");
    assertEquals(mirror.reasons.at(-1), "zonecast.zones is another relation");
    await mirror.assertEqual(sql);
    assertEquals(await mirror.scope(), {});
    await sql.unsafe(insertion("c"));
    assertEquals(await mirror.scope(), { "example.com": ["c.example.com."] });
  });

  await t.step("when another database has taken the name", async () => {
    const { url, sql } = await database(server, "renamed");
    const before = await FeedMirror.open(url);
    await before.source.close();
    await sql.end();
    await server.sql.unsafe("alter database renamed rename to aside");
    await server.sql.unsafe("create database renamed template aside");
    await using after = await resumed(before, url);
    assertEquals(await after.scope(), "everything");
    assertEquals(after.reasons.at(-1), "another database answers");
  });

  await t.step("when a view is redefined, or one behind it", async () => {
    const { url, sql } = await database(server, "redefined");
    await sql.unsafe(`alter table zonecast.records rename to own_records;
      create view behind as select * from zonecast.own_records where ttl is null;
      create view zonecast.records as select * from behind`).simple();
    await using mirror = await FeedMirror.open(url);
    assertEquals(await mirror.scope(), {});
    await sql.unsafe(`create or replace view behind as select * from zonecast.own_records`);
    assertEquals(await mirror.scope(), "everything");
    await sql.unsafe(`create or replace view zonecast.records as
      select * from behind where name <> 'a'`);
    assertEquals(await mirror.scope(), "everything");
    assertEquals(mirror.reasons.slice(-2), ["a view was redefined", "a view was redefined"]);
    assertEquals(await mirror.scope(), {});
    await mirror.assertEqual(sql);
  });

  await t.step(
    "every time, and said once, while records gives no owner, or a wrong one",
    async () => {
      const { url, sql } = await database(server, "no_owner");
      const lines: string[] = [];
      const log = createLogger({
        format: "text",
        level: "info",
        write: (line) => lines.push(line),
      });
      const warned = (text: string) => lines.filter((line) => line.includes(text)).length;
      await sql.unsafe(`alter table zonecast.records rename to own_records;
      create view zonecast.records as
        select zone, name, type, ttl, content from zonecast.own_records`).simple();
      await using mirror = await FeedMirror.open(url, { log });
      for (let times = 0; times < 3; times++) assertEquals(await mirror.scope(), "everything");
      assertEquals(warned("records has no column owner"), 1);

      await sql.unsafe(`drop view zonecast.records; create view zonecast.records as
      select zone, name, type, ttl, content, name || '.' || zone as owner
      from zonecast.own_records`).simple();
      for (let times = 0; times < 3; times++) assertEquals(await mirror.scope(), "everything");
      assertEquals(warned("as owner of"), 1);

      await sql.unsafe(`drop view zonecast.records; create view zonecast.records as
      select upper(zone) as zone, name, type, ttl, content, owner from zonecast.own_records`)
        .simple();
      for (let times = 0; times < 3; times++) assertEquals(await mirror.scope(), "everything");
      assertEquals(warned("spells the zone"), 1);

      await sql.unsafe(`drop view zonecast.records; create view zonecast.records as
      select zone, name, type, ttl, content, owner from zonecast.own_records`).simple();
      assertEquals(await mirror.scope(), "everything");
      assertEquals(await mirror.scope(), {});
      assertEquals(warned("read by what was touched again"), 1);
    },
  );

  await t.step(
    "every time while the role may not see the feed, or the schema has none",
    async () => {
      const { url, sql } = await database(server, "no_feed");
      await sql.unsafe(`create role blind login; grant usage on schema zonecast to blind;
      grant select on zonecast.zones, zonecast.records to blind`).simple();
      const lines: string[] = [];
      const log = createLogger({
        format: "text",
        level: "info",
        write: (line) => lines.push(line),
      });
      await using mirror = await FeedMirror.open(url.replace("postgres@", "blind@"), { log });
      assertEquals(await mirror.scope(), "everything");
      assertEquals(lines.filter((line) => line.includes("may not read the change feed")).length, 1);
      await sql`grant select on zonecast.changes, zonecast.feed_floor to blind`;
      await mirror.read();
      assertEquals(await mirror.scope(), {});
      await sql`drop table zonecast.changes cascade`;
      await mirror.read().catch(() => {});
      assertEquals(await mirror.scope(), "everything");
    },
  );

  await t.step("when another cluster answers at the same address", async () => {
    const { bin } = await postgresFiles(DEFAULT_POSTGRES);
    await using dir = await tempDir("zonecast-cluster-");
    const { uid, gid } = postgresUser();
    if (uid !== undefined && gid !== undefined) await Deno.chown(dir.path, uid, gid);
    const port = freePort();
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    let before: FeedMirror | undefined;
    for (const name of ["one", "two"]) {
      const args = ["-D", `${dir.path}/${name}`, "-U", "postgres", "-A", "trust", "--no-sync"];
      const made = await run(`${bin}/initdb`, [...args, "-E", "UTF8", "--locale=C"], {
        uid,
        gid,
        cwd: "/",
      });
      assertEquals(made.code, 0, made.stderr);
      await using cluster = spawn(`${bin}/postgres`, [
        ...["-D", `${dir.path}/${name}`, "-p", String(port), "-c", "listen_addresses=127.0.0.1"],
        ...["-c", `unix_socket_directories=${dir.path}`, "-c", "fsync=off"],
      ], { cwd: "/", uid, gid });
      await cluster.logged(/ready to accept connections/);
      const sql = server.connect(url);
      await filled(url, sql);
      if (!before) {
        before = await FeedMirror.open(url);
        await before.source.close();
      } else {
        await using after = await resumed(before, url);
        assertEquals(await after.scope(), "everything");
        assertEquals(after.reasons.at(-1), "another cluster answers");
      }
      await sql.end();
      await cluster.stop("SIGINT");
    }
  });
});

systemTest(
  "a standby as the source: nothing is missed that an old transaction commits",
  async () => {
    await using server = await startPostgres();
    await filled(server.url, server.sql);
    const [{ data_directory: directory }] = await server.sql`show data_directory`;
    await using dir = await tempDir("zonecast-standby-");
    await server.stop();
    await mustRun("cp", ["-a", directory, `${dir.path}/standby`]);
    await Deno.writeTextFile(`${dir.path}/standby/standby.signal`, "");
    await Deno.chmod(dir.path, 0o755);
    await server.start();
    const { bin } = await postgresFiles(DEFAULT_POSTGRES);
    const port = freePort();
    await using standby = spawn(`${bin}/postgres`, [
      ...["-D", `${dir.path}/standby`, "-p", String(port), "-c", "listen_addresses=127.0.0.1"],
      ...["-c", "unix_socket_directories=/tmp", "-c", "max_prepared_transactions=10"],
      ...["-c", `primary_conninfo=host=127.0.0.1 port=${server.port} user=postgres`],
    ], { cwd: "/", ...postgresUser() });
    await standby.logged(/ready to accept read-only connections/);
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const there = server.connect(url);
    /** Waits until the standby has what was committed. */
    const replayed = async () => {
      const [{ lsn }] = await server.sql<
        { lsn: string }[]
      >`select pg_current_wal_lsn()::text as lsn`;
      await until(async () => {
        const [{ there: is }] = await there<{ there: boolean }[]>`
        select pg_last_wal_replay_lsn() >= ${lsn}::text::pg_lsn as there`;
        return is;
      }, { what: "the standby has replayed" });
    };

    await using mirror = await FeedMirror.open(url, { pollIntervalMs: 60_000 });
    const old = await server.sql.reserve();
    await old.unsafe(`begin; ${insertion("old")}`).simple();
    await server.sql.unsafe(insertion("young"));
    await replayed();
    assertEquals(await mirror.scope(), { "example.com": ["young.example.com."] });
    assertEquals(await mirror.scope(), {}); // though the old one holds the snapshot back
    await server.sql.unsafe(insertion("second"));
    await old`commit`;
    old.release();
    await replayed();
    assertEquals(await mirror.scope(), {
      "example.com": ["old.example.com.", "second.example.com."],
    });
    await mirror.assertEqual(server.sql);

    // A reader that fails after its query must read the same again.
    await server.sql.unsafe(insertion("failed"));
    await replayed();
    const cursor = mirror.cursor;
    await mirror.source.read(
      { cursor, everything: false, pending: new Map(), due: new Set() },
      () => Promise.reject(new Error("mine")),
    ).catch(() => {});
    assertEquals(await mirror.scope(), { "example.com": ["failed.example.com."] });
    assertEquals(mirror.fullReads, 1);
    const { wakes } = mirror;
    await until(() => wakes.filter((reason) => reason === "poll").length > 2, { what: "polls" });
  },
);

systemTest("behind a pooler that swallows notifications it is polled, and said once", async () => {
  await using server = await startPostgres();
  await filled(server.url, server.sql);
  await using proxy = startDeafProxy(server.port);
  const lines: string[] = [];
  const log = createLogger({ format: "text", level: "info", write: (line) => lines.push(line) });
  await using mirror = await FeedMirror.open(
    server.url.replace(`:${server.port}`, `:${proxy.port}`),
    { log },
  );
  await until(() => lines.some((line) => line.includes("source cannot notify")), {
    what: "it is said that notifications do not arrive",
  });
  await server.sql.unsafe(insertion("c"));
  const seen = mirror.wakes.length;
  await until(() => mirror.wakes.length > seen + 3, { what: "polls" });
  assertEquals(await mirror.scope(), { "example.com": ["c.example.com."] });
  assertEquals(lines.filter((line) => line.includes("source cannot notify")).length, 1);
});
