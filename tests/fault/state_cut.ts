/** The power goes at any moment: what was announced is there after it, and nothing is half there. */
import { assert } from "@std/assert";
import { isBehind } from "../support/ixfr_client.ts";
import { until } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import { interposed } from "./interposed.ts";
import { type Night, ZONE } from "./night.ts";

/** Starts zonecast after its end: it serves what its secondary has, or one version more. */
async function comesBack(night: Night): Promise<void> {
  const { zonecast, secondary } = night;
  const announced = secondary.serial!;
  await zonecast.start();
  const serial = await zonecast.serial(ZONE);
  assert(
    serial !== undefined && !isBehind(serial, announced),
    `${serial} after ${announced} was announced`,
  );
}

/** Kills it in the middle of each write in turn, from the commit of a change to its end. */
async function cutAtEachWrite(
  night: Night,
  dieAfter: (after: number) => void,
  allow: () => void,
): Promise<void> {
  const { zonecast } = night;
  await night.breaks(() => {});
  let cuts = 0;
  for (let after = 0;; after++) {
    dieAfter(after);
    const change = await night.change();
    const end = await until(
      () => zonecast.pid === undefined ? "cut" : night.secondary.cameAt(change.record) && "live",
      { what: `a change, cut at write ${after + 1}` },
    );
    allow();
    if (end === "live") break; // it has fewer writes
    cuts++;
    await zonecast.stop("SIGKILL");
    await comesBack(night);
    await night.live(change);
    if (!night.full && cuts >= 3) break;
  }
  assert(cuts >= 3, `${cuts} cuts`);
  await night.mends(() => {});
  await night.changeIsLive();
  night.shows(`${cuts} ends, in the middle of each write in its turn; each start finds it whole`);
}

export const STATE_CUT: readonly Fault[] = [
  interposed({
    name: "state-killed",
    what: "kill -9 in the middle of each write of a publication",
    also: "test",
    isAway: true,
    run: (night, interpose) =>
      cutAtEachWrite(night, (after) => interpose.dieAfter(after), () => interpose.allow()),
  }),
  interposed({
    name: "state-power-cut",
    what: "the power goes in each write of a publication; what was not synced is lost",
    isAway: true,
    also: "ci",
    run: (night, interpose) =>
      cutAtEachWrite(night, (after) => interpose.dieAfter(after, true), () => interpose.allow()),
  }),
  {
    name: "state-copied",
    what: "zonecast started from a copy of state file and log, taken at any moment",
    isAway: true,
    async run(night) {
      const { zonecast } = night;
      await night.breaks(() => {});
      const rounds = night.full ? 25 : 2;
      for (let round = 0; round < rounds; round++) {
        const changes = [];
        for (let n = Math.floor(Math.random() * 4); n >= 0; n--) changes.push(await night.change());
        zonecast.signal("SIGSTOP"); // somewhere in what they lead to
        for (const suffix of ["", "-wal"]) {
          await Deno.copyFile(zonecast.stateFile + suffix, `${zonecast.stateFile}.copy${suffix}`);
        }
        await zonecast.stop("SIGKILL");
        await Deno.remove(`${zonecast.stateFile}-shm`);
        for (const suffix of ["", "-wal"]) {
          await Deno.rename(`${zonecast.stateFile}.copy${suffix}`, zonecast.stateFile + suffix);
        }
        await comesBack(night);
        for (const change of changes) await night.live(change);
      }
      await night.mends(() => {});
      await night.changeIsLive();
      night.shows(`${rounds} copies, each whole`);
    },
  },
];
