/** Where records come from: Postgres, or SQLite embedded. */
export * from "./source.ts";
export * from "./write_back.ts";
export { SourceError, type SourceErrorCode } from "./errors.ts";
export {
  applySchema,
  examineSource,
  grantServingRole,
  openEditor,
  openSource,
  type OpenSourceOptions,
} from "./open.ts";
export type { ServingRole } from "./schema_role.ts";
export {
  DEFAULT_CHANNEL,
  DEFAULT_FEED_RETENTION_MS,
  DEFAULT_POLL_INTERVAL_MS,
} from "./postgres.ts";
export { type PowerdnsCopy, readPowerdnsZone } from "./powerdns_zone.ts";
export { printSchema, SCHEMA_VERSION } from "./schema/schema.ts";
export { type DueRead, type ReadDone, ReadSchedule } from "./read_schedule.ts";
export { type WriteBackOptions, WriteBackQueue, type WriteBackStatus } from "./write_back_queue.ts";
export { clockFinding } from "./examine/postgres.ts";
