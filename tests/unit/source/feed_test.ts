/** The change feed: every commit is read once it is committed, in any order, and only what it touched. */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { applySchema } from "../../../lib/source/mod.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { until } from "../../support/wait.ts";
import { FeedMirror } from "./feed_mirror.ts";

const ZONES = `insert into zonecast.zones (name, mname, rname) values
  ('example.com', 'ns1', 'hostmaster'), ('other.example', 'ns1', 'hostmaster')`;

/** Inserts A records of these owners. */
function insertion(...names: string[]): string {
  const rows = names.map((name) => `('example.com', '${name}', 'A', '192.0.2.1')`);
  return `insert into zonecast.records (zone, name, type, content) values ${rows.join()}`;
}

/** A database with two zones and these rows, a client of it, and a mirror that has read it. */
async function feed(server: TestPostgres, name: string, ...names: string[]) {
  const url = await server.createDatabase(name);
  await applySchema(url);
  const sql = server.connect(url);
  await sql.unsafe(ZONES);
  if (names.length > 0) await sql.unsafe(insertion(...names));
  const mirror = await FeedMirror.open(url);
  return { url, sql, mirror, [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose]() };
}

async function run(sql: postgres.Sql, statements: string): Promise<void> {
  const one = await sql.reserve();
  try {
    await one.unsafe(statements).simple();
  } finally {
    one.release();
  }
}

