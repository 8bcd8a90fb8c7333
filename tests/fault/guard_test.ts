/**
 * Mistakes in the database: what is served is as before, what is held is told, and
 * nothing but exactly that is released by approving it.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type postgres from "postgres";
import { approveHeld, assertOwners, heldOf, ownersServed, untilHeld } from "../support/held.ts";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { served, untilServed } from "../support/served.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { until } from "../support/wait.ts";

/** Hosts of each zone; the apex is one owner more. */
const HOSTS = 40;
const SLOW_HOSTS = 10_000;

const ZONES = ["at-once", "slowly", "updated", "renamed", "gone", "ns", "quiet"].map((name) =>
  `${name}.example.`
);
const [AT_ONCE, SLOWLY, UPDATED, RENAMED, GONE, NS_SET, QUIET] = ZONES;

/** The zone's name as it stands in the tables. */
function stored(zone: string): string {
  return zone.slice(0, -1);
}

async function addHosts(sql: postgres.Sql, zone: string, count: number): Promise<void> {
  await sql`insert into zonecast.records (zone, name, type, content)
    select ${
    stored(zone)
  }, 'h' || i, 'A', '192.0.2.' || i % 250 from generate_series(1, ${count}) i`;
}

/** A transaction's number, from its one statement. */
async function change(sql: postgres.Sql, statement: string): Promise<string> {
  const connection = await sql.reserve();
  try {
    await connection.unsafe("begin");
    await connection.unsafe(statement);
    const [{ xid }] = await connection`select pg_current_xact_id()::text as xid`;
    await connection.unsafe("commit");
    return xid;
  } finally {
    connection.release();
  }
}

async function waitLive(sql: postgres.Sql, zone: string, xid: string) {
  const [answer] = await sql<{ state: string; reason: string | null }[]>`
    select state, reason from zonecast.wait_live(${stored(zone)}, ${xid}::xid8, '30 s')`;
  return answer;
}

