/**
 * What can go wrong with the state file, and what the operator does about it. Pure.
 *
 * One table maps SQLite's result codes to ours.
 */
import { ZonecastError } from "../dns/mod.ts";
import { DamagedRow } from "./columns.ts";

/** What a {@link StateError} is about; its stable codes. */
export type StateErrorCode =
  /** No space left for the file. */
  | "state-disk-full"
  /** The file's content is broken: {@link setAside} it and start a new one. */
  | "state-damaged"
  /** The file is a database of something else; nothing was changed in it. */
  | "state-foreign"
  /** A newer zonecast wrote the file. */
  | "state-newer"
  /** An older zonecast wrote the file, and it was opened read-only. */
  | "state-older"
  /** The file may not be written. */
  | "state-read-only"
  /** The file is not there. */
  | "state-missing"
  /** The file cannot be opened or made. */
  | "state-unopenable"
  /** The file was removed or replaced while it was open. */
  | "state-moved"
  /** Another server holds the file. */
  | "state-in-use"
  /** Another program kept the file locked for longer than the busy timeout. */
  | "state-busy"
  /** The disk or file system failed. */
  | "state-io"
  /** A version to publish does not follow the one stored; nothing was written. */
  | "state-diverged"
  /** Part of a zone's journal, or its index, is broken or missing; the zone itself is whole. */
  | "journal-damaged"
  /** The list of bad rows is broken; the zones are whole. */
  | "problems-damaged"
  /** More differences were asked for at once than are read into memory. */
  | "journal-too-long"
  /** The store was closed. */
  | "state-closed"
  /** The store's worker ended unexpectedly. */
  | "state-worker"
  /** Any other failure of SQLite. */
  | "state-failed";

/** An error of the state file. */
export class StateError extends ZonecastError {
  override readonly name = "StateError";

  /**
   * @param path  the state file
   * @param errcode  SQLite's extended result code, where SQLite gave one
   */
  constructor(
    override readonly code: StateErrorCode,
    message: string,
    readonly path: string,
    hint?: string,
    readonly errcode?: number,
    options?: ErrorOptions,
  ) {
    super(code, message, hint, options);
  }
}

/** Where problems go when nobody asks for them. */
export function reportToConsole(problem: StateError): void {
  console.error(`zonecast: ${problem.message}${problem.hint ? ` (${problem.hint})` : ""}`);
}

/** A {@link StateError} as it travels between the worker and the main thread. */
export interface StateErrorFields {
  readonly code: StateErrorCode;
  readonly message: string;
  readonly path: string;
  readonly hint: string | undefined;
  readonly errcode: number | undefined;
}

/** The fields of an error, ready for structured cloning. */
export function errorFields(error: StateError): StateErrorFields {
  const { code, message, path, hint, errcode } = error;
  return { code, message, path, hint, errcode };
}

/** The error its fields describe. */
export function errorFromFields(fields: StateErrorFields): StateError {
  return new StateError(fields.code, fields.message, fields.path, fields.hint, fields.errcode);
}

/** What SQLite's result codes mean to us: primary codes and a few extended ones. */
const CAUSES: Readonly<Record<number, readonly [StateErrorCode, string]>> = {
  5: ["state-busy", "another program holds a lock on it"],
  6: ["state-busy", "another program holds a lock on it"],
  8: ["state-read-only", "it may not be written"],
  10: ["state-io", "the disk or file system failed"],
  11: ["state-damaged", "its content is damaged"],
  13: ["state-disk-full", "the disk is full"],
  14: ["state-unopenable", "it cannot be opened"],
  23: ["state-unopenable", "access to it is denied"],
  26: ["state-damaged", "it is not a database"],
  522: ["state-damaged", "it is cut off"], // SQLITE_IOERR_SHORT_READ
  4874: ["state-disk-full", "the disk is full"], // SQLITE_IOERR_SHMSIZE
};

const HINTS: Readonly<Partial<Record<StateErrorCode, string>>> = {
  "state-busy": "end the other program that writes to it; zonecast must be its only writer",
  "state-read-only": "make the file and its directory writable for zonecast's user",
  "state-io": "see the kernel log; move the file to a sound disk",
  "state-damaged":
    "zonecast can set it aside and start a new one from the source; the journal is lost then",
  "state-disk-full": "free some space on its file system; the version served stays as it is",
  "state-unopenable":
    "its directory must exist; it is opened as the user zonecast serves as (or give another --state)",
};

/**
 * The {@link StateError} of whatever was thrown while working on the state file;
 * a StateError comes back as it is.
 *
 * @param doing  what was tried, as it follows "Cannot": "open", "publish to"
 */
export function toStateError(error: unknown, path: string, doing: string): StateError {
  if (error instanceof StateError) return error;
  if (error instanceof DamagedRow) return damaged(path, error.message, error);
  const text = error instanceof Error ? error.message : String(error);
  const errcode = sqliteErrcode(error);
  const [code, what] = cause(error, errcode);
  return new StateError(
    code,
    `Cannot ${doing} state file "${path}": ${what === text ? what : `${what} (${text})`}`,
    path,
    HINTS[code],
    errcode,
    { cause: error },
  );
}

function cause(error: unknown, errcode: number | undefined): readonly [StateErrorCode, string] {
  if (errcode !== undefined) {
    const known = CAUSES[errcode] ?? CAUSES[errcode & 0xff];
    if (known) return known;
  }
  const text = error instanceof Error ? error.message : String(error);
  // Opening gives no result code in Deno 2.7, only SQLite's words for it.
  if (text.startsWith("unable to open database file")) return CAUSES[14];
  // node:sqlite reads no integer beyond 2^53; we write none.
  if (error instanceof RangeError) return CAUSES[11];
  if (error instanceof Deno.errors.NotFound) return ["state-unopenable", "no such directory"];
  if (error instanceof Deno.errors.PermissionDenied) return CAUSES[23];
  if (text.includes("os error 28")) return CAUSES[13]; // ENOSPC
  if (text.includes("os error 30")) return CAUSES[8]; // EROFS
  return ["state-failed", text];
}

/** Whether SQLite says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return sqliteSays(error) === "state-disk-full";
}

/** Whether SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return sqliteSays(error) === "state-damaged";
}

function sqliteSays(error: unknown): StateErrorCode | undefined {
  const errcode = sqliteErrcode(error) ?? 0;
  return (CAUSES[errcode] ?? CAUSES[errcode & 0xff])?.[0];
}

/** SQLite's extended result code in an error of `node:sqlite`. */
function sqliteErrcode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** The error of a state file whose content contradicts itself. */
export function damaged(path: string, what: string, cause?: unknown): StateError {
  return new StateError(
    "state-damaged",
    `Cannot use state file "${path}": ${what}`,
    path,
    HINTS["state-damaged"],
    undefined,
    { cause },
  );
}
