/** Postgres stopped, killed, frozen, cut off or slow: serving goes on, and nothing is missed. */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { axfr, query, type Server } from "../support/dns_client.ts";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { type Prober, startProber } from "../support/prober.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import { until } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";

const NAME = "away.example";
const ZONE = `${NAME}.`;
/** Within this Postgres' absence must be noticed. */
const NOTICED_MS = 10_000;
/** Longest time without an answer that counts as no stall; Postgres is away for longer. */
const STALL_MS = 2_500;

/** Commits the marker record, as soon as Postgres takes it. */
async function setMarker(sql: postgres.Sql, marker: string): Promise<void> {
  const commit = () =>
    sql.unsafe(`delete from zonecast.records where name = 'marker';
      insert into zonecast.records (zone, name, type, content)
        values ('${NAME}', 'marker', 'TXT', '${marker}')`); // one message, one transaction
  await until(async () => {
    await commit();
    return true;
  }, { what: `Postgres takes the marker ${marker}` });
}

/** Waits until the marker is served. */
async function markerServed(server: Server, marker: string): Promise<void> {
  await until(async () => {
    const { answers } = await query(server, `marker.${ZONE}`, "TXT");
    return answers?.some((answer) => answer.type === "TXT" && String(answer.data) === marker);
  }, { what: `the marker ${marker} is served` });
}

/** Takes Postgres away, and waits until status says so, and that it was noticed in time. */
async function gone(zonecast: Zonecast, go: () => unknown): Promise<void> {
  const began = Date.now();
  await go();
  const { server } = await untilStatus(
    zonecast,
    "source down",
    ({ server }) => server?.source.up === false,
  );
  const afterMs = Date.parse(server?.source.since ?? "") - began;
  assert(afterMs < NOTICED_MS, `noticed after ${afterMs} ms`);
}

function assertNoStall({ probe }: Prober): void {
  assertEquals(probe.bad, []);
  assert(probe.longestGapMs < STALL_MS, `no answer for ${probe.longestGapMs} ms`);
  for (const [i, serial] of probe.serials.entries()) {
    assert(i === 0 || serial > probe.serials[i - 1], `serials seen: ${probe.serials}`);
  }
}

systemTest("Postgres goes away and comes back", async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using zonecast = await serveZones({ source: url, zones: [ZONE] });
  await using prober = startProber(zonecast, ZONE);

  const absences = [
    { name: "stopped", go: () => postgres.stop(), back: () => postgres.start() },
    { name: "killed", go: () => postgres.kill9(), back: () => postgres.start() },
    { name: "frozen", go: () => postgres.freeze(), back: () => postgres.thaw() },
  ];
  for (const { name, go, back } of absences) {
    await t.step(`${name}: noticed, served on, and caught up with`, async () => {
      await gone(zonecast, go);
      assertEquals((await axfr(zonecast, ZONE)).rcode, "NOERROR");
      await back();
      await setMarker(sql, name);
      await markerServed(zonecast, name);
      await untilStatus(zonecast, "source up", ({ server }) => server?.source.up === true);
      assertNoStall(prober);
    });
  }
});

systemTest("the connection to Postgres fails while others go on committing", async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using proxy = startTcpProxy({ addr: "127.0.0.1", port: postgres.port });
  const source = url.replace(`:${postgres.port}/`, `:${proxy.port}/`);
  await using zonecast = await serveZones({ source, zones: [ZONE] });
  await using prober = startProber(zonecast, ZONE);

  await t.step("refused: what was committed meanwhile is published on return", async () => {
    await gone(zonecast, () => proxy.cut());
    await setMarker(sql, "refused");
    proxy.mend();
    await markerServed(zonecast, "refused");
  });
  await t.step("silent: noticed within 10 s, published on return", async () => {
    await gone(zonecast, async () => {
      proxy.mode = "silent";
      await setMarker(sql, "silent");
    });
    proxy.mode = "pass";
    await markerServed(zonecast, "silent");
  });
  await t.step("slow: published, late", async () => {
    proxy.mode = "slow";
    await setMarker(sql, "slow");
    await markerServed(zonecast, "slow");
    proxy.mode = "pass";
  });
  await t.step("the table is locked by another: status tells, then it is published", async () => {
    await sql.begin(async (tx) => {
      await tx`lock table zonecast.records in access exclusive mode`;
      await untilStatus(
        zonecast,
        "the lock",
        ({ server }) => /locked/.test(server?.source.failure ?? server?.source.reason ?? ""),
      );
      await tx`update zonecast.records set content = 'unlocked' where name = 'marker'`;
    });
    await markerServed(zonecast, "unlocked");
  });
  assertNoStall(prober);
});

systemTest("started while Postgres is down, it serves the last known zone at once", async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using zonecast = await serveZones({ source: url, zones: [ZONE] });
  await setMarker(sql, "before");
  await markerServed(zonecast, "before");
  const serial = await newSerial(zonecast, ZONE, undefined);
  await zonecast.stop();
  await postgres.stop();

  await zonecast.start();
  // The first answer at all is already the zone's.
  assertEquals(await zonecast.serial(ZONE), serial);
  await markerServed(zonecast, "before");
  await untilStatus(zonecast, "source down", ({ server }) => server?.source.up === false);

  await postgres.start();
  await setMarker(sql, "after");
  await markerServed(zonecast, "after");
});

systemTest(
  "started for the first time while Postgres is down, it waits and then serves",
  async () => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    await setMarker(sql, "first");
    await postgres.stop();
    await using zonecast = await serveZones({ source: url, zones: [] });
    assertEquals((await query(zonecast, ZONE, "SOA")).rcode, "REFUSED");
    await postgres.start();
    await markerServed(zonecast, "first");
  },
);
