/**
 * The owners still to be published, in the state file.
 *
 * Owns: prepared statements on the table `pending`, and what it holds, so that
 * only what changed is written. Synchronous; called within a transaction or
 * snapshot. Every row carries a CRC-32; their number and XOR stand in `meta`.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { DamagedRow, integer, text } from "./columns.ts";
import type { PendingOwners } from "./state_store.ts";

/** One row: an owner, or null for a whole zone. */
type Owner = string | null;

/** Zones by name, each with its rows by owner and their ids. */
type Rows = Map<string, Map<Owner, number>>;

/** Pending owners by zone name. */
export class PendingTable {
  readonly #all: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  /** What the table holds; undefined before it was read, or when that is not known any more. */
  #known: Rows | undefined;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT id, zone, owner, checksum FROM pending");
    this.#insert = db.prepare(
      "INSERT INTO pending (zone, owner, checksum) VALUES (?, ?, ?) RETURNING id",
    );
    this.#delete = db.prepare("DELETE FROM pending WHERE id = ?");
  }

  /**
   * All pending owners, with their sum, to be compared with the one kept.
   *
   * @throws {DamagedRow} a row is damaged
   */
  read(): { pending: Map<string, Set<string> | "all">; sum: string } {
    const pending = new Map<string, Set<string> | "all">();
    const rows = this.#readRows();
    this.#known = rows;
    for (const [zone, owners] of rows) {
      const names = [...owners.keys()].filter((owner) => owner !== null);
      pending.set(zone, owners.has(null) ? "all" : new Set(names));
    }
    return { pending, sum: sumOf(rows) };
  }

  /**
   * Makes the table hold exactly these; returns their sum, or undefined when
   * nothing changed.
   *
   * @throws {DamagedRow} a row there is damaged
   */
  replace(pending: PendingOwners): string | undefined {
    const rows = this.#known ?? this.#readRows();
    this.#known = undefined; // until all is written
    let changed = false;
    for (const [zone, owners] of rows) {
      const wanted = pending.get(zone);
      for (const [owner, id] of owners) {
        if (isIn(wanted, owner)) continue;
        this.#delete.run(id);
        owners.delete(owner);
        changed = true;
      }
    }
    for (const [zone, wanted] of pending) {
      const owners = getOrAdd(rows, zone);
      for (const owner of wanted === "all" ? [null] : wanted) {
        if (owners.has(owner)) continue;
        const row = this.#insert.get(zone, owner, checksum(zone, owner));
        owners.set(owner, integer(row ?? {}, "id"));
        changed = true;
      }
    }
    for (const [zone, owners] of rows) if (owners.size === 0) rows.delete(zone);
    this.#known = rows;
    return changed ? sumOf(rows) : undefined;
  }

  /** To be called when a transaction was rolled back: what was written is not there. */
  forget(): void {
    this.#known = undefined;
  }

  #readRows(): Rows {
    const rows: Rows = new Map();
    for (const row of this.#all.iterate()) {
      const zone = text(row, "zone");
      const owner = row.owner === null ? null : text(row, "owner");
      if (integer(row, "checksum") !== checksum(zone, owner)) {
        throw new DamagedRow(`a pending owner of zone "${zone}" is damaged`);
      }
      getOrAdd(rows, zone).set(owner, integer(row, "id"));
    }
    return rows;
  }
}

/** The sum of a table without rows. */
export const NO_PENDING = "0 0";

/** Number and XOR of the checksums of rows, as kept in `meta`. */
function sumOf(rows: Rows): string {
  let count = 0;
  let sum = 0;
  for (const [zone, owners] of rows) {
    for (const owner of owners.keys()) {
      count++;
      sum = (sum ^ checksum(zone, owner)) >>> 0;
    }
  }
  return `${count} ${sum}`;
}

function isIn(wanted: ReadonlySet<string> | "all" | undefined, owner: Owner): boolean {
  if (wanted === undefined) return false;
  return wanted === "all" ? owner === null : owner !== null && wanted.has(owner);
}

function getOrAdd(rows: Rows, zone: string): Map<Owner, number> {
  let owners = rows.get(zone);
  if (!owners) rows.set(zone, owners = new Map());
  return owners;
}

/** CRC-32 of a row; the zone's length first, so that no two rows read the same. */
function checksum(zone: string, owner: Owner): number {
  return crc32(`${zone.length} ${zone} ${owner === null ? "" : `=${owner}`}`);
}