systemTest("the feed", async (t) => {
  await using server = await startPostgres();

  await t.step("names nothing when nothing was touched, and keeps its cursor", async () => {
    await using test = await feed(server, "nothing", "a");
    const { cursor } = test.mirror;
    for (let times = 0; times < 3; times++) {
      await test.sql`select pg_current_xact_id()`;
      assertEquals(await test.mirror.scope(), {});
      assertEquals(test.mirror.cursor, cursor);
    }
  });

  await t.step("is followed in whatever order transactions begin and commit", async () => {
    await using test = await feed(server, "orders");
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => test.sql.reserve()));
    await first.unsafe(`begin; ${insertion("first")}`).simple();
    await second.unsafe(`begin; ${insertion("second")}`).simple();
    await third.unsafe(insertion("third"));
    assertEquals(await test.mirror.scope(), { "example.com": ["third.example.com."] });
    await second`commit`;
    assertEquals(await test.mirror.scope(), { "example.com": ["second.example.com."] });
    assertEquals(await test.mirror.scope(), {});
    await first.unsafe(`${insertion("again")}; commit`).simple();
    assertEquals(await test.mirror.scope(), {
      "example.com": ["again.example.com.", "first.example.com."],
    });
    await test.mirror.assertEqual(test.sql);
    for (const one of [first, second, third]) one.release();
  });

  await t.step("has no part of what was rolled back", async () => {
    await using test = await feed(server, "rollbacks", "kept");
    await run(
      test.sql,
      `begin; ${insertion("gone")}; rollback;
      begin; ${insertion("before")}; savepoint first;
        ${insertion("inner")}; rollback to first;
        savepoint second; ${insertion("second")}; release second; commit`,
    );
    assertEquals(await test.mirror.scope(), {
      "example.com": ["before.example.com.", "second.example.com."],
    });
    await run(test.sql, `begin; delete from zonecast.records; rollback`);
    assertEquals(await test.mirror.scope(), {});
    await test.mirror.assertEqual(test.sql);
  });

  await t.step("has prepared transactions once they are committed, by polling", async () => {
    await using test = await feed(server, "prepared");
    const { wakes } = test.mirror;
    const seen = wakes.length;
    await run(
      test.sql,
      `begin; set local zonecast.notify = off; ${insertion("two")}; prepare transaction 'feed'`,
    );
    assertEquals(await test.mirror.scope(), {});
    await run(test.sql, insertion("one"));
    assertEquals(await test.mirror.scope(), { "example.com": ["one.example.com."] });
    await run(test.sql, "commit prepared 'feed'");
    assertEquals(await test.mirror.scope(), { "example.com": ["two.example.com."] });
    const fed = () => wakes.slice(seen).filter((reason) => reason === "feed").length;
    await until(() => fed() > 0, { what: "the wake of the one that notified" });
    assertEquals(fed(), 1);
    await test.mirror.assertEqual(test.sql);
  });

  await t.step("has an owner once however it is spelled", async () => {
    await using test = await feed(server, "spellings", "www", "WWW");
    await run(
      test.sql,
      `update zonecast.records set ttl = 60 where name = 'WWW';
      ${insertion("\\119ww", "www.example.com.")}`,
    );
    const read = await test.mirror.read();
    assertEquals(read.scope, { "example.com": ["www.example.com."] });
    assertEquals(read.rows, 4);
    await test.mirror.assertEqual(test.sql);
  });

  const cases: [what: string, statements: string, scope: unknown][] = [
    [
      "an owner renamed: the old and the new",
      "update zonecast.records set name = 'b' where name = 'a'",
      {
        "example.com": ["a.example.com.", "b.example.com."],
      },
    ],
    [
      "a row moved between zones: in both",
      "update zonecast.records set zone = 'other.example' where name = 'a'",
      { "example.com": ["a.example.com."], "other.example": ["a.other.example."] },
    ],
    ["a row disabled", "update zonecast.records set disabled = true where name = 'a'", {
      "example.com": ["a.example.com."],
    }],
    ["a row deleted", "delete from zonecast.records where name = 'c'", {
      "example.com": ["c.example.com."],
    }],
    [
      "rows replaced by ON CONFLICT DO UPDATE, and inserted",
      `create unique index on zonecast.records (zone, name, type);
      ${insertion("a", "new")} on conflict (zone, name, type) do update set ttl = 5`,
      { "example.com": ["a.example.com.", "new.example.com."] },
    ],
    [
      "rows merged",
      `merge into zonecast.records as r
      using (values ('a'), ('merged')) as v (name) on r.zone = 'example.com' and r.name = v.name
      when matched then delete
      when not matched then insert (zone, name, type, content)
        values ('example.com', v.name, 'A', '192.0.2.7')`,
      { "example.com": ["a.example.com.", "merged.example.com."] },
    ],
    [
      "a zone removed, its rows by cascade: as a whole",
      "delete from zonecast.zones where name = 'example.com'",
      { "example.com": "all" },
    ],
    [
      "a zone renamed, its rows by cascade: as a whole, under both names",
      "update zonecast.zones set name = 'new.example' where name = 'example.com'",
      { "example.com": "all", "new.example": "all" },
    ],
    [
      "a zone added",
      "insert into zonecast.zones (name, mname, rname) values ('third.example', 'a', 'b')",
      { "third.example": "all" },
    ],
    [
      "another default TTL: all of the zone",
      "update zonecast.zones set default_ttl = 7 where name = 'example.com'",
      { "example.com": "all" },
    ],
    [
      "an edit of the SOA: none of its owners",
      "update zonecast.zones set minimum = 7, mname = 'ns2' where name = 'example.com'",
      { "example.com": [] },
    ],
    ["an edit that changes nothing", "update zonecast.zones set minimum = minimum", {}],
    [
      "owners touched by hand, the zone however it is spelled",
      "select zonecast.touch('Example.COM.', array['X', 'x', 'y', null, '@'])",
      { "example.com": ["example.com.", "x.example.com.", "y.example.com."] },
    ],
    ["a zone touched by hand", "select zonecast.touch('example.com', null)", {
      "example.com": "all",
    }],
    ["everything touched by hand", "select zonecast.touch(null, null)", "everything"],
    ["no owner touched by hand", "select zonecast.touch('example.com', '{}')", {}],
    ["owners of no zone touched by hand", "select zonecast.touch(null, array['a'])", {}],
    ["records truncated", "truncate zonecast.records", "everything"],
  ];
  for (const [at, [what, statements, scope]] of cases.entries()) {
    await t.step(`names ${what}`, async () => {
      await using test = await feed(server, `case_${at}`, "a", "b", "c");
      const seen = test.mirror.wakes.length;
      await run(test.sql, statements);
      const touched = Object.keys(scope as object).length > 0;
      if (touched) await test.mirror.fed(seen);
      const read = await test.mirror.read();
      assertEquals<unknown>(read.scope, scope);
      assertEquals(read.reading.changedAt !== undefined, touched);
      await test.mirror.assertEqual(test.sql);
      const zones = await test.sql`select name from zonecast.zones order by name`;
      assertEquals(read.reading.zones.map(({ name }) => name), zones.map(({ name }) => name));
      assertEquals(await test.mirror.scope(), {});
    });
  }

  await t.step("reads pending owners along with their zone, or when they are due", async () => {
    await using test = await feed(server, "pending", "a", "b", "c");
    const pending = new Map<string, ReadonlySet<string> | "all">([
      ["example.com", new Set(["b.example.com."])],
      ["other.example", "all"],
    ]);
    assertEquals(await test.mirror.scope({ pending }), {});
    await run(test.sql, insertion("a"));
    assertEquals(await test.mirror.scope({ pending }), {
      "example.com": ["a.example.com.", "b.example.com."],
    });
    await run(test.sql, `update zonecast.zones set minimum = 9 where name = 'example.com'`);
    assertEquals(await test.mirror.scope({ pending }), { "example.com": ["b.example.com."] });
    assertEquals(await test.mirror.scope({ pending, due: new Set(["other.example"]) }), {
      "other.example": "all",
    });
    await test.mirror.assertEqual(test.sql);
  });

  await t.step("has many zones read whole, none beyond as many rows as are asked for", async () => {
    await using run = await feed(server, "whole");
    const { sql, mirror } = run;
    await sql`insert into zonecast.zones (name, mname, rname)
      select 'z' || n || '.example', 'ns1', 'hostmaster' from generate_series(1, 120) as n`;
    await sql`insert into zonecast.records (zone, name, type, content)
      select zone.name, 'h' || n, 'A', '192.0.2.1' from zonecast.zones as zone,
        generate_series(1, case when zone.name = 'z7.example' then 1200 else 3 end) as n`;
    await mirror.read();
    const names = (await sql`select name from zonecast.zones order by name`).map(({ name }) =>
      name
    );
    const all = new Map(names.map((name) => [name, "all" as const]));
    const request = { pending: all, due: new Set(names) };
    const { scope, rows } = await mirror.read(request);
    assertEquals([scope, rows], [Object.fromEntries(all), 121 * 3 + 1200]);
    await mirror.assertEqual(sql);
    assertEquals((await mirror.read({ ...request, maxRecords: 600 })).rows, 121 * 3 + 601);
  });

  await t.step("brings the 100,000 rows of one COPY", async () => {
    await using test = await feed(server, "copy", "a");
    const { sql, mirror } = test;
    const copy = await sql`copy zonecast.records (zone, name, type, content) from stdin`.writable();
    let text = "";
    for (let n = 0; n < 100_000; n++) text += `example.com\th${n}\tA\t192.0.2.${n % 250}\n`;
    copy.write(text);
    await new Promise((resolve) => copy.end(resolve));
    assertEquals((await mirror.read()).rows, 100_000);
    await mirror.assertEqual(sql);
    assertEquals(mirror.fullReads, 1);
  });
});

