/**
 * The SQLite file of the embedded source: making, opening, checking.
 *
 * Synchronous; lives in the source's worker. The file may be written by other
 * programs at any time (`sqlite3`, the user's own): WAL keeps readers and the
 * one writer out of each other's way.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SourceError } from "./errors.ts";

/** How long a statement waits for another connection's lock, in ms. */
const BUSY_TIMEOUT_MS = 5000;
/** Marks a file as a source of zonecast's: "zcsr". */
const APPLICATION_ID = 0x7a637372;
/** Kept in `user_version`. */
const SCHEMA_VERSION = 1;

/** The same tables as in Postgres, but for the generated owner. */
const TABLES = `
  create table if not exists zones (
    name text primary key not null,
    mname text not null,
    rname text not null,
    refresh integer not null default 3600,
    retry integer not null default 600,
    expire integer not null default 1209600,
    minimum integer not null default 300,
    default_ttl integer not null default 3600,
    soa_ttl integer,
    serial_floor integer,
    dialect text not null default 'zonecast'
  );
  create table if not exists records (
    id integer primary key,
    zone text not null references zones (name) on delete cascade on update cascade,
    name text not null,
    type text not null,
    ttl integer,
    content text not null,
    disabled integer not null default 0
  );
  create index if not exists records_zone on records (zone);
`;

/** Which file a path names now. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number | null;
  /** Octets. */
  readonly size: number;
}

/** The file at a path; undefined when there is none. */
export function identifyFile(path: string): FileIdentity | undefined {
  try {
    const { dev, ino, size } = Deno.statSync(path);
    return { device: dev, inode: ino, size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

export function sameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode;
}

/**
 * An open connection to the file, its tables in place.
 *
 * @param create  make the file when it is not there
 * @throws {SourceError | Error} as `sqliteError` takes it
 */
export function openFile(path: string, create: boolean): DatabaseSync {
  const found = identifyFile(path);
  if (!found && !create) {
    throw new SourceError(
      "source-unreachable",
      `There is no file "${path}"`,
      'is its path right, its disk mounted? "zonecast zone add" makes a new one',
    );
  }
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    checkOwner(db, path);
    // Prepared, not exec: only then an error has its result code.
    db.prepare("pragma journal_mode = wal").get();
    db.prepare("pragma synchronous = full").get();
    db.prepare("pragma recursive_triggers = on").get();
    makeTables(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A database that has tables, but not ours, belongs to somebody else. */
function checkOwner(db: DatabaseSync, path: string): void {
  const tables = db.prepare("select name from sqlite_schema where type in ('table', 'view')").all()
    .map(({ name }) => String(name));
  const ours = tables.includes("zones") && tables.includes("records");
  if (tables.length > 0 && !ours) {
    throw new SourceError(
      "source-schema-missing",
      `"${path}" is the database of another program: it has no tables zones and records`,
      "name another file; a new one gets its tables by itself",
    );
  }
  const version = Number(db.prepare("pragma user_version").get()?.user_version);
  if (ours && version > SCHEMA_VERSION) {
    throw new SourceError(
      "source-schema-newer",
      `"${path}" has version ${version} of the tables, this zonecast knows ${SCHEMA_VERSION}`,
      "use the newer zonecast that made it",
    );
  }
}

function makeTables(db: DatabaseSync): void {
  const has = db.prepare(
    "select count(*) as n from sqlite_schema where name in ('zones', 'records')",
  )
    .get()?.n;
  if (has === 2) return;
  transaction(db, () => {
    db.exec(TABLES);
    db.exec(`pragma application_id = ${APPLICATION_ID}`);
    db.exec(`pragma user_version = ${SCHEMA_VERSION}`);
  });
}

/**
 * Runs the body in one transaction: all of it, or nothing. A writing one has its
 * lock from the start, so that it waits for another writer and never fails halfway.
 */
export function transaction<T>(
  db: DatabaseSync,
  body: () => T,
  mode: "read" | "write" = "write",
): T {
  prepared(db, mode === "write" ? "begin immediate" : "begin").run();
  try {
    const result = body();
    prepared(db, "commit").run();
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors, disk full among them.
    if (db.isTransaction) prepared(db, "rollback").run();
    throw error;
  }
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/**
 * A statement for all the times it is run on a connection: one prepared for each time holds its
 * memory until the garbage is collected, which a worker that makes little of it does seldom.
 */
export function prepared(db: DatabaseSync, sql: string): StatementSync {
  let ofThis = statements.get(db);
  if (!ofThis) statements.set(db, ofThis = new Map());
  let statement = ofThis.get(sql);
  if (!statement) ofThis.set(sql, statement = db.prepare(sql));
  return statement;
}
