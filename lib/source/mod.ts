/** Where records come from: Postgres, or SQLite embedded. */
export * from "./source.ts";
