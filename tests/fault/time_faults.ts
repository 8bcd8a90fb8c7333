/** The clock is wrong, or the serial's own: changes go on, as fast as ever, and no serial falls. */
import { assert, assertEquals } from "@std/assert";
import { isBehind } from "../support/ixfr_client.ts";
import type { Fault } from "./fault.ts";
import { interposed, type InterposedFault } from "./interposed.ts";
import { type Night, ZONE } from "./night.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;

/** Of the real clock, in seconds. */
function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** The clock jumps while zonecast runs, stays wrong over a restart, and is put right. */
function clockJumps(
  seconds: number,
  fault: Omit<InterposedFault, "run" | "isAway">,
): Fault {
  return interposed({
    ...fault,
    isAway: true,
    async run(night, interpose) {
      const { zonecast } = night;
      await night.changeIsLive();
      const [{ count: feed }] = await night.sql<{ count: number }[]>`
        select count(*)::integer from zonecast.changes`;
      const reads = interpose.clockReads;
      await night.breaks(() => interpose.shiftClock(seconds));
      for (let n = night.full ? 5 : 2; n > 0; n--) await night.changeIsLive();
      assert(interpose.clockReads > reads, "it sees the clock");
      await zonecast.stop("SIGKILL");
      const serial = night.secondary.serial!;
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), serial);
      await night.changeIsLive();
      await night.mends(() => interpose.shiftClock(0));
      await night.changeIsLive();
      const [{ count }] = await night.sql<{ count: number }[]>`
        select count(*)::integer from zonecast.changes`;
      assert(
        count >= feed,
        `${feed} rows of the feed, then ${count}: it is pruned by Postgres' clock`,
      );
      const ahead = night.secondary.serial! - now();
      night.shows(
        ahead > DAY && !fault.args?.includes("date")
          ? `serials go on from the highest, ${Math.round(ahead / DAY)} days ahead of the time`
          : "nothing",
      );
    },
  });
}

/** Changes one by one, each live before the next. */
async function changesAreLive(night: Night, count: number): Promise<void> {
  for (; count > 0; count--) await night.changeIsLive();
}

export const TIME_FAULTS: readonly Fault[] = [
  clockJumps(-DAY, {
    name: "clock-back",
    what: "the clock goes back a day, over a restart, and is put right",
    also: "ci",
  }),
  clockJumps(YEAR, {
    name: "clock-forward",
    what: "the clock goes forward a year, over a restart, and is put right",
    also: "ci",
  }),
  clockJumps(-DAY, {
    name: "clock-back-date",
    what: "the same a day back, under `--serial date`",
    args: ["--serial", "date"],
  }),
  clockJumps(YEAR, {
    name: "clock-forward-date",
    what: "the same a year forward, under `--serial date`",
    args: ["--serial", "date"],
  }),
  {
    name: "serial-wrap",
    what: "serials near 2^32, and beyond it",
    night: {
      args: ["--serial", "increment"],
      // Half of the circle: from there one step leads near its end.
      async serve({ sql }) {
        await sql`update zonecast.zones set serial_floor = ${2 ** 31 - 2}`;
        return {};
      },
    },
    async run(night) {
      const { zonecast } = night;
      await night.sql`update zonecast.zones set serial_floor = null`;
      await zonecast.mustCli(["serial", ZONE, "--above", String(2 ** 32 - 5)]);
      assertEquals(await zonecast.serial(ZONE), 2 ** 32 - 4);
      await night.breaks(() => {});
      await changesAreLive(night, 8);
      assertEquals(await zonecast.serial(ZONE), 5, "0 is left out");
      await zonecast.stop("SIGKILL");
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), 5);
      await night.mends(() => {});
      await night.changeIsLive();
      night.shows("nothing");
    },
    isAway: true,
  },
  {
    name: "serial-fast",
    what: "more than one publication a second, over a restart: serials run ahead of the time",
    isAway: true,
    night: { args: ["--min-publish-interval", "10ms"] },
    async run(night) {
      const { zonecast } = night;
      const first = (await zonecast.serial(ZONE))!;
      await night.breaks(() => {});
      await changesAreLive(night, night.full ? 200 : 20);
      const serial = night.secondary.serial!;
      const ahead = serial - now();
      await zonecast.stop("SIGKILL");
      await zonecast.start();
      await changesAreLive(night, 10);
      assert(isBehind(serial, night.secondary.serial!));
      await night.mends(() => {});
      await night.changeIsLive();
      night.shows(`${serial - first} serials; ${ahead} s ahead of the time in the end`);
    },
  },
];
