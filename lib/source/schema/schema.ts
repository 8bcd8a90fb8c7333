/**
 * The schema `zonecast` in the user's Postgres, as numbered migrations.
 *
 * The migrations are the `.sql` files beside this module, in the order of their
 * numbers; `deno compile --include` takes them into the executable. What is
 * printed and what is applied is one and the same text: it runs any number of
 * times, in one transaction, and does only what is missing. A migration that
 * was released is never changed: a later one is added.
 */
import { SourceError } from "../errors.ts";

/** The migrations' files; a file's number is the schema version it brings. */
const FILES = [
  "0001_zones_and_records.sql",
  "0002_change_feed.sql",
  "0003_written_back.sql",
  "0004_powerdns.sql",
  "0005_guard.sql",
  "0006_quarantine.sql",
] as const;

/** The schema version this zonecast brings. */
export const SCHEMA_VERSION = versionOf(FILES[FILES.length - 1]);

/** SQLSTATE the text raises when the installed schema is newer: one of a class of our own. */
export const SQLSTATE_SCHEMA_NEWER = "ZC001";

/** Locks out a second `schema apply`; any constant that nobody else uses. */
export const ADVISORY_LOCK = 0x7a6f6e65; // "zone"

/** The number a migration's file begins with. */
function versionOf(file: string): number {
  return Number(file.slice(0, 4));
}

function readMigration(file: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/${file}`).trim();
}

function prologue(): string {
  return `-- The schema of zonecast, version ${SCHEMA_VERSION}. Run it in one transaction (psql -1); again does no harm.
do $zonecast$ begin
  perform pg_advisory_xact_lock(${ADVISORY_LOCK});
  if to_regnamespace('zonecast') is null then
    create schema zonecast;
  end if;
  if to_regclass('zonecast.migrations') is null then
    create table zonecast.migrations (
      version integer primary key,
      file text not null,
      applied timestamptz not null default now()
    );
  end if;
  if exists (select from zonecast.migrations where version > ${SCHEMA_VERSION}) then
    raise exception 'the schema zonecast has version %, newer than ${SCHEMA_VERSION}',
      (select max(version) from zonecast.migrations)
      using errcode = '${SQLSTATE_SCHEMA_NEWER}', hint = 'use a newer zonecast';
  end if;
end $zonecast$;
`;
}

function migration(file: string, version: number): string {
  return `
do $zonecast$ begin
  if not exists (select from zonecast.migrations where version = ${version}) then
    execute $migration$
${readMigration(file)}
$migration$;
    insert into zonecast.migrations (version, file) values (${version}, '${file}');
  end if;
end $zonecast$;
`;
}

/**
 * The whole schema as SQL text, to be run by `psql -1` or {@link applySchema}.
 *
 * @throws {SourceError} a migration's file is not beside this module (a faulty build)
 */
export function printSchema(): string {
  try {
    return prologue() + FILES.map((file) => migration(file, versionOf(file))).join("");
  } catch (error) {
    throw new SourceError(
      "source-schema-missing",
      "Cannot read the schema that belongs to this executable",
      "it was built without lib/source/schema; build it again",
      { cause: error },
    );
  }
}
