import { assert, assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { ROW_OCTETS } from "../../../lib/store/journal_bounds.ts";
import { openStateFile, type StateError, type StateStore } from "../../../lib/store/mod.ts";
import { type Running, spawn } from "../../support/processes.ts";
import { tempDir } from "../../support/tempdir.ts";
import { sleep, until } from "../../support/wait.ts";
import { APEX, FIRST_SERIAL, pageAt, PAGES, pendingAt } from "./publisher.ts";

/** Kills in all; half of them of a publisher that purges the journal with each version. */
const KILLS = 50;
const NAME = parseName(APEX);

function startPublisher(path: string, journalMaxOctets: number | undefined): Running {
  const script = new URL("./publisher.ts", import.meta.url).pathname;
  const bound = journalMaxOctets === undefined ? [] : [String(journalMaxOctets)];
  const args = ["run", "--no-check", "-A", script, path, "publish", ...bound];
  return spawn(Deno.execPath(), args);
}

/** Runs a publisher and kills it: now and then while it starts, else while it publishes. Gives its log. */
async function runAndKill(path: string, kill: number, octets: number | undefined): Promise<string> {
  const publisher = startPublisher(path, octets);
  try {
    if (kill % 10 === 0) await sleep(Math.random() * 400);
    else {
      const publishing = () => publisher.log().includes("open");
      await until(publishing, { what: "publishing", intervalMs: 1 });
      // However slow the machine, half of them come between two commits, or after one.
      const hasSaid = () => lastSaid(publisher.log()) !== undefined;
      if (kill % 2 === 1) await until(hasSaid, { what: "a commit", intervalMs: 1 });
    }
    await sleep(Math.random() * 30);
  } finally {
    await publisher.stop("SIGKILL");
  }
  return publisher.log();
}

/** The last serial whose durability was said; undefined when none was. */
function lastSaid(log: string): number | undefined {
  const serials = [...log.matchAll(/^([0-9]+)\n/gm)];
  return serials.length === 0 ? undefined : Number(serials.at(-1)![1]);
}

/** Asserts that the journal leads from each serial it has, and has what it must. */
async function checkJournal(
  store: StateStore,
  serial: number,
  octets: number | undefined,
): Promise<void> {
  const entries = await store.journal(NAME);
  const oldest = serial - entries.length;
  for (const from of new Set([oldest, Math.floor((oldest + serial) / 2), serial])) {
    assertEquals((await store.differences(NAME, from))?.length, serial - from);
  }
  const takes = entries.reduce((sum, entry) => sum + entry.octets + ROW_OCTETS, 0);
  if (octets === undefined) assertEquals(oldest, FIRST_SERIAL);
  else assert(takes <= octets && (oldest === FIRST_SERIAL || takes > octets - 400), `${takes}`);
}

async function killAgainAndAgain(kills: number, octets: number | undefined): Promise<void> {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let acknowledged: number | undefined;
  let instance: string | undefined;
  for (let kill = 0; kill < kills; kill++) {
    const log = await runAndKill(path, kill, octets);
    acknowledged = lastSaid(log) ?? acknowledged;

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
      assertEquals([state.cursor, state.pending], [`cursor ${serial}`, pendingAt(serial)]);
      assertEquals(pages, Array.from({ length: PAGES }, (_, index) => pageAt(index, serial)));
      await checkJournal(store, serial, octets);
      assertEquals(problems, []);
      acknowledged = serial; // the next publisher starts from it
    } finally {
      await store.close();
    }
  }
  assert(acknowledged !== undefined && acknowledged >= FIRST_SERIAL + kills / 3, `${acknowledged}`);
}

Deno.test(`after each of ${KILLS} kills at any moment the state is whole, and what was acknowledged is there`, async () => {
  await Promise.all([
    killAgainAndAgain(KILLS / 2, undefined),
    killAgainAndAgain(KILLS / 2, 3000),
  ]);
});
