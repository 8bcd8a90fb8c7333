/**
 * zonecast's parts as `serve` wires them, in a process that kills itself with
 * SIGKILL at a chosen step of its first publication.
 *
 * Arguments: source URL, state file, port, port of the one secondary, step.
 */
import { nullLogger } from "../../lib/ops/mod.ts";
import { type Announcer, Primary } from "../../lib/primary.ts";
import { DnsServer, parseSecondary } from "../../lib/server/mod.ts";
import { openSource } from "../../lib/source/mod.ts";
import { openStateFile, type StateStore } from "../../lib/store/mod.ts";
import { ZoneTable } from "../../lib/zone/mod.ts";

/** Where a publication can be cut. */
export const STEPS = ["before-commit", "after-commit", "before-notify", "after-notify", "none"];

function dieAt(step: string, here: string): void {
  if (step === here) Deno.kill(Deno.pid, "SIGKILL");
}

/** The store, dying just before or just after a commit with publications. */
function faultyStore(store: StateStore, step: string): StateStore {
  return {
    load: () => store.load(),
    async publish(publications, progress) {
      dieAt(step, "before-commit");
      await store.publish(publications, progress);
      dieAt(step, "after-commit");
    },
    keepProgress: (progress) => store.keepProgress(progress),
    keepGuard: (notes) => store.keepGuard(notes),
    removeZone: (apex) => store.removeZone(apex),
    journal: (apex, newest) => store.journal(apex, newest),
    journalFigures: () => store.journalFigures(),
    differences: (apex, from, to) => store.differences(apex, from, to),
    repairJournal: (apex) => store.repairJournal(apex),
    close: () => store.close(),
  };
}

if (import.meta.main) {
  const [sourceUrl, statePath, port, secondaryPort, step] = Deno.args;
  const log = nullLogger;
  const zones = new ZoneTable();
  const store = await openStateFile(statePath);
  const server = new DnsServer({
    zones,
    log,
    listen: [{ ip: "127.0.0.1", port: Number(port) }],
    secondaries: [parseSecondary(`127.0.0.1:${secondaryPort},watch=off`)],
    allowTransfer: [],
  });
  let restoring = true;
  const announcer: Announcer = {
    announce(version) {
      if (!restoring) dieAt(step, "before-notify");
      server.announce(version);
      if (!restoring) dieAt(step, "after-notify");
    },
    retire: (apex) => server.retire(apex),
  };
  const primary = new Primary({
    source: openSource(sourceUrl, { log }),
    store: faultyStore(store, step),
    zones,
    announcer,
    config: {
      zones: [],
      minPublishIntervalMs: 1,
      fullReadIntervalMs: 3_600_000,
      watchedSecondaries: 0,
      serialPolicy: "unixtime",
      serialFloor: undefined,
    },
    log,
  });
  primary.restore(await store.load());
  await server.start();
  primary.start();
  restoring = false;
}
