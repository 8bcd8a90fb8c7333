/**
 * The SQLite state file: last known pages, journal, cursor.
 *
 * {@link openStateFile} gives a {@link StateStore}; its database lives in a worker.
 */
export { StateError, type StateErrorCode } from "./errors.ts";
export { differenceBetween, HistoryError, type JournalSource, versionAt } from "./history.ts";
export {
  type JournalReader,
  type JournalReaderOptions,
  openJournalReader,
} from "./journal_reader.ts";
export { type MendingStoreOptions, openMendingStore } from "./mending_store.ts";
export { setAside } from "./set_aside.ts";
export { openStateFile, type StateFileOptions } from "./state_file.ts";
export { MAX_DIFFERENCES_OCTETS } from "./state_store.ts";
export type {
  GuardNote,
  JournalEntry,
  JournalFigures,
  KeptProblems,
  PendingOwners,
  ProblemsChange,
  Progress,
  Publication,
  StateStore,
  StateTrouble,
  StoredState,
  StoredZone,
} from "./state_store.ts";
