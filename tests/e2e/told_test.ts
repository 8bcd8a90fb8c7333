/** What an application is told of its own change: live on which secondaries, or why not. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type postgres from "postgres";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { served, untilServed } from "../support/served.ts";
import { newSerial, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { until } from "../support/wait.ts";

const NAME = "told.example";
const ZONE = `${NAME}.`;

/** The answer of zonecast.wait_live. */
interface Answer {
  readonly state: string;
  readonly serial: number | null;
  readonly live: number | null;
  readonly of: number | null;
  readonly reason: string | null;
}

/** The payload of a notification on dns_zone_published. */
interface Told {
  readonly zone: string;
  readonly serial: number;
  readonly live: number;
  readonly of: number;
}

/** An application: it knows the tables and the function, nothing of servers. */
class Application {
  constructor(readonly sql: postgres.Sql) {}

  /** Makes a change in a transaction. Returns the transaction's number. */
  async change(
    statement: (sql: postgres.Sql) => Promise<unknown> | postgres.PendingQuery<postgres.Row[]>,
  ): Promise<string> {
    const connection = await this.sql.reserve();
    try {
      await connection`begin`;
      await statement(connection);
      const [{ xid }] = await connection`select pg_current_xact_id()::text as xid`;
      await connection`commit`;
      return xid;
    } catch (error) {
      await connection`rollback`;
      throw error;
    } finally {
      connection.release();
    }
  }

  /** Adds an A record. Returns the transaction's number. */
  add(name: string, content = "192.0.2.1"): Promise<string> {
    return this.change((sql) =>
      sql`insert into zonecast.records (zone, name, type, content)
        values (${NAME}, ${name}, 'A', ${content})`
    );
  }

  async waitLive(xid: string, timeout = "60 s"): Promise<Answer> {
    const [answer] = await this.sql<Answer[]>`
      select state, serial::float8 as serial, live, "of", reason
      from zonecast.wait_live(${NAME}, ${xid}::xid8, ${timeout}::interval)`;
    return { ...answer };
  }
}

