/** What is written back, and what an application that waits for its change is told. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type postgres from "postgres";
import {
  applySchema,
  type ProblemReport,
  type ProblemsReport,
  type SecondaryReport,
  type WriteBack,
} from "../../../lib/source/mod.ts";
import { PROBLEMS_PER_PART } from "../../../lib/source/postgres_problems.ts";
import { systemTest } from "../../support/interop.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { until } from "../../support/wait.ts";
import { FeedMirror } from "./feed_mirror.ts";

const ZONES = `insert into zonecast.zones (name, mname, rname) values
  ('example.com', 'ns1', 'hostmaster'), ('other.example', 'ns1', 'hostmaster')`;

const EMPTY: WriteBack = {
  instance: "first",
  configured: ["ns1", "ns2"],
  published: [],
  covered: undefined,
  secondaries: [],
  problems: undefined,
  held: undefined,
  live: [],
};

const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);

function standing(secondary: string, serial: number, zone = "example.com"): SecondaryReport {
  return {
    zone,
    secondary,
    serial,
    seenAt: T0,
    lastNotifyAt: undefined,
    lastTransferAt: undefined,
    kind: undefined,
    state: "live",
  };
}

/** All problems there are. */
function whole(...put: ProblemReport[]): ProblemsReport {
  return { isWhole: true, put, gone: [] };
}

function problem(owner: string | null, reason: string): ProblemReport {
  return {
    zone: "example.com",
    owner,
    name: owner === null ? "" : "bad",
    type: "A",
    content: "x",
    code: "rdata",
    severity: "error",
    reason,
    hint: undefined,
  };
}

/** Very many problems go in parts, in one transaction all the same: all, then what changes. */
async function tellMany(test: Told, sql: Told["sql"]): Promise<void> {
  const count = 3 * PROBLEMS_PER_PART + 7;
  const many = Array.from({ length: count }, (_, i) => problem(`n${i}.example.com.`, "bad"));
  const numbers = () =>
    sql`select count(*)::int as n, count(distinct xmin::text)::int as commits,
      count(*) filter (where reason = 'worse')::int as worse from zonecast.problems`;
  await test.tell({ problems: whole(problem("old.example.com.", "bad"), many[0]) });
  await test.tell({ problems: whole(...many) });
  // One row was there before, and is the same.
  assertEquals({ ...(await numbers())[0] }, { n: count, commits: 2, worse: 0 });
  const worse = many.slice(0, 2 * PROBLEMS_PER_PART).map((one) => ({ ...one, reason: "worse" }));
  const gone = many.slice(-PROBLEMS_PER_PART - 1);
  await test.tell({ problems: { isWhole: false, put: worse, gone } });
  assertEquals((await numbers())[0].n, count - gone.length);
  assertEquals((await numbers())[0].worse, worse.length);
  await test.tell({ problems: whole() });
  assertEquals((await numbers())[0].n, 0);
}

interface Verdict {
  readonly state: string;
  readonly serial: string | null;
  readonly live: number | null;
  readonly of: number | null;
  readonly reason: string | null;
}

/** A database, a client, a mirror that reads and tells, and a role as applications have. */
class Told implements AsyncDisposable {
  constructor(
    readonly url: string,
    readonly sql: postgres.Sql,
    readonly app: postgres.Sql,
    readonly mirror: FeedMirror,
  ) {}

  static async open(server: TestPostgres, name: string): Promise<Told> {
    const url = await server.createDatabase(name);
    await applySchema(url);
    const sql = server.connect(url);
    await sql.unsafe(ZONES);
    await sql.unsafe(`do $$ begin create role app login; exception when duplicate_object then null;
      end $$; grant usage on schema zonecast to app;
      grant select, insert, update, delete on zonecast.records to app;
      revoke execute on function zonecast.wait_live(text, xid8, interval) from public;
      revoke execute on function zonecast.wait_live(text, bigint, interval) from public;
      grant execute on function zonecast.wait_live(text, xid8, interval) to app;
      grant execute on function zonecast.wait_live(text, bigint, interval) to app`).simple();
    const mirror = await FeedMirror.open(url);
    return new Told(url, sql, server.connect(url.replace("postgres@", "app@")), mirror);
  }

  /** Inserts an A record as the application does. Returns the transaction's id. */
  async insert(name: string, zone = "example.com"): Promise<string> {
    const [{ xid }] = await this.app<{ xid: string }[]>`
      insert into zonecast.records (zone, name, type, content) values (${zone}, ${name}, 'A', '192.0.2.1')
      returning pg_current_xact_id()::text as xid`;
    return xid;
  }

