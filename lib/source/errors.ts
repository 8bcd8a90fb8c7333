/**
 * What can go wrong at a source, as errors an operator can act on.
 *
 * One table turns what Postgres and the net report into codes and hints. No
 * message carries a password: URLs are never quoted. Pure.
 */
import { ZonecastError } from "../dns/mod.ts";

/** Every code a {@link SourceError} may have. */
export type SourceErrorCode =
  /** The source's URL cannot be understood. */
  | "source-url"
  /** Nobody answers, or the connection broke. */
  | "source-unreachable"
  /** Postgres refused the user or its password. */
  | "source-refused"
  /** The user may not read or write what is needed. */
  | "source-permission"
  /** The password file cannot be used. */
  | "source-password"
  /** No role to serve with can be made of this one. */
  | "source-role"
  /** The schema `zonecast` is not installed. */
  | "source-schema-missing"
  /** The schema `zonecast` was installed by a newer zonecast. */
  | "source-schema-newer"
  /** `zones` or `records` lacks a column that is needed. */
  | "source-columns"
  /** The server is a standby, or read-only: nothing can be written. */
  | "source-read-only"
  /** Another session keeps a table locked. */
  | "source-locked"
  /** The server is too old. */
  | "source-version"
  /** The file is not a database, or damaged. */
  | "source-damaged"
  /** `records` is a view: its rows are changed in the tables behind it. */
  | "source-view"
  /** A query failed for a reason of its own. */
  | "source-query-failed"
  | "zone-exists"
  | "zone-unknown";

/** The source cannot do what was asked. */
export class SourceError extends ZonecastError {
  override readonly name = "SourceError";

  constructor(
    override readonly code: SourceErrorCode,
    message: string,
    hint?: string,
    options?: ErrorOptions,
  ) {
    super(code, message, hint, options);
  }
}

/** A {@link SourceError} for a zone that is not in `zones`. */
export function zoneUnknown(zone: string): SourceError {
  return new SourceError(
    "zone-unknown",
    `There is no zone "${zone}" in the source`,
    `see "zonecast zones"; "zonecast zone add ${zone}" makes it`,
  );
}

/** A {@link SourceError} for a zone that is in `zones` already. */
export function zoneExists(zone: string): SourceError {
  return new SourceError(
    "zone-exists",
    `The zone "${zone}" exists already`,
    `"zonecast zone set ${zone}" changes its settings`,
  );
}

const NO_SCHEMA =
  '"zonecast schema apply" installs it; if it was dropped, restore it from a dump, or import into ' +
  'the new one what "zonecast export ZONE" prints';

/** Codes of Postgres (SQLSTATE) that have a meaning of their own here. */
const BY_SQLSTATE: Record<string, [code: SourceErrorCode, hint: string]> = {
  "3F000": ["source-schema-missing", NO_SCHEMA],
  "42P01": ["source-schema-missing", NO_SCHEMA],
  "42883": ["source-schema-missing", 'bring it up to date: "zonecast schema apply"'],
  "42703": [
    "source-columns",
    '"zonecast schema apply" brings an older schema up to date; a view of your own needs ' +
    'the columns "zonecast schema" prints',
  ],
  "42501": ["source-permission", '"zonecast schema apply --role ROLE" grants what serving takes'],
  "25006": ["source-read-only", "connect to the primary server to have it written"],
  "55P03": ["source-locked", "see pg_locks; zonecast goes on serving and tries again"],
  "28P01": [
    "source-refused",
    "check the user in the source's URL and its password; a new one in its file needs no restart",
  ],
  "28000": ["source-refused", "check the user in the source's URL, and pg_hba.conf"],
  "3D000": ["source-unreachable", "check the database's name in the source's URL"],
  "53300": ["source-unreachable", "raise max_connections; zonecast takes four"],
};
/** SQLSTATEs, by their first characters, of a server that goes away or comes up. */
const GOING_AWAY = /^(08|57P0)/;
/**
 * Codes of the net and of postgres.js that say: no connection. UNKNOWN is what the runtime
 * calls a write to a socket that has just closed.
 */
const NO_CONNECTION = /^(E[A-Z_]+|UNKNOWN|CONNECT_TIMEOUT|CONNECTION_[A-Z]+)$/;

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

