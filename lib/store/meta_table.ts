/**
 * Single values of the state file: its identity, the source's cursor, the
 * number of zones, the sums of the pending owners and of the problems.
 *
 * Owns: prepared statements on the table `meta`. Synchronous; called within a
 * transaction or snapshot.
 */
import { randomBytes } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { DamagedRow, integer, text } from "./columns.ts";
import { NO_PENDING } from "./pending_table.ts";

/** Octets of a state file's identity. */
const INSTANCE_OCTETS = 16;

/** All single values. */
export interface Meta {
  /** The file's identity, 32 hex digits. */
  readonly instance: string;
  /** The cursor kept last; undefined before the first. */
  readonly cursor: string | undefined;
  /** Number of zones stored. */
  readonly zones: number;
  /** Sum of the pending owners. */
  readonly pending: string;
  /** Sum of the problems; undefined when none were ever kept. */
  readonly problems: string | undefined;
}

/** Values by name. */
export class MetaTable {
  readonly #all: StatementSync;
  readonly #set: StatementSync;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT name, value, checksum FROM meta");
    this.#set = db.prepare(
      `INSERT INTO meta (name, value, checksum) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, checksum = excluded.checksum`,
    );
  }

  /** Sets some values. */
  set(values: Partial<Meta>): void {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) continue;
      const written = String(value);
      this.#set.run(name, written, checksum(name, written));
    }
  }

  /** @throws {DamagedRow} a value is damaged or missing */
  read(): Meta {
    const values = new Map<string, string>();
    for (const row of this.#all.iterate()) {
      const name = text(row, "name");
      const value = text(row, "value");
      if (integer(row, "checksum") !== checksum(name, value)) {
        throw new DamagedRow(`the value "${name}" is damaged`);
      }
      values.set(name, value);
    }
    const instance = values.get("instance");
    const zones = values.get("zones");
    if (instance === undefined) throw new DamagedRow("it has lost its identity");
    if (zones === undefined) throw new DamagedRow("it has lost the number of its zones");
    return {
      instance,
      zones: Number(zones),
      cursor: values.get("cursor"),
      pending: values.get("pending") ?? NO_PENDING, // none was ever written
      problems: values.get("problems"),
    };
  }
}

/** The values of a new file. */
export function newMeta(): Meta {
  const instance = randomBytes(INSTANCE_OCTETS).toString("hex");
  return { instance, zones: 0, cursor: undefined, pending: NO_PENDING, problems: undefined };
}

function checksum(name: string, value: string): number {
  return crc32(value, crc32(name));
}
