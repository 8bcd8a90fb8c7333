/**
 * How a read begins: transaction, locks, snapshot, what there is and what was
 * touched, all in one round trip.
 *
 * First the tables are locked against TRUNCATE and rewrites, which are not
 * MVCC-safe: a snapshot taken before them sees an empty table. Only then the
 * snapshot is taken.
 *
 * Owns: what can be locked through a session.
 */
import type { Logger } from "../ops/mod.ts";
import { SourceError } from "./errors.ts";
import { runAll } from "./postgres_client.ts";
import type { ChangeRow } from "./postgres_feed.ts";
import {
  type Inventory,
  type Present,
  presentOf,
  presentQuery,
  type PresentRow,
} from "./postgres_present.ts";
import type { PostgresSession } from "./postgres_session.ts";

/** Longest wait for a table's lock, in ms. */
const LOCK_TIMEOUT_MS = 5000;

/** What to lock: less where the role, or the kind of relation, does not let us. */
type LockScope = "zones and records" | "zones" | "nothing";
const LESS: Record<LockScope, LockScope | undefined> = {
  "zones and records": "zones",
  "zones": "nothing",
  "nothing": undefined,
};

/** 42501: no privilege on a table behind a view; 42809: neither table nor view. */
const LOCK_REFUSALS: ReadonlySet<unknown> = new Set(["42501", "42809"]);
/** The lock timeout passed. */
const LOCKED = "55P03";

const BEGIN = "begin isolation level repeatable read read only";
const SETTINGS = [
  `set local lock_timeout = ${LOCK_TIMEOUT_MS}`,
  // As pg_dump has it: limits meant for an application would end a long read again and again.
  // A server that does not answer is found out by the session.
  "set local statement_timeout = 0",
  "set local idle_in_transaction_session_timeout = 0",
  // All rows are fetched: plans for the first few, as cursors get them, can be far slower.
  "set local cursor_tuple_fraction = 1",
];

/** What a read begins with. */
export interface Opening {
  readonly present: Present;
  /** The rows of the query for changes; empty without one. */
  readonly changes: readonly ChangeRow[];
}

export class ReadOpener {
  #scope: LockScope = "zones and records";

  constructor(readonly session: PostgresSession, readonly log: Logger) {}

  /**
   * Begins the transaction. Whatever comes of it, the transaction is to be ended.
   *
   * @param changesQuery  undefined: there is no feed to go on with
   * @throws {CannotLock} the relations cannot be locked; {@link lockLess} may help
   * @throws {OtherInventory} there is something else to read than was thought
   */
  async open(inventory: Inventory, changesQuery: string | undefined): Promise<Opening> {
    const lock = this.#lock(inventory);
    const queries = [presentQuery(inventory), ...changesQuery ? [changesQuery] : []];
    const { sql } = this.session.reader;
    try {
      const [[present], changes = []] = await this.session.answer(
        runAll(sql, [BEGIN, ...SETTINGS, ...lock, ...queries]),
      );
      const row = present as unknown as PresentRow;
      if (row.powerdns !== inventory.powerdns || row.any_view !== inventory.views) {
        throw new OtherInventory();
      }
      return {
        present: presentOf(row, this.session),
        changes: changes as unknown as readonly ChangeRow[],
      };
    } catch (error) {
      throw await this.#opening(error, inventory, lock);
    }
  }

  /** Locks less from now on. Returns whether that is possible. */
  lockLess(error: CannotLock): boolean {
    const less = LESS[this.#scope];
    if (!less) return false;
    this.log.warn("source tables cannot be locked for reading", {
      tables: this.#scope,
      reason: error.message,
      hint: "a TRUNCATE during a read may then show an empty zone; grant SELECT on them",
    });
    this.#scope = less;
    return true;
  }

  #tables(inventory: Inventory): string[] {
    if (this.#scope === "nothing") return [];
    return [
      "zonecast.zones",
      ...this.#scope === "zones and records" ? ["zonecast.records"] : [],
      ...inventory.obstacle ? [] : ["zonecast.changes"],
      ...inventory.powerdns ? ["zonecast.powerdns_zones", "zonecast.powerdns_records"] : [],
    ];
  }

  #lock(inventory: Inventory): string[] {
    const tables = this.#tables(inventory);
    return tables.length > 0 ? [`lock table ${tables.join()} in access share mode`] : [];
  }

  /** The error of an opening that failed, by what failed in it. */
  async #opening(error: unknown, inventory: Inventory, lock: readonly string[]): Promise<unknown> {
    const code = codeOf(error);
    if (code === LOCKED) return locked(this.#tables(inventory), error);
    if (!LOCK_REFUSALS.has(code) || lock.length === 0) return error;
    // A query may have been refused as well as the lock: only the lock itself tells.
    try {
      const alone = ["rollback", BEGIN, ...SETTINGS, ...lock];
      await this.session.answer(runAll(this.session.reader.sql, alone));
    } catch (refusal) {
      if (LOCK_REFUSALS.has(codeOf(refusal))) return new CannotLock(String(refusal));
    }
    return error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function locked(tables: readonly string[], cause: unknown): SourceError {
  return new SourceError(
    "source-locked",
    `Cannot read ${tables.join(", ")}: another session keeps them locked (waited ${
      LOCK_TIMEOUT_MS / 1000
    } s)`,
    "look for a long ALTER TABLE, TRUNCATE or VACUUM FULL in pg_stat_activity",
    { cause },
  );
}

/** There is something else to read than was thought: tables of PowerDNS, or views. */
export class OtherInventory extends Error {}

/** The relations cannot be locked by us, ever. */
export class CannotLock extends Error {}