systemTest("mistakes in the database are held, and released exactly", async (t) => {
  await using server = await startPostgres();
  const { url, sql } = await sourceDatabase(server, ZONES);
  for (const zone of ZONES) await addHosts(sql, zone, zone === SLOWLY ? SLOW_HOSTS : HOSTS);
  await using zonecast = await serveZones({ source: url, zones: ZONES });
  const insert = (zone: string, name: string) =>
    change(
      sql,
      `insert into zonecast.records (zone, name, type, content)
      values ('${stored(zone)}', '${name}', 'A', '203.0.113.1')`,
    );

  await t.step(
    "DELETE of all in one statement: held, served on, told; the rest goes on",
    async () => {
      const xid = await change(
        sql,
        `delete from zonecast.records where zone = '${stored(AT_ONCE)}' and type <> 'NS'`,
      );
      const held = await untilHeld(zonecast, AT_ONCE);
      assertEquals([held.reasons, held.owners, held.removed], [["shrink", "change"], HOSTS, HOSTS]);
      assertStringIncludes(held.why, `${HOSTS} of ${HOSTS + 1} owners would be gone`);
      await assertOwners(zonecast, AT_ONCE, HOSTS + 1);
      const { state, reason } = await waitLive(sql, AT_ONCE, xid);
      assertEquals(state, "held");
      assertStringIncludes(reason!, held.id);
      const other = await insert(AT_ONCE, "new");
      await untilServed(zonecast, `new.${AT_ONCE}`, "A", ["203.0.113.1"]);
      assertEquals((await waitLive(sql, AT_ONCE, other)).state, "published");
      assertEquals((await heldOf(zonecast, AT_ONCE))?.id, held.id, "the same content, the same id");
    },
  );

  await t.step(
    "log, status, held and zonecast.held say what, why and how to release it",
    async () => {
      const held = await untilHeld(zonecast, AT_ONCE);
      const command = `zonecast approve ${AT_ONCE} ${held.id}`;
      const lines = zonecast.log().split("\n").filter((line) => line.includes(held.id));
      assertEquals(lines.length, 1, `once in the log:\n${lines.join("\n")}`);
      assertStringIncludes(lines[0], command);
      const shown = await zonecast.mustCli(["held", AT_ONCE]);
      assertStringIncludes(shown, command);
      assertEquals(shown.split("\n").filter((line) => line.startsWith("- h")).length, HOSTS);
      assertStringIncludes(await zonecast.mustCli(["held"]), held.id);
      assertStringIncludes(await zonecast.mustCli(["status"]), held.why);
      const { held: [status] } = await untilStatus(
        zonecast,
        "a hold",
        ({ held }) => held.length > 0,
      );
      assertEquals(status.release, command);
      const [row] = await sql`select id, reason, owner_count, removed from zonecast.held`;
      assertEquals({ ...row }, {
        id: held.id,
        reason: held.why,
        owner_count: String(HOSTS),
        removed: String(HOSTS),
      });
    },
  );

  await t.step("a restart and a read of everything keep it held", async () => {
    const before = await untilHeld(zonecast, AT_ONCE);
    await zonecast.stop();
    await zonecast.start();
    assertEquals((await heldOf(zonecast, AT_ONCE))?.id, before.id, "before the source was read");
    const full = async () =>
      (await untilStatus(zonecast, "a source", ({ server }) => server !== undefined)).server!.source
        .reads.full;
    const reads = await full();
    await sql`select pg_notify('dns_zone_changed', '')`;
    await until(async () => await full() > reads, { what: "a read of everything" });
    const after = await untilHeld(zonecast, AT_ONCE);
    assertEquals([after.id, after.since], [before.id, before.since]);
    await assertOwners(zonecast, AT_ONCE, HOSTS + 2);
  });

  await t.step("another id, and content that has changed since, release nothing", async () => {
    const { id } = await untilHeld(zonecast, AT_ONCE);
    const wrong = await zonecast.cli(["approve", AT_ONCE, "0123456789ab"]);
    assertEquals(wrong.code, 1);
    assertStringIncludes(wrong.stderr, id);
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${stored(AT_ONCE)}, 'h1', 'A', '192.0.2.1')`; // one of them is right again
    const less = await untilHeld(zonecast, AT_ONCE, (held) => held.id !== id);
    assertEquals(less.owners, HOSTS - 1);
    assertEquals((await zonecast.cli(["approve", AT_ONCE, id])).code, 1);
    await assertOwners(zonecast, AT_ONCE, HOSTS + 2);
    await approveHeld(zonecast, less);
    await assertOwners(zonecast, AT_ONCE, 3);
  });

  await t.step("10,000 commits of one DELETE each: 3,000 go, the others are held", async () => {
    await sql.unsafe(`do $$ begin for i in 1..${SLOW_HOSTS} loop
      delete from zonecast.records where zone = '${
      stored(SLOWLY)
    }' and owner = 'h' || i || '.${SLOWLY}';
      commit; end loop; end $$`);
    // What is read beside what is held may go too, as far as the limit allows: then all that is
    // served still is held, but for the apex.
    const held = await until(async () => {
      const held = await heldOf(zonecast, SLOWLY);
      return held && await ownersServed(zonecast, SLOWLY) === held.owners + 1 && held;
    }, { what: "all that is served is held", intervalMs: 100 });
    assert(held.owners >= 7_000, `${held.owners} are held`);
    await insert(SLOWLY, "new");
    await untilServed(zonecast, `new.${SLOWLY}`, "A", ["203.0.113.1"]);
    const lines = zonecast.log().split("\n").filter((line) => line.includes(`approve ${SLOWLY}`));
    assert(lines.length <= 10, `${lines.length} lines in the log for one mistake`);
    await approveHeld(zonecast, await untilHeld(zonecast, SLOWLY));
    await assertOwners(zonecast, SLOWLY, 2);
  });

  await t.step("UPDATE of all: held; approved in SQL, and by its owner alone", async () => {
    const zone = stored(UPDATED);
    await sql`update zonecast.records set content = '198.51.100.1' where zone = ${zone} and type = 'A'`;
    const held = await untilHeld(zonecast, UPDATED);
    assertEquals([held.reasons, held.removed, held.added], [["change"], HOSTS, HOSTS]);
    assertEquals(await served(zonecast, `h7.${UPDATED}`, "A"), ["192.0.2.7"]);
    await until(async () => (await sql`select from zonecast.held where id = ${held.id}`).count, {
      what: "it is written back",
    });
    await sql`create role app login`;
    await sql`grant usage on schema zonecast to app`;
    await sql`grant all on zonecast.records to app`;
    const app = server.connect(url.replace(/\/\/[^@/]*@/, "//app@"));
    const refused = await app`select zonecast.approve(${zone}, ${held.id})`.catch((error) => error);
    assertMatch(String(refused), /permission denied/);
    const other = await sql`select zonecast.approve(${zone}, '0123456789ab')`.catch((error) =>
      error
    );
    assertStringIncludes(String(other.hint), held.id);
    await sql`select zonecast.approve(${zone}, ${held.id})`;
    await untilServed(zonecast, `h7.${UPDATED}`, "A", ["198.51.100.1"]);
    await until(async () => {
      const rows = await sql`select from zonecast.approvals
        union all select from zonecast.held where id = ${held.id}`;
      return rows.count === 0;
    }, { what: "nothing of it is left in the tables" });
  });

  await t.step(
    "the apex NS set exchanged: the apex is held alone; put right again it is over",
    async () => {
      const zone = stored(NS_SET);
      await sql`update zonecast.records set content = 'evil' || id || '.example.net.'
      where zone = ${zone} and type = 'NS'`;
      const held = await untilHeld(zonecast, NS_SET);
      assertEquals([held.reasons, held.owners], [["ns-set"], 1]);
      await insert(NS_SET, "new");
      await untilServed(zonecast, `new.${NS_SET}`, "A", ["203.0.113.1"]);
      assertStringIncludes(String(await served(zonecast, NS_SET, "NS")), "servers.example");
      await sql`delete from zonecast.records where zone = ${zone} and type = 'NS'`;
      const none = await untilHeld(zonecast, NS_SET, ({ reasons }) => reasons[0] === "no-ns");
      const refused = await zonecast.cli(["approve", NS_SET, none.id]);
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.stderr, "give it its NS records back");
      await sql`insert into zonecast.records (zone, name, type, content) values
      (${zone}, '@', 'NS', 'ns1.servers.example.'), (${zone}, '@', 'NS', 'ns2.servers.example.')`;
      await until(async () => !await heldOf(zonecast, NS_SET), { what: "nothing is held" });
    },
  );

  await t.step("a zone renamed: the old one is served on, the new one is there", async () => {
    await sql`update zonecast.zones set name = 'new-name.example' where name = ${stored(RENAMED)}`;
    await untilServed(zonecast, "h7.new-name.example", "A", ["192.0.2.7"]);
    const held = await untilHeld(zonecast, RENAMED);
    assertEquals(held.reasons, ["zone-removed"]);
    await assertOwners(zonecast, RENAMED, HOSTS + 1);
    await approveHeld(zonecast, held);
    assertEquals(await served(zonecast, RENAMED, "SOA"), "REFUSED");
    await assertOwners(zonecast, "new-name.example.", HOSTS + 1);
  });

  await t.step(
    "a zone's row deleted: served on, over a restart, until that is approved",
    async () => {
      const serial = await newSerial(zonecast, GONE, undefined);
      await sql`delete from zonecast.zones where name = ${stored(GONE)}`;
      const held = await untilHeld(zonecast, GONE);
      await zonecast.stop();
      await zonecast.start();
      assertEquals((await untilHeld(zonecast, GONE)).id, held.id);
      assertEquals(await zonecast.serial(GONE), serial);
      await until(async () => (await sql`select from zonecast.held where id = ${held.id}`).count, {
        what: "it is written back",
      });
      await sql`select zonecast.approve(${GONE}, ${held.id})`;
      await until(async () => await served(zonecast, GONE, "SOA") === "REFUSED", {
        what: "the zone is gone",
      });
      await untilStatus(zonecast, "nothing held", (report) => report.held.length === 0);
    },
  );

  await t.step(
    "TRUNCATE, and zones emptied: every zone is served on; put back, nothing is held",
    async () => {
      const rest = [UPDATED, NS_SET, QUIET];
      const serials = await Promise.all(rest.map((zone) => zonecast.serial(zone)));
      await sql`create table kept as select zone, name, type, content from zonecast.records`;
      await sql`truncate zonecast.records`;
      for (const zone of rest) {
        const held = await untilHeld(zonecast, zone);
        assertEquals(held.reasons[0], "empty", zone);
      }
      assertEquals(await Promise.all(rest.map((zone) => zonecast.serial(zone))), serials);
      await assertOwners(zonecast, QUIET, HOSTS + 1);
      await sql`insert into zonecast.records (zone, name, type, content)
      select zone, name, type, content from kept`;
      await untilStatus(zonecast, "nothing held", (report) => report.held.length === 0);
      assertEquals(await Promise.all(rest.map((zone) => zonecast.serial(zone))), serials);
    },
  );
});
