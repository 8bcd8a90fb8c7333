/**
 * The tables of the state file, as numbered migrations.
 *
 * The number of the last migration applied is the file's `user_version`;
 * {@link APPLICATION_ID} tells our files from other SQLite databases.
 */
import type { DatabaseSync } from "node:sqlite";
import { StateError } from "./errors.ts";

/** `application_id` of a state file: "zcst". */
export const APPLICATION_ID = 0x7a637374;

/**
 * Octets of a database page. Measured on 1M records: 8192 loads and commits
 * fastest, because a zone page of 16 KiB takes few overflow pages and a small
 * change still writes little.
 */
export const DATABASE_PAGE_OCTETS = 8192;

/**
 * Migration n + 1 is MIGRATIONS[n]. One that was released is never edited.
 *
 * Keys are {@link canonicalKey} strings, one octet a character, so that
 * SQLite's order of blobs (memcmp) is canonical order. Small columns stand
 * before the blobs: reading them touches no overflow page. Tables with blobs
 * keep their rowid: a WITHOUT ROWID table would hold the blobs in its key tree
 * (measured: a commit takes half as long again).
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- 'instance': random identity of this file. 'cursor': where the source was last read.
  -- 'zones': number of rows in zone.
  CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    checksum INTEGER NOT NULL        -- CRC-32 of the name and the value
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE zone (
    id INTEGER PRIMARY KEY,
    apex_key BLOB NOT NULL UNIQUE,
    serial INTEGER NOT NULL,
    published_at INTEGER NOT NULL,   -- ms since the epoch
    pages INTEGER NOT NULL,
    checksum INTEGER NOT NULL,       -- CRC-32 of published_at and soa, XORed with those of all pages
    journal_octets INTEGER NOT NULL, -- what the zone's journal rows take, see ROW_OCTETS
    journal_chain BLOB NOT NULL,     -- that of its newest journal row; 32 zero octets without one
    soa BLOB NOT NULL                -- the record, uncompressed; its owner is the apex
  ) STRICT;

  CREATE TABLE page (
    id INTEGER PRIMARY KEY,
    zone INTEGER NOT NULL REFERENCES zone ON DELETE CASCADE,
    first_key BLOB NOT NULL,
    part INTEGER NOT NULL,
    records INTEGER NOT NULL,
    checksum INTEGER NOT NULL,       -- CRC-32 of all other columns but id and zone
    owners BLOB NOT NULL,            -- u32, little-endian
    block BLOB NOT NULL,
    UNIQUE (zone, first_key, part)
  ) STRICT;

  -- In id order the oldest difference stands first, over all zones and, by the
  -- index (which ends in the id), within each: the order in which they are purged.
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    zone INTEGER NOT NULL REFERENCES zone ON DELETE CASCADE,
    from_serial INTEGER NOT NULL,
    to_serial INTEGER NOT NULL,
    published_at INTEGER NOT NULL,   -- ms since the epoch
    removed_count INTEGER NOT NULL,
    added_count INTEGER NOT NULL,
    octets INTEGER NOT NULL,         -- of removed and added
    cause TEXT NOT NULL,
    previous_chain BLOB NOT NULL,    -- chain of the row before; 32 zero octets in a zone's first
    chain BLOB NOT NULL,             -- SHA-256 of previous_chain and this row's fields
    from_soa BLOB NOT NULL,          -- records, uncompressed
    to_soa BLOB NOT NULL,
    removed BLOB NOT NULL,
    added BLOB NOT NULL
  ) STRICT;
  CREATE INDEX journal_by_zone ON journal (zone);
  `,
  `
  -- Owners that were read up to the cursor and are still to be published. Their
  -- number and the XOR of their checksums are the value 'pending' in meta.
  CREATE TABLE pending (
    id INTEGER PRIMARY KEY,
    zone TEXT NOT NULL,              -- name as the source has it
    owner TEXT,                      -- NULL: the whole zone
    checksum INTEGER NOT NULL,       -- CRC-32 of zone and owner
    UNIQUE (zone, owner)
  ) STRICT;

  CREATE INDEX journal_by_serial ON journal (zone, from_serial);
  `,
  `
  -- What the guard remembers of zones, see GuardNote.
  CREATE TABLE guard (
    apex_key BLOB NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    checksum INTEGER NOT NULL,       -- CRC-32 of all other columns
    PRIMARY KEY (apex_key, kind)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What of the source is not served as written. Number of rows and XOR of their
  -- checksums are the value 'problems' in meta; without it none were ever kept.
  CREATE TABLE problem (
    id INTEGER PRIMARY KEY,          -- a hash of what it is, 53 bits
    checksum INTEGER NOT NULL,       -- CRC-32 of id and problem
    problem TEXT NOT NULL            -- JSON, since when among it
  ) STRICT;
  `,
];

/** The schema version this zonecast reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** `user_version` of an open database. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.user_version);
}

/**
 * Brings a database to {@link SCHEMA_VERSION}, each step in its own transaction.
 *
 * @param path  for messages
 * @throws {StateError} "state-newer": the file is ahead of this program
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = schemaVersion(db);
  if (version > SCHEMA_VERSION) throw newer(path, version);
  for (let at = version; at < SCHEMA_VERSION; at++) {
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec(MIGRATIONS[at]);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${at + 1}`);
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** The error of a file that a newer zonecast wrote. */
export function newer(path: string, version: number): StateError {
  return new StateError(
    "state-newer",
    `Cannot open state file "${path}": a newer zonecast wrote it ` +
      `(its version is ${version}, this one knows ${SCHEMA_VERSION})`,
    path,
    "run the newer zonecast, or give another --state; the zones are read from the source again",
  );
}
