/** The state file of a running server. */
import type { Name } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import {
  type JournalReader,
  openJournalReader,
  openMendingStore,
  type StateError,
  type StateStore,
  type StoredState,
} from "../store/mod.ts";
import type { ServeConfig } from "./running_server.ts";

/** The state file and what it holds; it mends itself where it can. */
export function openState(
  config: ServeConfig,
  log: Logger,
): Promise<{ store: StateStore; state: StoredState }> {
  return openMendingStore(config.state, {
    journalMaxOctets: config.journalMaxOctets,
    journalMaxAgeMs: config.journalMaxAgeMs,
    report: (error) => reportState(log, error),
    // Under systemd it lies in memory, wherever the state file is.
    spare: config.control.slice(0, config.control.lastIndexOf("/") + 1) || ".",
    log,
  });
}

function reportState(log: Logger, error: StateError): void {
  log.error("trouble in the state file", { error });
}

/** Differences from its journal, for IXFR. */
export function openDifferences(
  config: ServeConfig,
  store: StateStore,
  log: Logger,
): JournalReader {
  return openJournalReader(config.state, {
    condense: config.ixfrCondense,
    report: (error) => reportState(log, error),
    repair: (apex) => store.repairJournal(apex),
  });
}

/**
 * The store; what it made durable is at hand for IXFR at once.
 *
 * @param retired  told of each zone that was removed
 */
export function notingStore(
  store: StateStore,
  differences: JournalReader,
  retired: (apex: Name) => void,
): StateStore {
  return {
    get trouble() {
      return store.trouble;
    },
    load: () => store.load(),
    async publish(publications, progress) {
      await store.publish(publications, progress);
      for (const publication of publications) differences.note(publication);
    },
    keepProgress: (progress) => store.keepProgress(progress),
    keepGuard: (notes) => store.keepGuard(notes),
    async removeZone(apex) {
      await store.removeZone(apex);
      differences.forget(apex);
      retired(apex);
    },
    repairJournal: (apex) => store.repairJournal(apex),
    journal: (apex, newest) => store.journal(apex, newest),
    journalFigures: () => store.journalFigures(),
    differences: (apex, from, to) => store.differences(apex, from, to),
    close: () => store.close(),
  };
}
