/** Reads of a few owners in one round trip: the same as other reads give, or left to them. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { nullLogger } from "../../../lib/ops/mod.ts";
import { applySchema, SourceError } from "../../../lib/source/mod.ts";
import type { FeedCursor } from "../../../lib/source/feed_cursor.ts";
import { type Present, takeInventory } from "../../../lib/source/postgres_present.ts";
import { ReadOpener } from "../../../lib/source/postgres_opening.ts";
import { QuickReader } from "../../../lib/source/postgres_quick.ts";
import { readOwners, readZones } from "../../../lib/source/postgres_rows.ts";
import { PostgresSession } from "../../../lib/source/postgres_session.ts";
import type { SourceRow } from "../../../lib/source/source.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { until } from "../../support/wait.ts";
import { EVERYTHING, watchSource } from "./watched_source.ts";

const ZONE = "example.com";
const OTHER = "other.example";

/** A session that follows a database, as the source's reader does, and a client beside it. */
async function follow(server: TestPostgres, name: string) {
  const url = await server.createDatabase(name);
  await applySchema(url);
  const sql = server.connect(url);
  await sql`insert into zonecast.zones (name, mname, rname)
    select name, 'ns1', 'hostmaster' from unnest(${[ZONE, OTHER]}::text[]) as name`;
  const session = await PostgresSession.open({
    url,
    description: "test",
    channel: "dns_zone_changed",
    log: nullLogger,
    onNotification() {},
    onDeaf() {},
  }, new AbortController().signal);
  await until(() => session.hears, { what: "a heartbeat is heard" });
  const opener = new ReadOpener(session, nullLogger);
  const quick = new QuickReader(session);
  /** What there is, as an ordinary read finds it. */
  const look = async (): Promise<Present> => {
    const inventory = await takeInventory(session);
    const { present } = await opener.open(inventory, undefined);
    await session.reader.sql`commit`;
    return present;
  };
  const prepare = async () => {
    quick.prepare(await takeInventory(session), await look());
    await quick.preparing;
  };
  /** The enabled records of owners, by an ordinary read. */
  const ordinary = async (...owners: string[]): Promise<SourceRow[]> => {
    const { columns } = await look();
    const zones = await readZones(session.reader.sql, session, false);
    const scope = new Map([[ZONE, new Set(owners)]]);
    const rows: SourceRow[] = [];
    for await (const some of readOwners(session.reader.sql, session, columns, zones, scope)) {
      rows.push(...some);
    }
    return rows.sort(byText);
  };
  return {
    sql,
    session,
    quick,
    look,
    prepare,
    ordinary,
    async cursor(): Promise<FeedCursor> {
      return await look();
    },
    async insert(rows: readonly { name: string; content: string; ttl?: number }[]) {
      await sql`insert into zonecast.records ${
        sql(rows.map((row) => ({ zone: ZONE, type: "TXT", ttl: null, ...row })))
      }`;
    },
    [Symbol.dispose]: () => session.end("the test is over"),
  };
}

function byText(a: SourceRow, b: SourceRow): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

