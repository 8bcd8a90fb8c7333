/** What changes no record raises no serial, writes no NOTIFY, costs the secondaries nothing. */
import { assertEquals } from "@std/assert";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { untilServed } from "../support/served.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { until } from "../support/wait.ts";

const NAME = "still.example";
const ZONE = `${NAME}.`;
/** A zone that does change, to show that zonecast has read. */
const OTHER = "moving.example";

const NO_CHANGES: readonly [what: string, statement: string][] = [
  ["an UPDATE to the same values", "update zonecast.records set content = content, ttl = ttl"],
  ["a bare notification", "select pg_notify('dns_zone_changed', '')"],
  ["a notification with any payload", "select pg_notify('dns_zone_changed', 'anything')"],
  [
    "all rows deleted and written again",
    `create temp table kept as select zone, name, type, ttl, content from zonecast.records;
     delete from zonecast.records;
     insert into zonecast.records (zone, name, type, ttl, content)
       select * from kept order by content desc`,
  ],
  [
    "TRUNCATE and the same rows",
    `create temp table kept as select zone, name, type, ttl, content from zonecast.records;
     truncate zonecast.records;
     insert into zonecast.records (zone, name, type, ttl, content) select * from kept`,
  ],
  [
    "a record there already, and one written in another way",
    `insert into zonecast.records (zone, name, type, content) values
       ('still.example', 'www', 'A', '192.0.2.1'),
       ('still.example', 'www.still.example.', 'AAAA', '2001:DB8:0::1')`,
  ],
  [
    "a disabled record",
    `insert into zonecast.records (zone, name, type, content, disabled)
       values ('still.example', 'off', 'A', '192.0.2.9', true)`,
  ],
  ["the zone's settings written again", "update zonecast.zones set refresh = refresh"],
  [
    "a record that comes and goes in one transaction",
    `insert into zonecast.records (zone, name, type, content)
       values ('still.example', 'brief', 'A', '192.0.2.9');
     delete from zonecast.records where name = 'brief'`,
  ],
];

systemTest("what changes no record raises no serial", async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE, `${OTHER}.`]);
  await sql`insert into zonecast.records (zone, name, type, content) values
    (${NAME}, 'www', 'A', '192.0.2.1'), (${NAME}, 'www', 'AAAA', '2001:db8::1'),
    (${OTHER}, 'marker', 'TXT', 'start')`;
  await using secondary = startFakeSecondary();
  secondary.follows = true; // one that lags behind what it acknowledged is told again after 5 s
  await using zonecast = await serveZones({ source: url, zones: [ZONE], secondaries: [secondary] });
  const announced = () =>
    secondary.notifies.filter(({ zone }) => zone === NAME).map((notify) => notify.serial);
  const notified = (count: number) =>
    until(() => announced().length >= count, { what: `${count} NOTIFY of ${NAME}` });
  const serial = await newSerial(zonecast, ZONE, undefined);
  await notified(1);

  for (const [what, statement] of NO_CHANGES) {
    await t.step(what, async () => {
      await sql.begin(async (tx) => {
        await tx.unsafe(statement);
        await tx.unsafe("drop table if exists pg_temp.kept");
      });
      // The read that brings the other zone's change has seen what was committed before it.
      await sql`update zonecast.records set content = ${`"${what}"`} where zone = ${OTHER}`;
      await untilServed(zonecast, `marker.${OTHER}`, "TXT", [what]);
      assertEquals(await zonecast.serial(ZONE), serial);
    });
  }
  await t.step("then a real change does, and is announced", async () => {
    await sql`update zonecast.records set content = '192.0.2.2' where content = '192.0.2.1'`;
    const next = await newSerial(zonecast, ZONE, serial);
    await notified(2);
    // A NOTIFY acknowledged late, on a busy machine, comes twice.
    assertEquals([...new Set(announced())], [serial, next]);
  });
});