interopTest("an application is told what became of its change", {
  needs: ["nsd", "knot"],
}, async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using followed = await serveFollowed(["nsd", "knot"], { source: url, zones: [ZONE] });
  const { zonecast, secondaries: [nsd, knot] } = followed;
  const application = new Application(sql);
  const told: Told[] = [];
  await sql.listen("dns_zone_published", (payload) => told.push(JSON.parse(payload)));
  await untilStatus(
    zonecast,
    "both are live",
    ({ secondaries }) => secondaries.every(({ zones: [zone] }) => zone?.state === "live"),
  );

  await t.step("live, with serial and n of m, when both secondaries have it", async () => {
    for (let n = 0; n < 4; n++) {
      const answer = await application.waitLive(await application.add(`live${n}`));
      // Asked at once: what wait_live says is so.
      assertEquals(await served(knot, `live${n}.${ZONE}`, "A"), ["192.0.2.1"]);
      const serial = await newSerial(zonecast, ZONE, undefined);
      assertEquals({ ...answer }, { state: "live", serial, live: 2, of: 2, reason: null });
      assertEquals(await newSerial(knot, ZONE, undefined), serial);
      // NSD's process of before the reload may answer once more beside the new one.
      await nsd.reaches(ZONE, serial);
      await untilServed(nsd, `live${n}.${ZONE}`, "A", ["192.0.2.1"]);
    }
  });

  await t.step("LISTEN dns_zone_published hears 1 of 2, then 2 of 2", async () => {
    told.length = 0;
    const { serial } = await application.waitLive(await application.add("heard"));
    const ofSerial = () => told.filter((one) => one.serial === serial);
    await until(() => ofSerial().length >= 2, { what: "two notifications", seen: () => told });
    assertEquals(ofSerial(), [1, 2].map((live) => ({ zone: NAME, serial: serial!, live, of: 2 })));
  });

  await t.step("unchanged: nothing of the zone, nothing served, rolled back", async () => {
    const untouched = await application.change((sql) => sql`create temporary table other (n int)`);
    assertEquals((await application.waitLive(untouched)).state, "unchanged");
    const disabled = await application.change((sql) =>
      sql`insert into zonecast.records (zone, name, type, content, disabled)
        values (${NAME}, 'off', 'A', '192.0.2.1', true)`
    );
    assertMatch((await application.waitLive(disabled)).reason!, /nothing that is served/);
    const connection = await sql.reserve();
    await connection`begin`;
    await connection`delete from zonecast.records where name = 'heard'`;
    const [{ xid }] = await connection`select pg_current_xact_id()::text as xid`;
    await connection`rollback`;
    connection.release();
    const { state, reason } = await application.waitLive(xid);
    assertEquals(state, "unchanged");
    assertMatch(reason!, /rolled back/);
  });

  await t.step("bad_row: the row and what is wrong with it", async () => {
    const { state, reason } = await application.waitLive(
      await application.add("bad", "192.0.2.256"),
    );
    assertEquals(state, "bad_row");
    assertMatch(reason!, /^bad\S* A: .*192\.0\.2\.256/);
    await sql`delete from zonecast.records where name = 'bad'`;
  });

  await t.step("held: why the zone is, until it is put right", async () => {
    const held = await application.change((sql) =>
      sql`update zonecast.records set disabled = true where zone = ${NAME} and type = 'NS'`
    );
    const before = await application.waitLive(held);
    assertEquals(before.state, "held");
    assertMatch(before.reason!, /no NS records/);
    await sql`update zonecast.records set disabled = false where zone = ${NAME} and type = 'NS'`;
    const { state } = await application.waitLive(await application.add("after-held"));
    assertEquals(state, "live");
  });

  await t.step("published: one secondary does not answer, and is named", async () => {
    knot.signal("SIGSTOP");
    try {
      const xid = await application.add("stopped");
      const answer = await until(async () => {
        const answer = await application.waitLive(xid, "1 s");
        return answer.live === 1 && answer;
      }, { what: "one of them is live" });
      const { state, of, reason } = answer;
      assertEquals({ state, of, reason }, {
        state: "published",
        of: 2,
        reason: "not shown by secondary1",
      });
    } finally {
      knot.signal("SIGCONT");
    }
    const { state } = await application.waitLive(await application.add("continued"));
    assertEquals(state, "live");
  });

  await t.step("an error inside the transaction, and in REPEATABLE READ", async () => {
    await assertRejects(
      () =>
        application.change(async (sql) => {
          await sql`insert into zonecast.records (zone, name, type, content)
            values (${NAME}, 'never', 'A', '192.0.2.1')`;
          await sql`select zonecast.wait_live(${NAME}, pg_current_xact_id())`;
        }),
      Error,
      "inside the transaction it is to wait for",
    );
    const xid = await application.add("repeatable");
    await assertRejects(
      () =>
        sql.begin(
          "isolation level repeatable read",
          (tx) => tx`select zonecast.wait_live(${NAME}, ${xid}::xid8)`,
        ),
      Error,
      "REPEATABLE READ",
    );
  });

  await t.step("timeout: zonecast does not run; live once it does", async () => {
    await zonecast.stop();
    const xid = await application.add("asleep");
    const { state, reason } = await application.waitLive(xid, "500 ms");
    assertEquals(state, "timeout");
    assertMatch(reason!, /has not read the transaction/);
    const [answer] = await Promise.all([application.waitLive(xid), zonecast.start()]);
    assertEquals(answer.state, "live");
  });

  await t.step("Postgres away while they follow: written back when it is there again", async () => {
    const before = await newSerial(zonecast, ZONE, undefined);
    nsd.signal("SIGSTOP");
    knot.signal("SIGSTOP");
    let xid: string;
    let serial: number;
    try {
      xid = await application.add("outage");
      serial = await newSerial(zonecast, ZONE, before);
      await postgres.stop();
    } finally {
      nsd.signal("SIGCONT");
      knot.signal("SIGCONT");
    }
    await untilStatus(
      zonecast,
      "both are live again",
      ({ secondaries }) =>
        secondaries.every(({ zones: [zone] }) => zone?.state === "live" && zone.serial === serial),
    );
    await postgres.start();
    const rows = await until(async () => {
      const rows = await sql`select secondary, serial::float8 as serial, state, kind,
          seen_at is not null and last_notify is not null and last_transfer is not null as times
        from zonecast.secondaries where zone = ${NAME} order by secondary`;
      return rows.every((row) => row.serial === serial && row.state === "live") && rows;
    }, { what: "what the secondaries show, written back" });
    assertEquals(rows.map(({ kind, times }) => ({ kind, times })), [
      { kind: "ixfr", times: true },
      { kind: "ixfr", times: true },
    ]);
    const [version] = await sql`select added::int, removed::int,
        changed_at <= published_at as in_order, snapshot is not null as has_snapshot
      from zonecast.published where zone = ${NAME} and serial = ${serial}`;
    assertEquals({ ...version }, { added: 1, removed: 0, in_order: true, has_snapshot: true });
    assertEquals((await application.waitLive(xid, "30 s")).state, "live");
  });
  assert(told.every(({ of }) => of === 2));
});
