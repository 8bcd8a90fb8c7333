/**
 * The one SQLite connection to a state file: making, opening, checking, transactions.
 *
 * Owns: the connection. Synchronous; lives in the store's worker. A file is
 * made under another name and renamed when it is whole, so a state file that
 * exists is either whole or damaged, never half made. SQLite gives the -wal
 * and -shm files the mode of the file itself, 0600.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { damaged, isDiskFull, StateError } from "./errors.ts";
import { MetaTable, newMeta } from "./meta_table.ts";
import { moveAside } from "./set_aside.ts";
import {
  APPLICATION_ID,
  DATABASE_PAGE_OCTETS,
  migrate,
  newer,
  SCHEMA_VERSION,
  schemaVersion,
} from "./state_schema.ts";

/** How long a statement waits for another program's lock, in ms. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Above this the write-ahead log goes into the file when the store is idle, in octets. Its length
 * does not tell: it is written anew from its beginning, which costs an fsync less than growing.
 */
const WAL_CHECKPOINT_OCTETS = 4 * 1024 * 1024;

/** What a transaction writes into the log beside blobs, in octets: whole pages, most of them indexes. */
const TRANSACTION_OCTETS = 10 * DATABASE_PAGE_OCTETS;

/** What the write-ahead log is cut down to when it starts again, in octets. */
const WAL_KEPT_OCTETS = 16 * 1024 * 1024;

/** An open state file. */
export class StateConnection {
  readonly db: DatabaseSync;
  readonly #inode: number | null;
  readonly #statements = new Map<string, StatementSync>();
  /** Whether a transaction found the disk full and {@link tidy} has not run since. */
  #diskFull = false;
  /** About what the write-ahead log holds that is not in the file, in octets. */
  #logged = 0;

