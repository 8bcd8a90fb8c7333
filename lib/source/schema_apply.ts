/**
 * Installing the schema in a Postgres, or bringing it up to date.
 *
 * Owns: one connection, for the time of the call.
 */
import { postgresError, SourceError } from "./errors.ts";
import { connectPostgres, transaction } from "./postgres_client.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import {
  ADVISORY_LOCK,
  printSchema,
  SCHEMA_VERSION,
  SQLSTATE_SCHEMA_NEWER,
} from "./schema/schema.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 10_000;

/**
 * The migrations that were missing, by file name, now applied.
 *
 * Effects: one transaction, one at a time among all who apply; nothing is
 * changed when nothing is missing.
 *
 * @throws {SourceError} "source-schema-newer" and all that connecting throws
 */
export async function applyPostgresSchema(url: string): Promise<readonly string[]> {
  const { description } = parsePostgresUrl(url);
  const client = connectPostgres(url, { connectMs: CONNECT_MS });
  try {
    return await transaction(client, "", async (sql) => {
      await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK}::bigint)`;
      const before = await sql<{ installed: boolean }[]>`
        select to_regclass('zonecast.migrations') is not null as installed`;
      const known = before[0].installed
        ? await sql<{ version: number }[]>`select version from zonecast.migrations`
        : [];
      await sql.unsafe(printSchema()).simple();
      const now = await sql<{ version: number; file: string }[]>`
        select version, file from zonecast.migrations order by version`;
      return now.filter(({ version }) => !known.some((row) => row.version === version))
        .map(({ file }) => file);
    });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === SQLSTATE_SCHEMA_NEWER) {
      throw new SourceError(
        "source-schema-newer",
        `Cannot apply the schema to ${description}: ${error.message}`,
        `this zonecast brings version ${SCHEMA_VERSION}: use the newer one that installed it`,
        { cause: error },
      );
    }
    throw postgresError(error, description);
  } finally {
    client.destroy();
  }
}
