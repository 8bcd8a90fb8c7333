/** The state file is lost, damaged or another's: no serial falls, and nothing is lost but the journal. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeCurrent, makeNewer, makeOlder } from "../support/older_state.ts";
import { until } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import { type Night, ZONE } from "./night.ts";

/** How far the zone's serial is above the time, so that only what secondaries show explains it. */
const AHEAD = 100_000;

/** Has the zone's serial lie where no clock leads to; its secondary has it. */
async function goAhead(night: Night): Promise<number> {
  const serial = (await night.zonecast.serial(ZONE))! + AHEAD;
  await night.zonecast.mustCli(["serial", ZONE, "--above", String(serial)]);
  await until(() => night.secondary.serial === serial + 1, { what: "the secondary is ahead" });
  await until(
    async () => JSON.stringify(await night.zonecast.mustCli(["status", "--json"])).includes("live"),
    { what: "it is live" },
  );
  return serial + 1;
}

/** Writes over a stretch of a file. */
async function overwrite(path: string, octets: Uint8Array, at = 0): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.seek(at, Deno.SeekMode.Start);
  for (let sent = 0; sent < octets.length;) sent += await file.write(octets.subarray(sent));
}

function garbage(octets: number): Uint8Array {
  const bytes = new Uint8Array(octets);
  for (let at = 0; at < octets; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(octets, at + 65_536)));
  }
  return bytes;
}

/** zonecast is ended, its state file damaged, and started: the zone comes back above its secondary. */
function damagedAtStart(damage: (path: string) => Promise<void>) {
  return async (night: Night) => {
    const { zonecast } = night;
    const serial = await goAhead(night);
    await zonecast.stop();
    await night.breaks(() => damage(zonecast.stateFile));
    await zonecast.start();
    await night.says("the state file is damaged; a new one is begun");
    await until(async () => {
      const now = await zonecast.serial(ZONE);
      if (now !== undefined) assert(now > serial, `${now} after ${serial}`);
      return now !== undefined;
    }, { what: "the zone is back" });
    await night.mends(() => {});
    await night.changeIsLive();
    assertEquals(asides(zonecast.stateFile).length, 1, "the damaged one is kept");
  };
}

function asides(stateFile: string): string[] {
  const dir = stateFile.slice(0, stateFile.lastIndexOf("/"));
  return [...Deno.readDirSync(dir)].map(({ name }) => name)
    .filter((name) => /\.damaged-[^.]*$/.test(name) && !/-(wal|shm)$/.test(name));
}

export const STATE_LOST: readonly Fault[] = [
  {
    name: "state-removed",
    what: "the state file is removed while zonecast runs",
    also: "test",
    async run(night) {
      const { zonecast } = night;
      await night.changeIsLive();
      await night.breaks(async () => {
        for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(zonecast.stateFile + suffix);
      });
      await night.changeIsLive();
      await night.says("the state file was removed while open; it is written again from memory");
      await night.mends(() => {});
      await zonecast.stop("SIGKILL");
      const serial = night.secondary.serial;
      await night.breaks(() => zonecast.start());
      assertEquals(await zonecast.serial(ZONE), serial, "what was written again is all there");
      await night.mends(() => {});
      await night.changeIsLive();
    },
    isAway: true,
  },
  {
    name: "state-garbage-meanwhile",
    what: "garbage is written over the state file while zonecast runs",
    async run(night) {
      const { zonecast } = night;
      await zonecast.stop(); // so that all is in the file, and nothing in its log
      await zonecast.start();
      await night.breaks(async () => {
        const { size } = await Deno.stat(zonecast.stateFile);
        await overwrite(zonecast.stateFile, garbage(size));
      });
      await night.changeIsLive();
      await night.says("the state file is damaged; a new one is written from memory");
      for (let n = 0; n < 5; n++) await night.changeIsLive();
      await night.mends(() => {});
      const serial = night.secondary.serial!;
      await zonecast.stop("SIGKILL");
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), serial, "what was written again is all there");
      await night.changeIsLive();
    },
    isAway: true,
  },
  {
    name: "state-garbage",
    what: "zonecast started with garbage for a state file",
    isAway: true,
    also: "ci",
    losesZone: true,
    run: damagedAtStart((path) => Deno.writeFile(path, garbage(100_000))),
  },
  {
    name: "state-truncated",
    what: "zonecast started with half of a state file",
    isAway: true,
    losesZone: true,
    run: damagedAtStart(async (path) => {
      const { size } = await Deno.stat(path);
      await Deno.truncate(path, Math.floor(size / 2));
    }),
  },
  {
    name: "state-older",
    what: "zonecast started with an older version's state file",
    isAway: true,
    async run(night) {
      const { zonecast } = night;
      await night.changeIsLive();
      const serial = await zonecast.serial(ZONE);
      await zonecast.stop();
      await night.breaks(() => makeOlder(zonecast.stateFile, 2));
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), serial);
      assertStringIncludes(await zonecast.mustCli(["log", ZONE]), String(serial));
      await night.mends(() => {});
      await night.changeIsLive();
      night.shows("nothing: it is brought up to date");
    },
  },
  {
    name: "state-newer",
    what: "zonecast started with a newer version's state file",
    isAway: true,
    async run(night) {
      const { zonecast } = night;
      const serial = await zonecast.serial(ZONE);
      await zonecast.stop();
      await night.breaks(() => makeNewer(zonecast.stateFile));
      const before = await Deno.readFile(zonecast.stateFile);
      const { code, stderr } = await zonecast.cli([
        ...["serve", "--listen", `127.0.0.1:${zonecast.port}`],
        ...["--state", zonecast.stateFile],
      ]);
      assertEquals(code, 2, stderr);
      assertEquals(await Deno.readFile(zonecast.stateFile), before, "it is left as it is");
      const [, what] = /zonecast: (.*a newer zonecast wrote it)/.exec(stderr) ?? [];
      const [, hint] = /hint: (.*)/.exec(stderr) ?? [];
      assert(what && hint, stderr);
      night.shows(`exit code 2: ${what.replace(/"\/.*\//, '"')}; ${hint}`);
      await night.mends(() => makeCurrent(zonecast.stateFile));
      await zonecast.start();
      assertEquals(await zonecast.serial(ZONE), serial);
      await night.changeIsLive();
    },
  },
];
