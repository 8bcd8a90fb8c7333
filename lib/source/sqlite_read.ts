/**
 * Reading zones and records from the SQLite file, and watching it for changes.
 *
 * Lives in the source's worker. Owns: a connection that is only asked whether
 * others changed the file (`data_version` tells of every connection but its
 * own), and one for each read, at whose snapshot everything is read.
 */
import type { DatabaseSync } from "node:sqlite";
import { sqliteError } from "./errors.ts";
import type { Reading, SourceLink, SourceRow, WakeReason, ZoneSettings } from "./source.ts";
import { type FileIdentity, identifyFile, openFile, prepared, sameFile } from "./sqlite_file.ts";

/** Between two looks at `data_version`, in ms: a look costs some microseconds. */
const LOOK_MS = 20;
/** Looks between two checks that the file is still where it was. */
const LOOKS_PER_CHECK = 10;
/** Before a file that cannot be opened is tried again, in ms. */
const RETRY_MS = 200;
/** Records in a batch. */
const BATCH_RECORDS = 2000;

/** A number as SQLite has it: integers beyond 2^53 lose digits, but arrive. */
const exact = (column: string) =>
  `case typeof(${column}) when 'integer' then cast(${column} as real) else ${column} end`;

const ZONES = `select name, mname, rname, ${exact("refresh")} as refresh,
  ${exact("retry")} as retry, ${exact("expire")} as expire, ${exact("minimum")} as minimum,
  ${exact("default_ttl")} as defaultTtl, ${exact("soa_ttl")} as soaTtl,
  ${exact("serial_floor")} as serialFloor from zones order by name`;

/** The enabled rows; `condition` narrows them further. */
export function selectRecords(condition = ""): string {
  return `select zone, name, type, ${exact("ttl")} as ttl, content from records
    where disabled is not true ${condition}`;
}

type Value = unknown;

/** A row of {@link selectRecords}; SQLite columns may hold anything. */
export function sourceRow(row: Record<string, Value>): SourceRow {
  return {
    zone: String(row.zone ?? ""),
    name: String(row.name ?? ""),
    type: String(row.type ?? ""),
    ttl: numberOrNull(row.ttl),
    content: String(row.content ?? ""),
  };
}

function numberOrNull(value: Value): number | null {
  return value === null ? null : Number(value);
}

export function readZones(db: DatabaseSync): ZoneSettings[] {
  return db.prepare(ZONES).all().map((row) => ({
    name: String(row.name),
    mname: String(row.mname),
    rname: String(row.rname),
    refresh: Number(row.refresh),
    retry: Number(row.retry),
    expire: Number(row.expire),
    minimum: Number(row.minimum),
    defaultTtl: Number(row.defaultTtl),
    soaTtl: numberOrNull(row.soaTtl),
    serialFloor: numberOrNull(row.serialFloor),
  }));
}

/**
 * Everything, at one snapshot.
 *
 * @param send  takes a batch; awaited, so that a slow consumer slows the read;
 *   what it throws ends the read
 */
export async function readEverything(
  path: string,
  send: (rows: SourceRow[], zones: ZoneSettings[]) => Promise<void>,
): Promise<Reading> {
  const db = openFile(path, false);
  try {
    db.prepare("begin").run();
    const zones = readZones(db); // the first read fixes the snapshot
    let batch: SourceRow[] = [];
    for (const row of db.prepare(selectRecords()).iterate()) {
      if (batch.push(sourceRow(row)) < BATCH_RECORDS) continue;
      await send(batch, zones);
      batch = [];
    }
    if (batch.length > 0) await send(batch, zones);
    const file = identifyFile(path);
    return {
      cursor: JSON.stringify({ device: file?.device, inode: file?.inode }),
      zones,
      scope: "everything",
    };
  } finally {
    db.close();
  }
}

/** Watches the file from its making to {@link close}, and through times it is away. */
export class FileWatch {
  #db: DatabaseSync | undefined;
  #file: FileIdentity | undefined;
  #version: unknown;
  #everOpen = false;
  #looks = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #link: SourceLink = { up: false, since: Date.now(), reason: "not opened yet" };

  /** @param create  make the file when it is not there at the start */
  constructor(
    readonly path: string,
    readonly create: boolean,
    readonly wake: (reason: WakeReason) => void,
    readonly linkChanged: (link: SourceLink) => void,
  ) {
    this.#tick();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#db?.close();
    this.#db = undefined;
  }

  #tick(): void {
    let pauseMs = LOOK_MS;
    try {
      if (this.#db) this.#look(this.#db);
      else this.#open();
    } catch (error) {
      this.close();
      const { message, hint } = sqliteError(error, `sqlite file "${this.path}"`);
      this.#setLink(false, message, hint);
      pauseMs = RETRY_MS;
    }
    this.#timer = setTimeout(() => this.#tick(), pauseMs);
  }

  #open(): void {
    // Only a first start makes the file: one that went away is waited for.
    this.#db = openFile(this.path, this.create && !this.#everOpen);
    this.#file = identifyFile(this.path);
    this.#version = dataVersion(this.#db);
    this.#setLink(true, undefined);
    this.wake(this.#everOpen ? "reconnect" : "start");
    this.#everOpen = true;
  }

  #look(db: DatabaseSync): void {
    if (++this.#looks % LOOKS_PER_CHECK === 0 && !sameFile(this.#file, identifyFile(this.path))) {
      throw new Error("it was removed or replaced while open");
    }
    const version = dataVersion(db);
    if (version === this.#version) return;
    this.#version = version;
    this.wake("notification");
  }

  #setLink(up: boolean, reason: string | undefined, hint?: string): void {
    if (up === this.#link.up && reason === this.#link.reason) return;
    const since = up === this.#link.up ? this.#link.since : Date.now();
    this.#link = { up, since, reason, hint };
    this.linkChanged(this.#link);
  }
}

function dataVersion(db: DatabaseSync): unknown {
  return prepared(db, "pragma data_version").get()?.data_version;
}
