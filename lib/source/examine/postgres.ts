/**
 * A Postgres source examined: reached, its schema, rights, triggers, indexes, feed, notifications.
 *
 * Owns: two connections, while it goes on. Effects: none that stay.
 */
import type { Finding } from "../../ops/mod.ts";
import { postgresError, type SourceError } from "../errors.ts";
import { connectPostgres, type Sql } from "../postgres_client.ts";
import { parsePostgresUrl } from "../postgres_url.ts";
import { SERVING_RIGHTS } from "../schema_role.ts";
import { type Examined, found, listed } from "./examination.ts";
import { examineFeed, type FeedOptions } from "./feed.ts";
import { examineListening } from "./listening.ts";
import { examinePlans } from "./plans.ts";
import { examineRights } from "./rights.ts";
import { examineTriggers } from "./triggers.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 5_000;
/** Clocks that differ by more are worth a look, ms: times in log and tables do not fit. */
const CLOCK_WARNING_MS = 2_000;
/** The oldest server whose functions suffice. */
const MIN_SERVER_VERSION = 130000;

/** All findings about a Postgres source, as they come; what a failure keeps from being found is left out. */
export async function* examinePostgres(
  url: string,
  options: FeedOptions,
): AsyncGenerator<Finding> {
  const { description } = parsePostgresUrl(url);
  const client = connectPostgres(url, { connectMs: CONNECT_MS });
  try {
    const examined = yield* reach(client.sql, description);
    if (!examined) return;
    const parts: [check: string, findings: () => AsyncIterable<Finding>][] = [
      ["rights", () => examineRights(examined)],
      ["triggers", () => examineTriggers(examined)],
      ["index", () => examinePlans(examined)],
      ["feed", () => examineFeed(examined, options)],
      ["listener", () => examineListening(examined, url, CONNECT_MS)],
    ];
    for (const [check, findings] of parts) {
      try {
        yield* findings();
      } catch (error) {
        yield failed(check, error, description);
      }
    }
  } catch (error) {
    yield failed("postgres", error, description);
  } finally {
    client.destroy();
  }
}

/** Connects, and looks around; undefined when there is nothing to examine further. */
async function* reach(
  sql: Sql,
  description: string,
): AsyncGenerator<Finding, Examined | undefined> {
  const [server] = await sql<
    { role: string; version: number; name: string; standby: boolean; encrypted: boolean | null }[]
  >`select current_user as role, current_setting('server_version_num')::integer as version,
      current_setting('server_version') as name, pg_is_in_recovery() as standby,
      (select ssl from pg_stat_ssl where pid = pg_backend_pid())
        or inet_server_addr() is null or inet_server_addr() <<= '127.0.0.0/8'
        or inet_server_addr() = '::1' as encrypted`;
  yield server.version >= MIN_SERVER_VERSION
    ? found("postgres", "good", `Postgres ${server.name} answers at ${description}`)
    : found(
      "postgres",
      "bad",
      `${description} is Postgres ${server.name}`,
      "zonecast needs Postgres 13 or later",
    );
  if (server.encrypted === false) {
    yield found(
      "postgres-tls",
      "warning",
      "the connection is not encrypted: who stands between can read and alter what is served",
      "sslmode=verify-full and sslrootcert=FILE in the source's URL",
    );
  }
  yield await aboutClock(sql);
  const [schema] = await sql<{ usage: boolean }[]>`
    select has_schema_privilege(oid, 'usage') as usage
    from pg_namespace where nspname = 'zonecast'`;
  if (!schema) {
    yield found(
      "schema",
      "bad",
      `the schema zonecast is not in ${description}`,
      "install it: zonecast schema apply",
    );
    return undefined;
  }
  if (!schema.usage) {
    yield found(
      "rights",
      "bad",
      `the role ${server.role} may not use the schema zonecast`,
      `as the schema's owner: zonecast schema apply --role ${server.role}`,
    );
    return undefined;
  }
  const relations = await relationsThere(sql);
  const missing = SERVING_RIGHTS.map(([name]) => name)
    .filter((name) => !name.startsWith("powerdns_") && !relations.has(name));
  if (missing.length > 0) {
    yield found(
      "schema",
      "bad",
      `the schema zonecast lacks ${listed(missing)}`,
      "bring it up to date: zonecast schema apply",
    );
    if (missing.includes("zones") || missing.includes("records")) return undefined;
  } else yield found("schema", "good", "the schema zonecast is whole");
  return { sql, description, role: server.role, standby: server.standby, relations };
}

async function relationsThere(sql: Sql): Promise<Set<string>> {
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'zonecast'::regnamespace
      and relkind in ('r', 'p', 'v', 'm', 'f')`;
  return new Set(rows.map(({ name }) => name));
}

async function aboutClock(sql: Sql): Promise<Finding> {
  const sentAt = Date.now();
  const [{ now }] = await sql<{ now: number }[]>`
    select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now`;
  const apart = Math.round(now - (sentAt + Date.now()) / 2);
  return clockFinding(apart, "Postgres' clock");
}

/** What a difference of clocks means. Pure. */
export function clockFinding(apartMs: number, whose: string): Finding {
  const seconds = (Math.abs(apartMs) / 1000).toFixed(1);
  const text = `${whose} is ${seconds} s ${apartMs < 0 ? "behind" : "ahead of"} ours`;
  return Math.abs(apartMs) <= CLOCK_WARNING_MS
    ? found("clock", "good", text)
    : found("clock", "warning", text, "let both keep time by NTP: chrony or systemd-timesyncd");
}

function failed(check: string, error: unknown, description: string): Finding {
  const failure: Pick<SourceError, "message" | "hint"> = postgresError(error, description);
  return found(check, "bad", failure.message, failure.hint ?? "see the server's log");
}
