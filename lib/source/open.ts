/** From a source's URL to the source, its editor, its schema. */
import type { Finding, Logger } from "../ops/mod.ts";
import { SourceError } from "./errors.ts";
import type { FeedOptions } from "./examine/feed.ts";
import { examinePostgres } from "./examine/postgres.ts";
import { examineSqlite } from "./examine/sqlite.ts";
import { PostgresSource } from "./postgres.ts";
import { PostgresEditor } from "./postgres_edit.ts";
import { applyPostgresSchema } from "./schema_apply.ts";
import { grantServing, type ServingRole } from "./schema_role.ts";
import type { Source, SourceEditor } from "./source.ts";
import { SqliteEditor, SqliteSource } from "./sqlite.ts";

export interface OpenSourceOptions {
  /** Postgres: channel of LISTEN; "dns_zone_changed" without. */
  readonly channel?: string;
  /** Postgres: between two looks without a notification, in ms; 2000 without. */
  readonly pollIntervalMs?: number;
  /** Postgres: older changes, and what was written back, are pruned, in ms; 7 d without. */
  readonly feedRetentionMs?: number;
  /**
   * SQLite: make the file when it is not there at the start; true without. A
   * server that has zones must not: an empty file in place of one that was moved
   * away would unpublish them all.
   */
  readonly create?: boolean;
  readonly log: Logger;
}

/** What a source's URL names. */
type Place =
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "sqlite"; readonly path: string };

/** @throws {SourceError} code "source-url"; the URL is not quoted, it may hold a password */
function parseSourceUrl(url: string): Place {
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: "postgres", url };
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(url)?.[1];
  if (path && !path.startsWith(":") && !/^\/\/[^/]/.test(path)) return { kind: "sqlite", path };
  throw new SourceError(
    "source-url",
    path ? `"${path}" is no file for a source` : "The source's URL has no form that is known",
    "it takes postgres://USER@HOST:PORT/DATABASE or sqlite:FILE",
  );
}

/**
 * A source, not yet started.
 *
 * @throws {SourceError} code "source-url"
 */
export function openSource(url: string, options: OpenSourceOptions): Source {
  const place = parseSourceUrl(url);
  return place.kind === "postgres"
    ? new PostgresSource({ ...options, url })
    : new SqliteSource(place.path, options.create);
}

/**
 * An editor of a source; close it when done.
 *
 * @throws {SourceError} "source-url", "source-unreachable", "source-schema-missing", …
 */
export async function openEditor(url: string): Promise<SourceEditor> {
  const place = parseSourceUrl(url);
  return place.kind === "postgres" ? await PostgresEditor.open(url) : new SqliteEditor(place.path);
}

/**
 * Installs the schema, or brings it up to date.
 *
 * @returns the files of the migrations that were missing, in order; empty when
 *   there were none, and always for SQLite, whose files get their tables by themselves
 * @throws {SourceError} "source-schema-newer" and all that connecting throws
 */
export async function applySchema(url: string): Promise<readonly string[]> {
  const place = parseSourceUrl(url);
  return place.kind === "postgres" ? await applyPostgresSchema(url) : [];
}

/**
 * Makes a role of Postgres that has the rights to serve, and no others.
 *
 * @throws {SourceError} "source-role": the source has no roles, or this one may do everything;
 *   and all that {@link grantServing} throws
 */
export async function grantServingRole(url: string, role: string): Promise<ServingRole> {
  const place = parseSourceUrl(url);
  if (place.kind === "postgres") return await grantServing(url, role);
  throw new SourceError("source-role", "A SQLite source has no roles", "leave --role out");
}

/**
 * What an examination of a source finds, one thing after another; what fails is a finding.
 *
 * @throws {SourceError} code "source-url"
 */
export function examineSource(url: string, options: FeedOptions): AsyncGenerator<Finding> {
  const place = parseSourceUrl(url);
  return place.kind === "postgres" ? examinePostgres(url, options) : examineSqlite(place.path);
}