systemTest("the feed never shows a table short that is refilled 1,000 times", async () => {
  await using server = await startPostgres();
  await using test = await feed(server, "refilled");
  const fill = `insert into zonecast.records (zone, name, type, content)
    select 'example.com', 'h' || n, 'A', '192.0.2.1' from generate_series(1, 20) as n`;
  await run(test.sql, fill);
  await test.mirror.read();
  let filling = true;
  let reads = 0;
  const writer = (async () => {
    const one = await test.sql.reserve();
    for (let times = 0; times < 1000 || reads <= 100; times++) {
      await one.unsafe(`begin; truncate zonecast.records; ${fill}; commit`).simple();
    }
    one.release();
    filling = false;
  })();
  while (filling) {
    await test.mirror.read();
    assertEquals(test.mirror.rows.length, 20);
    reads++;
  }
  await writer;
  await test.mirror.read();
  await test.mirror.assertEqual(test.sql);
});

systemTest(
  "many writers, their rollbacks and two readers: both end with the table, by parts",
  async () => {
    await using server = await startPostgres({ settings: { max_connections: "40" } });
    await using test = await feed(server, "writers");
    await using other = await FeedMirror.open(test.url);
    const WRITERS = 8;
    const COMMITS = 60;
    let writing = WRITERS;
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const client = server.connect(test.url);
      const one = await client.reserve();
      for (let times = 0; times < COMMITS; times++) {
        const name = () => `h${random(200)}`;
        const statements = [
          insertion(name(), name()),
          `update zonecast.records set ttl = ${random(100)} where name = '${name()}'`,
          `update zonecast.records set name = '${name()}', zone = 'other.example'
          where name = '${name()}'`,
          `delete from zonecast.records where name = '${name()}'`,
        ];
        const chosen = Array.from({ length: 1 + random(3) }, () => statements[random(4)]);
        const end = random(4) === 0 ? "rollback" : "commit";
        const inner = random(3) === 0
          ? `savepoint s; ${insertion(`rolled${writer}`)}; rollback to s`
          : "select";
        await one.unsafe(`begin; ${chosen.join(";")}; ${inner};
        select pg_sleep(${random(5) / 1000}); ${end}`).simple()
          .catch(async (error: unknown) => {
            if (!String(error).includes("deadlock")) throw error;
            await one`rollback`;
          });
      }
      one.release();
      writing--;
    });
    while (writing > 0) {
      await test.mirror.read();
      if (random(10) === 0) await other.read();
    }
    await Promise.all(writers);
    for (const mirror of [test.mirror, other]) {
      await mirror.read();
      await mirror.assertEqual(test.sql);
      assertEquals(mirror.fullReads, 1);
    }
    assert(test.mirror.partReads > other.partReads);
  },
);