/** postgres.js' own codes in words; its messages are "write CONNECT_TIMEOUT host:port". */
const IN_WORDS: Record<string, string> = {
  CONNECT_TIMEOUT: "it did not answer in time",
  CONNECTION_CLOSED: "the server closed the connection",
  CONNECTION_DESTROYED: "the connection was given up",
  CONNECTION_ENDED: "the connection was given up",
};

/** An error's text for an operator. */
function reasonOf(error: unknown): string {
  const words = IN_WORDS[codeOf(error)];
  if (words) return words;
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message ? error.message : codeOf(error) || String(error);
}

/**
 * What Postgres, postgres.js or the net threw, as a {@link SourceError}; one that
 * is a ZonecastError already, as it is.
 *
 * @param what  the source, without secrets: "postgres db.example:5432/app"
 */
export function postgresError(error: unknown, what: string): ZonecastError {
  if (error instanceof ZonecastError) return error;
  const code = codeOf(error);
  const reason = reasonOf(error);
  const known = BY_SQLSTATE[code];
  const message = `Cannot read or write ${what}: ${reason}`;
  if (known) return new SourceError(known[0], message, known[1], { cause: error });
  if (/certificate/i.test(reason)) {
    return new SourceError(
      "source-refused",
      `Cannot trust ${what}: ${reason}`,
      trustHint(reason),
      { cause: error },
    );
  }
  if (GOING_AWAY.test(code) || NO_CONNECTION.test(code)) {
    return unreachable(what, reason, error);
  }
  return new SourceError(
    "source-query-failed",
    message,
    code ? `Postgres gave SQLSTATE ${code}` : undefined,
    { cause: error },
  );
}

/** What to do about a certificate that is not trusted. */
function trustHint(reason: string): string {
  if (/not valid for name/i.test(reason)) {
    return "name the server in the URL as its certificate does, or give it one for this name";
  }
  if (/expired|not valid yet/i.test(reason)) {
    return "renew the server's certificate, or set the clocks right";
  }
  return "name its CA with sslrootcert=FILE in the URL; sslmode=require encrypts without checking";
}

/** A {@link SourceError} for a server that does not answer. */
export function unreachable(what: string, reason: string, cause?: unknown): SourceError {
  return new SourceError(
    "source-unreachable",
    `Cannot reach ${what}: ${reason}`,
    "is it running, and can this machine reach it?",
    { cause },
  );
}

/** SQLite's primary result codes that have a meaning of their own here. */
const BY_SQLITE_CODE: Record<number, [code: SourceErrorCode, hint: string]> = {
  3: ["source-permission", "check the permissions of the file and its directory"],
  5: ["source-locked", "another process holds a write lock for long; try again"],
  6: ["source-locked", "another process holds a write lock for long; try again"],
  8: ["source-permission", "the file, its directory or the file system is read-only"],
  11: ["source-damaged", "restore the file from a backup"],
  13: ["source-query-failed", "the disk is full"],
  14: ["source-unreachable", "does the directory exist, and may zonecast write there?"],
  26: ["source-damaged", "the file is not an SQLite database; name another"],
};

/** SQLite could not open the file. */
const SQLITE_CANTOPEN = 14;

/** What node:sqlite threw, as a {@link SourceError}. */
export function sqliteError(error: unknown, what: string): ZonecastError {
  if (error instanceof ZonecastError) return error;
  const reason = reasonOf(error);
  const errcode = typeof error === "object" && error !== null && "errcode" in error
    ? Number(error.errcode) & 0xff // extended codes carry the primary one in the low octet
    : 0;
  const message = `Cannot read or write ${what}: ${reason}`;
  // Opening gives no code, neither SQLite's nor the system's.
  const cannotOpen = /^unable to open database file|\(os error \d+\)/.test(reason);
  const known = BY_SQLITE_CODE[cannotOpen ? SQLITE_CANTOPEN : errcode];
  if (known) return new SourceError(known[0], message, known[1], { cause: error });
  if (/no such table/.test(reason)) {
    return new SourceError(
      "source-schema-missing",
      message,
      "is it a database of zonecast's? A new file gets its tables by itself",
      { cause: error },
    );
  }
  return new SourceError("source-query-failed", message, undefined, { cause: error });
}
