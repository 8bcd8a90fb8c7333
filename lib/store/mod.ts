/** The SQLite state file: last known pages, journal, cursor. */
export * from "./state_store.ts";