  /**
   * Opens the file; makes it when it is not there, and brings its schema up to
   * date, unless read-only.
   *
   * @param path  absolute, symbolic links resolved
   * @throws {StateError | Error} as {@link toStateError} takes it
   */
  constructor(readonly path: string, readonly readOnly: boolean) {
    const found = stat(path);
    if (readOnly) {
      if (!found) throw missing(path);
    } else if (!found || found.size === 0) {
      if (found && stat(`${path}-wal`)?.size) throw damaged(path, "it was cut to nothing");
      makeStateFile(path);
    }
    this.#inode = stat(path)?.ino ?? null;
    this.db = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS });
    try {
      identify(this.db, path, readOnly);
      if (!readOnly) {
        setPragmas(this.db);
        migrate(this.db, path);
        this.#logged = stat(`${path}-wal`)?.size ?? 0;
      }
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  /**
   * Runs the body in one transaction: all of it is on disk, or nothing.
   *
   * @param octets  about how many the blobs have that it writes
   * @throws what the body throws, or SQLite's error; the file is then as before
   */
  transaction<T>(body: () => T, octets = 0): T {
    if (this.readOnly) throw openedReadOnly(this.path);
    this.#mustBeInPlace();
    const { db } = this;
    if (db.isTransaction) this.#prepared("ROLLBACK").run(); // a rollback that failed before
    this.#prepared("BEGIN IMMEDIATE").run();
    try {
      const result = body();
      this.#prepared("COMMIT").run();
      this.#logged += TRANSACTION_OCTETS + octets;
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, disk full among them.
      if (db.isTransaction) this.#prepared("ROLLBACK").run();
      if (isDiskFull(error)) this.#diskFull = true;
      throw error;
    }
  }

  /** Runs the body on one snapshot. */
  snapshot<T>(body: () => T): T {
    const { db } = this;
    this.#prepared("BEGIN").run();
    try {
      return body();
    } finally {
      if (db.isTransaction) this.#prepared("COMMIT").run();
    }
  }

  /**
   * Moves a grown write-ahead log into the file, as far as readers allow: work
   * for an idle moment, so that no commit waits for it. After a full disk the
   * log is also cut down, or what a failed transaction left in it would keep
   * the disk full.
   */
  tidy(): void {
    if (this.#diskFull) {
      this.#diskFull = false;
      try {
        this.#prepared("PRAGMA wal_checkpoint(TRUNCATE)").get();
        this.#logged = stat(`${this.path}-wal`)?.size ?? 0;
      } catch (error) {
        if (!isDiskFull(error)) throw error; // a full disk was told of by the transaction
      }
      return;
    }
    if (this.readOnly || this.#logged < WAL_CHECKPOINT_OCTETS) return;
    const moved = this.#prepared("PRAGMA wal_checkpoint(PASSIVE)").get();
    if (moved?.busy === 0 && moved.log === moved.checkpointed) this.#logged = 0;
  }

  /** Checkpoints and closes. */
  close(): void {
    this.db.close();
  }

  /**
   * A statement for all the times it is run. Prepared, because only then errors have a
   * result code; once, because its memory is given back when the garbage is collected, and
   * a worker that makes little of it held a hundred megabytes of statements.
   */
  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.db.prepare(sql));
    return statement;
  }

  /** Whether the file still has its name. */
  get isInPlace(): boolean {
    return stat(this.path)?.ino === this.#inode;
  }

  /** A commit to a file that has lost its name would be durable nowhere. */
  #mustBeInPlace(): void {
    if (this.isInPlace) return;
    throw new StateError(
      "state-moved",
      `Cannot write to state file "${this.path}": it was removed or replaced while open`,
      this.path,
      "restart zonecast to go on from the file that is there now, or remove that one: " +
        "the server then writes it again from memory",
    );
  }
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Makes a whole, empty state file in one step. */
function makeStateFile(path: string): void {
  const made = `${path}.new`;
  for (const suffix of ["", "-wal", "-shm"]) remove(made + suffix); // of a start cut short
  Deno.openSync(made, { createNew: true, write: true, mode: 0o600 }).close();
  try {
    const db = new DatabaseSync(made);
    try {
      db.prepare(`PRAGMA page_size = ${DATABASE_PAGE_OCTETS}`).run();
      setPragmas(db);
      migrate(db, path);
      new MetaTable(db).set(newMeta());
    } finally {
      db.close();
    }
    // Logs without their file would be taken for logs of the new one.
    moveAside(path, ["-wal", "-shm"]);
    Deno.renameSync(made, path);
  } catch (error) {
    for (const suffix of ["", "-wal", "-shm"]) remove(made + suffix);
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function setPragmas(db: DatabaseSync): void {
  const mode = db.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") throw new Error(`no write-ahead log here (journal mode is "${mode}")`);
  for (
    const pragma of [
      "synchronous = FULL",
      "foreign_keys = ON",
      "wal_autocheckpoint = 0", // see StateConnection.tidy
      `journal_size_limit = ${WAL_KEPT_OCTETS}`,
    ]
  ) db.prepare(`PRAGMA ${pragma}`).get();
}

/** Makes sure that the database is a state file this program can use. */
function identify(db: DatabaseSync, path: string, readOnly: boolean): void {
  const id = db.prepare("PRAGMA application_id").get()?.application_id;
  const version = schemaVersion(db);
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    .map((row) => String(row.name));
  const ours = ["meta", "zone", "page", "journal"].every((name) => tables.includes(name));
  if (id !== APPLICATION_ID && !ours && tables.length > 0) throw foreign(path);
  if (version > SCHEMA_VERSION) throw newer(path, version);
  if (id !== APPLICATION_ID || !ours || version < 1) {
    throw damaged(path, "it has lost its tables or its version");
  }
  if (readOnly && version < SCHEMA_VERSION) throw older(path, version);
}

function openedReadOnly(path: string): StateError {
  return new StateError(
    "state-read-only",
    `Cannot write to state file "${path}": it was opened for reading only`,
    path,
  );
}

function missing(path: string): StateError {
  return new StateError(
    "state-missing",
    `Cannot open state file "${path}": there is none`,
    path,
    "give the server's own --state FILE; a server makes it when it first starts",
  );
}

function foreign(path: string): StateError {
  return new StateError(
    "state-foreign",
    `Cannot open state file "${path}": it is the database of another program`,
    path,
    "give zonecast a file of its own with --state; this one was left as it is",
  );
}

function older(path: string, version: number): StateError {
  return new StateError(
    "state-older",
    `Cannot read state file "${path}": an older zonecast wrote it (its version is ${version}, ` +
      `this one reads ${SCHEMA_VERSION})`,
    path,
    "start the server once with this zonecast; it brings the file up to date",
  );
}
