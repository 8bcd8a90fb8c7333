/** NOTIFY is sent until it is acknowledged, to the secondary that has not, and not beyond. */
import { assert, assertEquals } from "@std/assert";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { type NotifyReaction, startFakeSecondary } from "../support/secondary_fake.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { until } from "../support/wait.ts";

const NAME = "notify.example";
const ZONE = `${NAME}.`;

systemTest("NOTIFY is repeated until it is acknowledged", async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using deaf = startFakeSecondary({ reaction: "ignore" });
  await using good = startFakeSecondary();
  good.follows = true; // one that lags behind what it acknowledged is told again after 5 s
  const acknowledge = () => {
    deaf.reaction = "acknowledge";
    deaf.follows = true;
  };
  const react = (reaction: NotifyReaction) => {
    deaf.reaction = reaction;
    deaf.follows = false;
  };
  await using zonecast = await serveZones({
    source: url,
    zones: [ZONE],
    secondaries: [deaf, good],
  });
  const serial = await newSerial(zonecast, ZONE, undefined);
  const notifyOf = (zonecast: Awaited<ReturnType<typeof untilStatus>>, index: number) =>
    zonecast.secondaries[index].zones.find(({ zone }) => zone === ZONE)?.notify;

  await t.step("twice ignored, at the third acknowledged", async () => {
    await deaf.received(2);
    acknowledge();
    await deaf.received(3);
    const report = await untilStatus(
      zonecast,
      "the acknowledgement",
      (report) => notifyOf(report, 0)?.acknowledgedAt !== undefined,
    );
    assert((notifyOf(report, 0)?.attempts ?? 0) >= 3);
    assertEquals([...new Set(deaf.notifies.map((notify) => notify.serial))], [serial]);
  });

  await t.step("a wrong answer is none", async () => {
    react("wrong-id");
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${NAME}, 'one', 'A', '192.0.2.1')`;
    const next = await newSerial(zonecast, ZONE, serial);
    const ofNext = () => deaf.notifies.filter((notify) => notify.serial === next).length;
    await until(() => ofNext() >= 2, { what: "NOTIFY again after a wrong answer" });
    acknowledge();
    await until(() => ofNext() >= 3, { what: "a third NOTIFY" });
    assertEquals(deaf.notifies.at(-1)?.serial, next);
  });

  await t.step("a newer serial takes the place of one not acknowledged", async () => {
    react("ignore");
    const before = deaf.notifies.length;
    let last = await newSerial(zonecast, ZONE, undefined);
    for (const address of ["192.0.2.2", "192.0.2.3"]) {
      await sql`update zonecast.records set content = ${address} where name = 'one'`;
      last = await newSerial(zonecast, ZONE, last);
    }
    const told = () => deaf.notifies.slice(before).map((notify) => notify.serial);
    await until(() => told().includes(last), { what: "NOTIFY of the last" });
    acknowledge();
    const count = told().length;
    await until(() => told().length > count, { what: "another, not acknowledged before" });
    // Never again one of those before it, however often they came.
    assertEquals([...new Set(told().slice(told().indexOf(last)))], [last]);
    await untilStatus(zonecast, "the acknowledgement of the last", (report) => {
      const notify = notifyOf(report, 0);
      return notify?.serial === last && notify.acknowledgedAt !== undefined;
    });
  });

  await t.step("the good secondary was told once of each serial, without delay", () => {
    const serials = good.notifies.map((notify) => notify.serial);
    const different = new Set(serials);
    assertEquals(different.size, 4);
    // One that it acknowledged late, kept from running by others, may have come again.
    assert(serials.length <= different.size + 1, serials.join());
  });
});
