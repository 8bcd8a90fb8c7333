/** Postgres cannot be reached, or does not answer: zonecast serves on, and catches up. */
import { assertEquals } from "@std/assert";
import { untilStatus } from "../support/status.ts";
import type { Fault } from "./fault.ts";
import { type Night, ZONE } from "./night.ts";

/** Longest until an absence is told of, in ms. */
const NOTICED_MS = 10_000;

/** Waits until it is told that Postgres cannot be reached, in time. */
async function noticed(night: Night): Promise<void> {
  await night.says("source down", undefined, NOTICED_MS);
  await untilStatus(night.zonecast, "source down", ({ server }) => server?.source.up === false);
}

/** Postgres goes, is told of, and comes back; what is committed then is published. */
function away(go: (night: Night) => unknown, back: (night: Night) => unknown) {
  return async (night: Night) => {
    await night.breaks(() => go(night));
    await noticed(night);
    await night.lasts({ full: 10, short: 0 });
    await night.mends(() => back(night));
    await night.changeIsLive();
  };
}

/** The way to Postgres is broken, and mended; what others commit meanwhile is published then. */
function cutOff(cut: (night: Night) => unknown, mend: (night: Night) => unknown) {
  return async (night: Night) => {
    await night.breaks(() => cut(night));
    const meanwhile = await night.change();
    await noticed(night);
    await night.lasts({ full: 10, short: 0 });
    await night.mends(() => mend(night));
    await night.live(meanwhile);
    await night.changeIsLive();
  };
}

export const POSTGRES_AWAY: readonly Fault[] = [
  {
    name: "postgres-stopped",
    what: "Postgres stopped, started again",
    run: away(({ postgres }) => postgres.stop(), ({ postgres }) => postgres.start()),
  },
  {
    name: "postgres-killed",
    what: "Postgres killed (kill -9 of all its processes)",
    also: "test",
    run: away(({ postgres }) => postgres.kill9(), ({ postgres }) => postgres.start()),
  },
  {
    name: "postgres-frozen",
    what: "Postgres frozen (SIGSTOP)",
    also: "test",
    run: away(({ postgres }) => postgres.freeze(), ({ postgres }) => postgres.thaw()),
  },
  {
    name: "postgres-away-at-start",
    what: "zonecast killed, and started again while Postgres is away",
    also: "test",
    isAway: true,
    run: restarted,
  },
  {
    name: "postgres-restarting",
    what: "Postgres restarted every second for a minute",
    also: "ci",
    async run(night) {
      const changes = [];
      await night.breaks(() => {});
      const end = performance.now() + (night.full ? 60_000 : 4_000);
      while (performance.now() < end) {
        await night.postgres.stop();
        await night.postgres.start();
        changes.push(await night.change());
        await night.lasts({ full: 0.8, short: 0.8 });
      }
      await night.says("source down");
      await night.mends(() => {});
      for (const change of changes) await night.live(change);
      await night.changeIsLive();
    },
  },
];

/** zonecast ends and starts again while Postgres is away. */
async function restarted(night: Night): Promise<void> {
  const { zonecast, postgres } = night;
  await night.breaks(() => postgres.stop());
  const serial = await zonecast.serial(ZONE);
  await zonecast.stop("SIGKILL");
  await zonecast.start();
  // The first answer at all is already the zone's.
  assertEquals(await zonecast.serial(ZONE), serial);
  await noticed(night);
  await night.mends(() => postgres.start());
  await night.changeIsLive();
}

export const POSTGRES_LINK: readonly Fault[] = [
  {
    name: "postgres-refused",
    what: "connections to Postgres refused",
    also: "test",
    night: { proxied: true },
    run: cutOff(({ proxy }) => proxy.cut(), ({ proxy }) => proxy.mend()),
  },
  {
    name: "postgres-blackholed",
    what: "the way to Postgres is a black hole, from the middle of an answer on",
    also: "test",
    night: { proxied: true },
    run: cutOff(async ({ proxy, sql }) => {
      proxy.silentAfter(2_000);
      await sql`notify dns_zone_changed, 'read it all'`;
    }, ({ proxy }) => proxy.mode = "pass"),
  },
  {
    name: "postgres-slow",
    what: "each message to and from Postgres 200 ms late",
    also: "test",
    night: { proxied: true },
    async run(night) {
      await night.breaks(() => night.proxy.mode = "slow");
      for (let i = night.full ? 5 : 1; i > 0; i--) await night.changeIsLive();
      await night.mends(() => night.proxy.mode = "pass");
      await night.changeIsLive();
    },
  },
  {
    name: "postgres-locked",
    what: "a table locked by another session for a minute",
    also: "ci",
    async run(night) {
      await night.sql.begin(async (other) => {
        await night.breaks(() => other`lock table zonecast.records in access exclusive mode`);
        await night.says("publish failed", /locked/);
        await night.lasts({ full: 60, short: 0 });
      });
      await night.mends(() => {});
      await night.changeIsLive();
    },
  },
];