  tell(report: Partial<WriteBack>): Promise<void> {
    return this.mirror.source.writeBack!({ ...EMPTY, ...report });
  }

  /** Reads, and tells that this was published, or that it made no difference. */
  async readAndTell(serial: number | undefined, rest: Partial<WriteBack> = {}): Promise<void> {
    const { snapshot } = (await this.mirror.read()).reading;
    await this.tell({
      published: serial === undefined ? [] : [published(serial, snapshot)],
      covered: { snapshot: snapshot!, pending: [] },
      ...rest,
    });
  }

  async wait(of: string | number, timeout = "30 s", zone = "example.com"): Promise<Verdict> {
    const rows = typeof of === "number"
      ? this.app<
        Verdict[]
      >`select * from zonecast.wait_live(${zone}, ${of}::bigint, ${timeout}::text::interval)`
      : this.app<
        Verdict[]
      >`select * from zonecast.wait_live(${zone}, ${of}::text::xid8, ${timeout}::text::interval)`;
    return { ...(await rows)[0] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.mirror[Symbol.asyncDispose]();
  }
}

function published(serial: number, snapshot: string | undefined, zone = "example.com") {
  return {
    zone,
    serial,
    publishedAt: Date.now(),
    added: 2,
    removed: 1,
    changedAt: T0,
    snapshot,
  };
}

systemTest("written back", async (t) => {
  await using server = await startPostgres();

  await t.step("each version, each secondary's standing, problems, how far was read", async () => {
    await using test = await Told.open(server, "all");
    await test.readAndTell(7, {
      secondaries: [{
        ...standing("ns1", 6),
        lastNotifyAt: T0 + 1000,
        lastTransferAt: T0 + 2000,
        kind: "ixfr",
        state: "behind",
      }],
      problems: whole(problem("bad.example.com.", "no address"), problem(null, "no NS")),
    });
    const { sql } = test;
    assertEquals(
      {
        ...(await sql`select zone, serial, added, removed, changed_at, instance
        from zonecast.published`)[0],
      },
      {
        zone: "example.com",
        serial: "7",
        added: "2",
        removed: "1",
        changed_at: new Date(T0),
        instance: "first",
      },
    );
    assertEquals({ ...(await sql`select * from zonecast.secondaries`)[0] }, {
      zone: "example.com",
      secondary: "ns1",
      serial: "6",
      seen_at: new Date(T0),
      last_notify: new Date(T0 + 1000),
      last_transfer: new Date(T0 + 2000),
      kind: "ixfr",
      state: "behind",
      instance: "first",
    });
    const problems = () => sql`select owner, reason, since from zonecast.problems order by owner`;
    const before = await problems();
    assertEquals(before.map(({ owner }) => owner), ["bad.example.com.", null]);
    // What is not known now does not wipe out what was.
    await test.tell({
      secondaries: [{ ...standing("ns1", 7), seenAt: undefined }],
      problems: whole(problem("bad.example.com.", "still no address")),
    });
    assertEquals(
      { ...(await sql`select serial, seen_at, kind, state from zonecast.secondaries`)[0] },
      { serial: "7", seen_at: new Date(T0), kind: "ixfr", state: "live" },
    );
    const after = await problems();
    assertEquals(after.map(({ reason }) => reason), ["still no address"]);
    assertEquals(after[0].since, before[0].since);
    const [one, other] = [problem("one.example.com.", "bad"), problem("other.example.com.", "bad")];
    await test.tell({ problems: { isWhole: false, put: [one, other], gone: [] } });
    await test.tell({ problems: { isWhole: false, put: [], gone: [other] } });
    assertEquals((await problems()).map(({ owner }) => owner), [
      "bad.example.com.",
      "one.example.com.",
    ]);
    assertEquals((await problems())[0].since, before[0].since);
    await test.tell({ problems: whole() });
    assertEquals((await problems()).length, 0);
    await tellMany(test, sql);
    const [reader] = await sql`select instance, pending, secondaries from zonecast.readers`;
    assertEquals({ ...reader }, { instance: "first", pending: [], secondaries: ["ns1", "ns2"] });
  });

  await t.step("the same twice is as once; the newest serial is read back", async () => {
    await using test = await Told.open(server, "twice");
    const older = { ...published(5, "700:700:"), publishedAt: Date.now() - 100 };
    const report = { published: [older, published(6, undefined)] };
    await test.tell(report);
    await test.tell(report);
    await test.tell({ published: [{ ...published(2, undefined), publishedAt: T0 }] });
    assertEquals((await test.sql`select from zonecast.published`).length, 3);
    const { reading } = await test.mirror.read({ everything: true });
    assertEquals([...reading.publishedSerials!], [["example.com", 6]]);
  });

  await t.step("whoever listens is told as secondaries show a serial", async () => {
    await using test = await Told.open(server, "listening");
    const heard: string[] = [];
    await test.app.listen("dns_zone_published", (payload) => heard.push(payload));
    await test.tell({
      live: [1, 2].map((live) => ({ zone: "example.com", serial: 7, live, of: 2 })),
    });
    await until(() => heard.length === 2, { what: "two notifications" });
    assertEquals(heard, [
      '{"zone":"example.com","serial":7,"live":1,"of":2}',
      '{"zone":"example.com","serial":7,"live":2,"of":2}',
    ]);
  });

  await t.step("writing back wakes nobody and is no change", async () => {
    await using test = await Told.open(server, "quiet");
    const { cursor, wakes } = test.mirror;
    const seen = wakes.length;
    await test.tell({
      secondaries: [standing("ns1", 7)],
      covered: { snapshot: "7:7:", pending: [] },
    });
    assertEquals(await test.mirror.scope(), {});
    assertEquals(test.mirror.cursor, cursor);
    assertEquals(wakes.length, seen);
  });

  await t.step("a lock on what is written to stops no read", async () => {
    await using test = await Told.open(server, "blocked");
    const holder = await test.sql.reserve();
    await holder.unsafe("begin; lock table zonecast.published in access exclusive mode").simple();
    const telling = test.tell({ published: [published(7, undefined)] });
    await test.insert("www");
    assertEquals(await test.mirror.scope(), { "example.com": ["www.example.com."] });
    await holder`rollback`;
    holder.release();
    await telling;
  });
});

systemTest("wait_live", async (t) => {
  await using server = await startPostgres();

  await t.step("live: once all secondaries show the version, or a later one", async () => {
    await using test = await Told.open(server, "live");
    const xid = await test.insert("www");
    const waiting = test.wait(xid);
    await test.readAndTell(4294967290);
    await test.tell({ secondaries: [standing("ns1", 4294967290), standing("ns2", 4294967289)] });
    assertEquals(await test.wait(xid, "0.1 s"), {
      state: "published",
      serial: "4294967290",
      live: 1,
      of: 2,
      reason: "not shown by ns2",
    });
    await test.tell({ secondaries: [standing("ns2", 3), standing("gone", 1)] }); // wrapped around
    const live = { state: "live", serial: "4294967290", live: 2, of: 2, reason: null };
    assertEquals(await waiting, live);
    // Whatever is published later, the first version that has it is the one named.
    await test.insert("later");
    await test.readAndTell(5);
    assertEquals(await test.wait(xid), live);
    assertEquals(await test.wait(xid, "1 s", "Example.COM."), live);
  });

  await t.step("published: when there are no secondaries, at once", async () => {
    await using test = await Told.open(server, "alone");
    const xid = await test.insert("www");
    await test.readAndTell(7, { configured: [] });
    assertEquals(await test.wait(xid), {
      state: "published",
      serial: "7",
      live: 0,
      of: 0,
      reason: "there are no secondaries",
    });
  });

  await t.step("unchanged: rolled back, of another zone, or no difference", async () => {
    await using test = await Told.open(server, "unchanged");
    await test.insert("before");
    await test.readAndTell(7);
    const states = async (xid: string) => {
      const { state, serial, reason } = await test.wait(xid);
      return `${state} ${serial}: ${reason}`;
    };
    let rolledBack = "";
    await test.app.begin(async (sql) => {
      rolledBack = (await sql`select pg_current_xact_id()::text as xid`)[0].xid;
      throw new Error("back");
    }).catch(() => {});
    assertEquals(await states(rolledBack), "unchanged 7: the transaction was rolled back");
    const elsewhere = await test.insert("www", "other.example");
    const none = "unchanged 7: the transaction touched no record of the zone";
    assertEquals(await states(elsewhere), none);
    const same = await test.insert("same");
    const waiting = states(same);
    await test.readAndTell(undefined);
    assertEquals(await waiting, "unchanged 7: the transaction changed nothing that is served");
  });

  await t.step(
    "of several zonecasts that divide the zones, the one that publishes it counts",
    async () => {
      await using test = await Told.open(server, "divided");
      await test.readAndTell(6, { configured: ["ns1"] });
      const xid = await test.insert("www");
      const { snapshot } = (await test.mirror.read()).reading;
      const covered = { snapshot: snapshot!, pending: [] };
      await test.tell({ instance: "other", configured: [], covered });
      assertEquals((await test.wait(xid, "0 s")).state, "timeout");
      await test.tell({ published: [published(7, snapshot)], configured: ["ns1"], covered });
      await test.tell({ instance: "other", configured: [], covered });
      const { state, of, reason } = await test.wait(xid, "0 s");
      assertEquals([state, of, reason], ["published", 1, "not shown by ns1"]);
      await test.tell({ problems: whole(problem("bad.example.com.", "no address")) });
      await test.tell({ instance: "other", problems: whole() });
      assertEquals((await test.sql`select from zonecast.problems`).length, 1);
      await test.tell({ problems: whole() });
      assertEquals((await test.sql`select from zonecast.problems`).length, 0);
    },
  );

  await t.step("bad_row: with the reason, as soon as it was read", async () => {
    await using test = await Told.open(server, "bad_row");
    const [bad, good] = [await test.insert("bad"), await test.insert("www")];
    await test.readAndTell(7, { problems: whole(problem("bad.example.com.", "no address")) });
    const { state, serial, reason } = await test.wait(bad);
    assertEquals([state, serial, reason], ["bad_row", "7", "bad A: no address"]);
    assertEquals((await test.wait(good, "0 s")).state, "published");
    const lowered = { ...problem("bad.example.com.", "lowered"), severity: "warning" };
    await test.tell({ problems: whole(lowered) });
    assertEquals((await test.wait(bad, "0 s")).state, "published");
  });

  await t.step("held: at once where a reason is known, else when the time is up", async () => {
    await using test = await Told.open(server, "held");
    const xid = await test.insert("www");
    const { snapshot } = (await test.mirror.read()).reading;
    const covered = { snapshot: snapshot!, pending: ["example.com"] };
    await test.tell({ covered });
    const { state, reason } = await test.wait(xid, "0.1 s");
    assertEquals([state, reason], ["held", "its changes wait"]);
    await test.tell({ covered, problems: whole(problem(null, "half of it would go")) });
    assertEquals((await test.wait(xid)).reason, "half of it would go");
  });

  await t.step("timeout: while it has not been read, or has not ended", async () => {
    await using test = await Told.open(server, "timeout");
    const xid = await test.insert("www");
    const unread = await test.wait(xid, "0.1 s");
    assertEquals(unread.state, "timeout");
    assertStringIncludes(unread.reason!, "zonecast has not read the transaction");
    await test.sql.begin(async (sql) => {
      const [{ open }] = await sql`select pg_current_xact_id()::text as open`;
      const { state, reason } = await test.wait(open, "0.1 s");
      assertEquals([state, reason], ["timeout", "the transaction has not ended"]);
    });
  });

  await t.step("by serial: live, published, timeout", async () => {
    await using test = await Told.open(server, "serial");
    assertEquals(
      (await test.wait(7, "0 s")).reason,
      "the serial is not published; the last is none",
    );
    await test.readAndTell(7);
    assertEquals((await test.wait(8, "0 s")).state, "timeout");
    assertEquals((await test.wait(7, "0 s")).state, "published");
    await test.tell({ secondaries: [standing("ns1", 7), standing("ns2", 8)] });
    assertEquals((await test.wait(7)).state, "live");
  });

  await t.step("says what is wrong with the call", async () => {
    await using test = await Told.open(server, "wrong");
    const inside = await assertRejects(() =>
      test.app.begin(async (sql) => {
        await sql`select * from zonecast.wait_live('example.com', pg_current_xact_id())`;
      })
    );
    assertStringIncludes(String(inside), "inside the transaction it is to wait for");
    for (const level of ["repeatable read", "serializable"]) {
      const frozen = await assertRejects(() =>
        test.app.begin(`isolation level ${level}`, async (sql) => {
          await sql`select * from zonecast.wait_live('example.com', '700'::xid8)`;
        })
      );
      assertStringIncludes(String(frozen), `this transaction is ${level.toUpperCase()}`);
    }
    assertStringIncludes(
      String(await assertRejects(() => test.wait("700", "1 s", "no.example"))),
      'there is no zone "no.example"',
    );
    assertStringIncludes(
      String(await assertRejects(() => test.wait("99999999", "1 s"))),
      "in the future",
    );
  });

  await t.step("keeps no lock and no transaction id while it waits", async () => {
    await using test = await Told.open(server, "light");
    const xid = await test.insert("www");
    const waiting = test.wait(xid, "1 s");
    await until(async () =>
      (await test.sql`select from pg_stat_activity
        where wait_event = 'PgSleep' and backend_xid is null`).length === 1, {
      what: "it waits, without a transaction id",
    });
    await test.sql`alter table zonecast.records add column note text`;
    assertEquals((await waiting).state, "timeout");
  });
});
