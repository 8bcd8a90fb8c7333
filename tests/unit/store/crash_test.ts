import { assert, assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { openStateFile, type StateError } from "../../../lib/store/mod.ts";
import { type Running, spawn } from "../../support/processes.ts";
import { tempDir } from "../../support/tempdir.ts";
import { sleep, until } from "../../support/wait.ts";
import { APEX, FIRST_SERIAL, pageAt, PAGES } from "./publisher.ts";

const KILLS = 50;

function startPublisher(path: string): Running {
  const script = new URL("./publisher.ts", import.meta.url).pathname;
  return spawn(Deno.execPath(), ["run", "--no-check", "-A", script, path, "publish"]);
}

/** The last serial whose durability was said; undefined when none was. */
function lastSaid(log: string): number | undefined {
  const serials = [...log.matchAll(/^([0-9]+)\n/gm)];
  return serials.length === 0 ? undefined : Number(serials.at(-1)![1]);
}

Deno.test(`after each of ${KILLS} kills at any moment the state is whole, and what was acknowledged is there`, async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let acknowledged: number | undefined;
  let instance: string | undefined;
  for (let kill = 0; kill < KILLS; kill++) {
    const publisher = startPublisher(path);
    try {
      if (kill % 10 === 0) await sleep(Math.random() * 400); // some while it starts
      else {await until(() => publisher.log().includes("open"), {
          what: "publishing",
          intervalMs: 1,
        });}
      await sleep(Math.random() * 30);
    } finally {
      await publisher.stop("SIGKILL");
    }
    acknowledged = lastSaid(publisher.log()) ?? acknowledged;

    const problems: StateError[] = [];
    const store = await openStateFile(path, { report: (problem) => problems.push(problem) });
    try {
      const state = await store.load();
      assertEquals(problems, []);
      assertEquals(state.instance, instance ?? state.instance);
      instance = state.instance;
      if (state.zones.length === 0) {
        assertEquals(acknowledged, undefined);
        continue;
      }
      const { serial, pages } = state.zones[0].version;
      const last = acknowledged ?? FIRST_SERIAL - 1;
      assert(serial === last || serial === last + 1, `stored ${serial}, acknowledged ${last}`);
      assertEquals(state.cursor, `cursor ${serial}`);
      assertEquals(pages, Array.from({ length: PAGES }, (_, index) => pageAt(index, serial)));
      const diffs = await store.differences(parseName(APEX), FIRST_SERIAL);
      assertEquals(diffs?.length, serial - FIRST_SERIAL);
      acknowledged = serial; // the next publisher starts from it
    } finally {
      await store.close();
    }
  }
  assert(acknowledged !== undefined && acknowledged > FIRST_SERIAL + KILLS);
});
