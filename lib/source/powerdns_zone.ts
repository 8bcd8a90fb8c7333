/**
 * One zone as it lies in a PowerDNS database: gpgsql's tables in Postgres, or those of
 * gsqlite3 in a file. To be copied from; nothing is written.
 *
 * Owns: one connection, or the file, for the time of the call.
 */
import { DatabaseSync } from "node:sqlite";
import { postgresError, SourceError } from "./errors.ts";
import { storedZoneName } from "./edit_rules.ts";
import { connectPostgres, literal, transaction } from "./postgres_client.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import { type PowerdnsRecord, powerdnsRow, powerdnsZone } from "./powerdns.ts";
import type { SourceRow, ZoneSettings } from "./source.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 10_000;

/** A zone of a PowerDNS database. */
export interface PowerdnsCopy {
  /** Out of its SOA row. */
  readonly settings: ZoneSettings;
  /** The enabled rows, the SOA not among them. */
  readonly rows: readonly SourceRow[];
  /** Rows left out because they are disabled. */
  readonly disabled: number;
}

/** A row as PowerDNS has it. */
interface Row extends PowerdnsRecord {
  readonly disabled: boolean | number | null;
}

/**
 * A zone of PowerDNS'.
 *
 * @param url  `postgres://…`, with `?schema=NAME` where the tables are not on the search
 *   path, or `sqlite:FILE`
 * @throws {SourceError} "source-url", "source-schema-missing", "zone-unknown", and all that
 *   connecting throws
 */
export async function readPowerdnsZone(url: string, zone: string): Promise<PowerdnsCopy> {
  const name = storedZoneName(zone);
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(url)?.[1];
  const rows = file === undefined ? await postgresRows(url, name) : sqliteRows(file, name);
  if (!rows) {
    throw new SourceError(
      "zone-unknown",
      `There is no zone "${name}" in the PowerDNS database`,
      "`pdnsutil list-all-zones` lists those there are",
    );
  }
  const enabled = rows.filter(({ disabled }) => !disabled);
  const soa = enabled.find(({ type }) => type?.toUpperCase() === "SOA");
  if (!soa) {
    throw new SourceError(
      "zone-unknown",
      `The zone "${name}" has no SOA row in the PowerDNS database`,
      "`pdnsutil check-zone` shows what it lacks",
    );
  }
  return {
    settings: powerdnsZone({ name, content: soa.content, ttl: soa.ttl }),
    // Rows without a type stand for names that exist and have no data.
    rows: enabled.filter(({ type }) => type && type.toUpperCase() !== "SOA").map(powerdnsRow),
    disabled: rows.length - enabled.length,
  };
}

async function postgresRows(text: string, zone: string): Promise<Row[] | undefined> {
  const { url, schema } = splitSchema(text);
  const { description } = parsePostgresUrl(url);
  const prefix = schema === undefined ? "" : `"${schema.replaceAll('"', '""')}".`;
  const client = connectPostgres(url, { connectMs: CONNECT_MS });
  try {
    return await transaction(client, "isolation level repeatable read, read only", async (sql) => {
      const found = await sql.unsafe<{ id: number }[]>(
        `select id from ${prefix}domains where lower(name) =${literal(zone)}`,
      );
      if (found.length === 0) return undefined;
      return [
        ...await sql.unsafe<Row[]>(
          `select${literal(zone)} as zone, name, type, ttl, content, prio, disabled
           from ${prefix}records where domain_id = ${Number(found[0].id)}`,
        ),
      ];
    });
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "42P01";
    if (isAbsent) throw notPowerdns(description, error);
    throw postgresError(error, description);
  } finally {
    client.destroy();
  }
}

/** The URL without our own parameter. */
function splitSchema(text: string): { url: string; schema: string | undefined } {
  const [, before, name, after] = /^(.*[?&])schema=([^&]*)&?(.*)$/s.exec(text) ?? [];
  if (name === undefined) return { url: text, schema: undefined };
  return { url: (before + after).replace(/[?&]$/, ""), schema: decodeURIComponent(name) };
}

function sqliteRows(path: string, zone: string): Row[] | undefined {
  let db: DatabaseSync | undefined;
  try {
    Deno.statSync(path); // else a file would be made
    db = new DatabaseSync(path, { readOnly: true });
    const found = db.prepare("select id from domains where lower(name) = ?").get(zone);
    if (!found) return undefined;
    const rows = db.prepare(
      "select ? as zone, name, type, ttl, content, prio, disabled from records where domain_id = ?",
    ).all(zone, found.id as number);
    return rows as unknown as Row[];
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (/no such table/.test(cause.message)) throw notPowerdns(path, cause);
    throw new SourceError(
      cause instanceof Deno.errors.NotFound ? "source-unreachable" : "source-damaged",
      `Cannot read the PowerDNS database ${path}: ${cause.message}`,
      "check the path, and that it is a file of PowerDNS' gsqlite3 backend",
      { cause },
    );
  } finally {
    db?.close();
  }
}

function notPowerdns(where: string, cause: Error): SourceError {
  return new SourceError(
    "source-schema-missing",
    `There are no tables domains and records of PowerDNS in ${where}`,
    "where they lie in a schema of their own, add ?schema=NAME to the URL",
    { cause },
  );
}
