/** The state file cannot be written: what was kept last is served, and nothing that is not kept. */
import { assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../support/ports.ts";
import { fillDisk, type SmallDisk, smallDisk } from "../support/small_disk.ts";
import { statusOf, untilStatus } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import { sleep, until } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import { interposed } from "./interposed.ts";
import { type Change, type Night, ZONE } from "./night.ts";

/** A fault whose state file is on a disk of 2 MiB, and which asks `/readyz`. */
function onSmallDisk(
  { run, ...fault }: Omit<Fault, "run"> & {
    run(night: Night, place: { disk: SmallDisk; dir: string; readyz: string }): Promise<void>;
  },
): Fault {
  let place: { disk: SmallDisk; dir: string; readyz: string } | undefined;
  return {
    ...fault,
    needsRoot: true,
    night: {
      async serve({ running }) {
        const { path: dir } = running.use(await tempDir());
        const disk = await smallDisk(dir, "2m");
        if (!disk) throw new Error("Cannot mount a small disk");
        running.use(disk);
        const http = `127.0.0.1:${freePort()}`;
        place = { disk, dir, readyz: `http://${http}/readyz` };
        return { state: `${dir}/state.db`, args: ["--http", http] };
      },
    },
    run: (night) => run(night, place!),
  };
}

/** Waits until it is told, everywhere, that nothing can be kept, and that what was kept is served. */
async function stopped(night: Night, reason: RegExp, readyz?: string): Promise<void> {
  await untilStatus(
    night.zonecast,
    `nothing is kept: ${reason}`,
    ({ server }) => reason.test(server?.unkept?.reason ?? "") && Boolean(server?.unkept?.hint),
  );
  if (readyz === undefined) return;
  const answer = await fetch(readyz);
  const text = await answer.text();
  assertEquals(answer.status, 503, text);
  assertMatch(text, reason);
  night.shows("`/readyz`: 503, with the same reason and hint");
}

/** Waits until publishing goes on by itself; `changes` are live then. */
async function resumed(night: Night, changes: readonly Change[], readyz?: string): Promise<void> {
  for (const change of changes) await night.live(change);
  await night.changeIsLive();
  await untilStatus(night.zonecast, "all is kept", ({ server }) => server?.unkept === undefined);
  if (readyz === undefined) return;
  const answer = await fetch(readyz);
  assertEquals(answer.status, 200, await answer.text());
}

/** A change while nothing can be written: it is told of, and the version before is served. */
async function unkept(night: Night, reason: RegExp, readyz?: string): Promise<Change> {
  const serial = await night.zonecast.serial(ZONE);
  const change = await night.change();
  await night.says("publish failed", reason);
  await stopped(night, reason, readyz);
  assertEquals(await night.zonecast.serial(ZONE), serial);
  return change;
}

export const STATE_FULL: readonly Fault[] = [
  onSmallDisk({
    name: "state-disk-full",
    what: "the state file's disk is full",
    async run(night, { dir, readyz }) {
      let isFull = true;
      // What SQLite gives back of its log when it finds no room is filled, too.
      const fill = async () => {
        for (; isFull; await sleep(50)) await fillDisk(`${dir}/filler`);
      };
      await night.breaks(() => fillDisk(`${dir}/filler`));
      const filling = fill();
      const changes = [await night.change()];
      try {
        await night.says("publish failed", /the disk is full/);
        await stopped(night, /the disk is full/, readyz);
        changes.push(await night.change());
        const serial = await night.zonecast.serial(ZONE);
        await night.lasts({ full: 12, short: 6 }); // longer than until the next try
        await stopped(night, /the disk is full/);
        assertEquals(await night.zonecast.serial(ZONE), serial, "nothing is published");
      } finally {
        isFull = false;
        await filling;
      }
      await night.mends(() => Deno.remove(`${dir}/filler`));
      await resumed(night, changes, readyz);
    },
  }),
  onSmallDisk({
    name: "state-disk-full-restart",
    what: "zonecast killed, and started again on a full disk",
    isAway: true,
    async run(night, { dir, readyz }) {
      const { zonecast } = night;
      const serial = await zonecast.serial(ZONE);
      await zonecast.stop("SIGKILL");
      await Deno.remove(`${dir}/state.db-shm`);
      await night.breaks(() => fillDisk(`${dir}/filler`));
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), serial);
      await stopped(night, /the disk is full/, readyz);
      await night.says(
        "the state file cannot be written: what it holds is served, nothing is published",
      );
      const change = await night.change();
      await night.says("publish failed", /the disk is full/);
      await night.mends(() => Deno.remove(`${dir}/filler`));
      await resumed(night, [change], readyz);
    },
  }),
  onSmallDisk({
    name: "state-read-only",
    what: "zonecast started on a disk that is read-only",
    isAway: true,
    async run(night, { disk, readyz }) {
      const { zonecast } = night;
      const serial = await zonecast.serial(ZONE);
      await zonecast.stop();
      await night.breaks(() => disk.remount("ro"));
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), serial);
      await night.says(
        "the state file cannot be written: what it holds is served, nothing is published",
      );
      await stopped(night, /written|read-only/i, readyz);
      const change = await night.change();
      await night.lasts({ full: 10, short: 1 });
      await night.mends(() => disk.remount("rw"));
      await resumed(night, [change], readyz);
    },
  }),
  interposed({
    name: "state-read-only-meanwhile",
    what: "the state file's disk becomes read-only",
    also: "test",
    async run(night, interpose, readyz) {
      await night.breaks(() => interpose.refuse("read-only"));
      const change = await unkept(night, /state file/, readyz);
      await night.mends(() => interpose.allow());
      await resumed(night, [change], readyz);
    },
  }),
  interposed({
    name: "state-each-write",
    what: "the disk is full at each single write of a publication",
    async run(night, interpose) {
      await night.breaks(() => {});
      let refused = 0;
      for (let after = 0;; after++) {
        interpose.refuse("disk full", after);
        const serial = await night.zonecast.serial(ZONE);
        const change = await night.change();
        const isRefused = await until(async () => {
          if (await night.zonecast.serial(ZONE) !== serial) return "published";
          const { server } = await statusOf(night.zonecast);
          return server?.unkept && "refused";
        }, { what: `a change with ${after} writes` }) === "refused";
        // What follows a publication may be refused, too, and does no harm.
        const isLast = interpose.writes <= after;
        if (isRefused) {
          refused++;
          assertEquals(await night.zonecast.serial(ZONE), serial);
        }
        interpose.allow();
        await night.live(change);
        if (isLast || (!night.full && refused >= 2)) break;
      }
      await night.says("publish failed", /the disk is full/);
      night.shows(`${refused} writes, each refused in its turn`);
      await night.mends(() => {});
      await resumed(night, []);
    },
  }),
];
