/**
 * What the guard remembers of zones, in the state file.
 *
 * Owns: prepared statements on the table `guard`. Synchronous; called within a
 * transaction or snapshot. Every row carries a CRC-32.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { blob, blobKey, DamagedRow, integer, keyBlob, text } from "./columns.ts";
import type { GuardNote, GuardNoteKind } from "./state_store.ts";

export class GuardTable {
  readonly #all: StatementSync;
  readonly #set: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteZone: StatementSync;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM guard");
    this.#set = db.prepare("INSERT OR REPLACE INTO guard VALUES (?, ?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM guard WHERE apex_key = ? AND kind = ?");
    this.#deleteZone = db.prepare("DELETE FROM guard WHERE apex_key = ?");
  }

  /** @throws {DamagedRow} a row is damaged */
  read(): GuardNote[] {
    return this.#all.all().map((row) => {
      const apexKey = blobKey(blob(row, "apex_key"));
      const kind = text(row, "kind");
      const value = text(row, "value");
      if (integer(row, "checksum") !== checksum(apexKey, kind, value)) {
        throw new DamagedRow("what the guard remembers of a zone is damaged");
      }
      return { apexKey, kind: kind as GuardNoteKind, value };
    });
  }

  /** Keeps these; those without a value go. */
  keep(notes: readonly GuardNote[]): void {
    for (const { apexKey, kind, value } of notes) {
      const key = keyBlob(apexKey);
      if (value === undefined) this.#delete.run(key, kind);
      else this.#set.run(key, kind, value, checksum(apexKey, kind, value));
    }
  }

  /** Forgets a zone. */
  removeZone(apexKey: string): void {
    this.#deleteZone.run(keyBlob(apexKey));
  }
}

function checksum(apexKey: string, kind: string, value: string): number {
  return crc32(value, crc32(kind, crc32(keyBlob(apexKey))));
}