systemTest("a quick read", async (t) => {
  await using server = await startPostgres();

  await t.step("gives what was touched and its records as another read does", async () => {
    using test = await follow(server, "same");
    await test.prepare();
    const cursor = await test.cursor();
    await test.insert([
      { name: "plain", content: `"a"`, ttl: 60 },
      { name: "plain", content: `"b"` },
      { name: `quo"te\\'`, content: `"ä \\" \t ☃ ' {} [] $1"`, ttl: 2147483647 },
      { name: "off", content: `"not served"` },
    ]);
    await test.sql`update zonecast.records set disabled = true where name = 'off'`;
    await test.sql`insert into zonecast.records (zone, name, type, content)
      values (${OTHER}, 'www', 'A', '192.0.2.1')`;
    const read = await test.quick.read(cursor);
    assert(read);
    const touched = read.changes.filter(({ zone }) => zone === ZONE).map(({ owner }) => owner!);
    assertEquals(new Set(touched).size, 3);
    assertEquals(read.records.filter(({ zone }) => zone === OTHER).length, 1);
    const records = read.records.filter(({ zone }) => zone === ZONE).sort(byText);
    assertEquals(records.length, 3);
    assertEquals(records, await test.ordinary(...touched));
    const { snapshot: _, readAt, readTick, ...found } = read.present;
    const { snapshot: __, readAt: before, readTick: then, ...looked } = await test.look();
    assertEquals(found, looked);
    assert(before >= readAt && then >= readTick);
  });

  await t.step(
    "leaves no transaction open, and finds nothing where nothing was touched",
    async () => {
      using test = await follow(server, "quiet");
      await test.prepare();
      const read = await test.quick.read(await test.cursor());
      assertEquals([read?.changes, read?.records], [[], []]);
      const [{ open }] = await test.sql<{ open: number }[]>`
      select count(*)::integer as open from pg_stat_activity
      where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`;
      assertEquals(open, 0);
    },
  );

  await t.step("is left to another read", async (t) => {
    using test = await follow(server, "left");
    const cursor = await test.cursor();
    await t.step("before it is prepared", async () => {
      assertEquals(await test.quick.read(cursor), undefined);
    });
    await test.prepare();
    await test.insert([{ name: "a", content: `"1"` }]);
    const isQuick = async (from = cursor) => await test.quick.read(from) !== undefined;
    assert(await isQuick());

    await t.step("while a table is locked", async () => {
      await test.sql.begin(async (sql) => {
        await sql`lock table zonecast.records`;
        assertEquals(await isQuick(), false);
      });
      assert(await isQuick());
    });
    await t.step("while it cannot be prepared for a lock, and is later", async () => {
      await test.session.reader.sql`deallocate all`;
      assertEquals(await isQuick(), false);
      const [inventory, present] = [await takeInventory(test.session), await test.look()];
      await test.sql.begin(async (sql) => {
        await sql`lock table zonecast.changes`;
        test.quick.prepare(inventory, present);
        await test.quick.preparing;
        assertEquals(await isQuick(), false);
      });
      await test.prepare();
      assert(await isQuick());
    });
    await t.step("when there is a column more or less, until it is prepared again", async () => {
      await test.sql`alter table zonecast.records rename column disabled to retired`;
      assertEquals(await isQuick(), false);
      await test.prepare();
      assert(await isQuick());
      await test.sql`alter table zonecast.records rename column retired to disabled`;
      assertEquals(await isQuick(), false);
      await test.prepare();
      assert(await isQuick());
    });
    await t.step("when the session has lost the statement", async () => {
      await test.session.reader.sql`deallocate all`;
      assertEquals(await isQuick(), false);
      await test.prepare();
      assert(await isQuick());
    });
    await t.step("of many records", async () => {
      const now = await test.cursor();
      await test.insert(
        Array.from({ length: 501 }, (_, index) => ({ name: "many", content: `"${index}"` })),
      );
      assertEquals(await isQuick(now), false);
    });
    await t.step("of many owners", async () => {
      const now = await test.cursor();
      const rows = Array.from({ length: 51 }, (_, at) => ({ name: `n${at}`, content: `"x"` }));
      await test.insert(rows.slice(0, 50));
      assert(await isQuick(now));
      await test.insert(rows.slice(50));
      assertEquals(await isQuick(now), false);
    });
    await t.step("once a view has taken the table's place", async () => {
      await test.sql.unsafe(`alter table zonecast.records rename to kept;
        create view zonecast.records as select * from zonecast.kept`);
      assertEquals(await isQuick(), false);
    });
  });

  await t.step("is not tried where notifications do not arrive", async () => {
    using test = await follow(server, "deaf");
    const { session } = test;
    const deaf = { identity: session.identity, reader: session.reader, hears: false };
    const quick = new QuickReader(deaf as unknown as PostgresSession);
    quick.prepare(await takeInventory(session), await test.look());
    assertEquals(await quick.read(await test.cursor()), undefined);
    const prepared = await session.reader.sql`select from pg_prepared_statements`;
    assertEquals(prepared.length, 0);
  });
});

systemTest(
  "a session that ends once a quick read is answered fails the read: no row was taken",
  async () => {
    await using server = await startPostgres();
    await applySchema(server.url);
    await server.sql`insert into zonecast.zones (name, mname, rname)
    values (${ZONE}, 'ns1', 'hostmaster')`;
    await using watched = watchSource(server.url);
    await watched.woken(0, "start");
    const { source } = watched;
    let { cursor } = (await watched.read()).reading;
    const taken = new Set<string>();
    const insert = (name: string) =>
      server.sql`insert into zonecast.records (zone, name, type, content)
      values (${ZONE}, ${name}, 'A', '192.0.2.1')`;
    const readOn = async () => {
      const request = { ...EVERYTHING, cursor, everything: false };
      const reading = await source.read(request, (rows) => {
        for (const { name } of rows) taken.add(name);
      });
      ({ cursor } = reading);
    };
    const quickly = QuickReader.prototype.read;
    let isQuick = false;
    let ends = false;
    QuickReader.prototype.read = async function (from) {
      const reading = await quickly.call(this, from);
      isQuick = reading !== undefined;
      if (reading && ends) this.session.end("it ends here");
      return reading;
    };
    try {
      await until(async () => {
        await insert(`n${taken.size}`);
        await readOn();
        return isQuick && taken.size > 1;
      }, { what: "a quick read, and not the first" });
      ends = true;
      await insert("last");
      await assertRejects(readOn, SourceError, "it ends here");
      assert(!taken.has("last"));
    } finally {
      QuickReader.prototype.read = quickly;
    }
    await watched.linkIs(true);
    await readOn();
    assert(taken.has("last"), "it comes with the next read");
  },
);
