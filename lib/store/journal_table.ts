/**
 * The journal in the state file: every difference published, a chain per zone.
 *
 * Owns: prepared statements on the table `journal`. Synchronous; called within
 * a transaction or snapshot. The chain is read back from its newest end, which
 * the zone keeps: a row that is broken, missing or exchanged is noticed there,
 * the newer ones stay good.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { compareSerials, equalOctets } from "../dns/mod.ts";
import { soaSerial } from "../zone/mod.ts";
import { blob, DamagedRow, integer, type Row, text } from "./columns.ts";
import { choosePurge, type JournalLimits, type JournalSize, ROW_OCTETS } from "./journal_bounds.ts";
import { NO_CHAIN, rowChain, verifiedDiff } from "./journal_chain.ts";
import type { JournalPart, JournalSpan } from "./journal_part.ts";
import type { WireDiff } from "./protocol.ts";
import { readSoa } from "./soa.ts";
import type { JournalEntry } from "./state_store.ts";

/** What the zone itself says about its journal. */
export interface JournalEnd {
  readonly zone: number;
  readonly apexKey: string;
  readonly serial: number;
  /** The SOA served, uncompressed wire. */
  readonly soa: Uint8Array;
  /** Chain of the newest row; {@link NO_CHAIN} without rows. */
  readonly chain: Uint8Array;
}

/** A difference to append. */
export interface JournalRow {
  readonly diff: WireDiff;
  readonly cause: string;
  readonly publishedAt: number;
}

/** What is left of a zone's journal. */
export interface JournalRest {
  readonly isEmpty: boolean;
  /** What the rows left take. */
  readonly octets: number;
}

/** Columns before the lists, which may be long. */
const HEAD = "id, from_serial, to_serial, published_at, removed_count, added_count, octets, cause";

/** Journal rows by zone id. */
export class JournalTable {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #newest: StatementSync;
  readonly #list: StatementSync;
  readonly #oldest: StatementSync;
  readonly #findFrom: StatementSync;
  readonly #findAmongRows: StatementSync;
  readonly #findTo: StatementSync;
  readonly #octets: StatementSync;
  readonly #newestFirst: StatementSync;
  readonly #sizes: StatementSync;
  readonly #drop: StatementSync;
  readonly #left: StatementSync;
  readonly #figures: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare(
      `INSERT INTO journal (zone, from_serial, to_serial, published_at, removed_count, added_count,
         octets, cause, previous_chain, chain, from_soa, to_soa, removed, added)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#newest = db.prepare(
      "SELECT id, to_serial, chain, to_soa FROM journal WHERE zone = ? ORDER BY id DESC LIMIT 1",
    );
    this.#list = db.prepare(
      `SELECT ${HEAD} FROM journal WHERE zone = ? ORDER BY id DESC LIMIT ?`,
    );
    this.#oldest = db.prepare(
      "SELECT from_serial FROM journal WHERE zone = ? ORDER BY id LIMIT 1",
    );
    this.#findFrom = db.prepare(
      `SELECT id FROM journal WHERE zone = ? AND from_serial = ? AND id <= ?
       ORDER BY id DESC LIMIT 2`,
    );
    // Keeps off the index by serial, which is in doubt where this is asked; it reads the
    // zone's rows up to an id, without their lists: as many as the journal has, at most.
    this.#findAmongRows = db.prepare(
      `SELECT id FROM journal INDEXED BY journal_by_zone
       WHERE zone = ? AND from_serial = ? AND id <= ? ORDER BY id DESC LIMIT 2`,
    );
    this.#findTo = db.prepare(
      `SELECT id FROM journal INDEXED BY journal_by_zone
       WHERE zone = ? AND to_serial = ? ORDER BY id DESC LIMIT 1`,
    );
    this.#octets = db.prepare(
      `SELECT count(*) AS count, coalesce(sum(octets), 0) AS octets FROM journal
       WHERE zone = ? AND id BETWEEN ? AND ?`,
    );
    this.#newestFirst = db.prepare(
      `SELECT ${HEAD}, previous_chain, chain, from_soa, to_soa, removed, added FROM journal
       WHERE zone = ? AND id >= ? ORDER BY id DESC`,
    );
    // The lengths of blobs are read without the blobs.
    this.#sizes = db.prepare(
      `SELECT id, published_at, length(removed) + length(added) AS octets FROM journal
       WHERE zone = ? ORDER BY id`,
    );
    this.#drop = db.prepare("DELETE FROM journal WHERE zone = ? AND id <= ?");
    // Counted in the index; the first id is the oldest difference.
    this.#figures = db.prepare(
      `SELECT count(*) AS differences,
         (SELECT published_at FROM journal ORDER BY id LIMIT 1) AS oldest FROM journal`,
    );
    this.#left = db.prepare(
      `SELECT count(*) AS rows, coalesce(sum(length(removed) + length(added)), 0) AS octets
       FROM journal WHERE zone = ?`,
    );
  }

  /**
   * What is wrong with the newest row as far as a glance shows; undefined when
   * it is the one the zone speaks of.
   */
  endProblem(end: JournalEnd): string | undefined {
    try {
      return this.#endProblem(end);
    } catch (error) {
      if (error instanceof DamagedRow) return `its newest row is damaged: ${error.message}`;
      throw error;
    }
  }

  #endProblem(end: JournalEnd): string | undefined {
    const row = this.#newest.get(end.zone);
    if (equalOctets(end.chain, NO_CHAIN)) return row && "it has rows the zone does not know of";
    if (!row) return "its rows are missing";
    if (!equalOctets(blob(row, "chain"), end.chain)) return "its newest row is missing or another";
    if (integer(row, "to_serial") !== end.serial || !equalOctets(blob(row, "to_soa"), end.soa)) {
      return "its newest row does not lead to the zone's SOA";
    }
    return undefined;
  }

  /**
   * Appends a difference; {@link endProblem} has found nothing.
   *
   * @returns the new row's id, the new chain, and what the row takes in octets
   */
  append(end: JournalEnd, row: JournalRow): { id: number; chain: Uint8Array; octets: number } {
    const { diff, cause, publishedAt } = row;
    const fromSerial = soaSerial(readSoa(diff.fromSoa));
    const toSerial = soaSerial(readSoa(diff.toSoa));
    const head = { apexKey: end.apexKey, fromSerial, toSerial, publishedAt, cause };
    const chain = rowChain(end.chain, head, diff);
    const octets = diff.removed.octets.length + diff.added.octets.length;
    const { lastInsertRowid: id } = this.#insert.run(
      end.zone,
      fromSerial,
      toSerial,
      publishedAt,
      diff.removed.count,
      diff.added.count,
      octets,
      cause,
      end.chain,
      chain,
      diff.fromSoa,
      diff.toSoa,
      diff.removed.octets,
      diff.added.octets,
    );
    return { id: Number(id), chain, octets: octets + ROW_OCTETS };
  }

  /** The rows of a zone without their lists, oldest first. */
  list(zone: number, newest = -1): JournalEntry[] {
    return this.#list.all(zone, newest).reverse().map((row) => ({
      fromSerial: integer(row, "from_serial"),
      toSerial: integer(row, "to_serial"),
      publishedAt: integer(row, "published_at"),
      cause: text(row, "cause"),
      added: integer(row, "added_count"),
      removed: integer(row, "removed_count"),
      octets: integer(row, "octets"),
    }));
  }

  /** The serial the oldest row of a zone starts from; undefined without rows. */
  oldestSerial(zone: number): number | undefined {
    const row = this.#oldest.get(zone);
    return row && integer(row, "from_serial");
  }

  /** The differences asked for, verified: from the zone's own SOA back to the oldest of them. */
  differences(end: JournalEnd, { fromSerial, toSerial, maxOctets }: JournalSpan): JournalPart {
    const to = toSerial === undefined || toSerial === end.serial
      ? Number.MAX_SAFE_INTEGER
      : this.#idOf(this.#findTo.get(end.zone, toSerial));
    if (to === undefined) return { kind: "unknown" };
    const shown = this.#findFrom.all(end.zone, fromSerial, to);
    const from = this.#idOf(shown[0]);
    if (from === undefined || shown.length > 1) {
      return this.#notOne(end.zone, fromSerial, to, shown.length);
    }
    const sum = this.#octets.get(end.zone, from, to) ?? {};
    const octets = integer(sum, "octets");
    if (octets > maxOctets && integer(sum, "count") > 1) return { kind: "long", octets };
    const diffs: WireDiff[] = [];
    let reached: number | undefined;
    for (const { id, diff } of this.#back(end, from)) {
      if (!diff) return { kind: "broken", at: id };
      if (id <= to) diffs.push(diff);
      reached = id;
    }
    const [oldest] = diffs.reverse();
    const isFrom = reached === from && soaSerial(readSoa(oldest.fromSoa)) === fromSerial;
    return isFrom ? { kind: "kept", diffs } : { kind: "index" };
  }

  /** Where the index does not show one row from a serial: so it is, or the index is damaged. */
  #notOne(zone: number, fromSerial: number, to: number, shown: number): JournalPart {
    const oldest = this.oldestSerial(zone);
    // Most that ask for what is unknown come late: no row is looked at for them.
    const isLate = oldest === undefined || compareSerials(fromSerial, oldest) === -1;
    if (shown === 0 && isLate) return { kind: "unknown" };
    const { length } = this.#findAmongRows.all(zone, fromSerial, to);
    if (length !== shown) return { kind: "index" };
    return { kind: length === 0 ? "unknown" : "ambiguous" };
  }

  /** Id of the newest row that is broken; undefined when all are whole. */
  brokenAt(end: JournalEnd): number | undefined {
    for (const { id, diff } of this.#back(end, 0)) if (!diff) return id;
    return undefined;
  }

  #idOf(row: Row | undefined): number | undefined {
    return row && integer(row, "id");
  }

  /** Writes the index by serial anew, from the rows of all zones. */
  reindex(): void {
    this.#db.prepare("REINDEX journal_by_serial").run(); // prepared: else errors have no result code
  }

  /** How many differences there are of all zones, and when the oldest was published. */
  figures(): { differences: number; oldestAt: number | undefined } {
    const row = this.#figures.get()!;
    const differences = integer(row, "differences");
    return { differences, oldestAt: differences === 0 ? undefined : integer(row, "oldest") };
  }

  /** Follows the chain from its end back to a row; stops at the first that is broken. */
  *#back(end: JournalEnd, from: number): Generator<{ id: number; diff: WireDiff | undefined }> {
    let { chain, soa } = end;
    for (const row of this.#newestFirst.iterate(end.zone, from)) {
      const diff = verifiedDiff(row, end.apexKey, chain, soa);
      yield { id: integer(row, "id"), diff };
      if (!diff) return;
      chain = blob(row, "previous_chain");
      soa = diff.fromSoa;
    }
  }

  /**
   * Removes the oldest rows until the others are within limits.
   *
   * @param octets  what all rows take, as the zone says
   * @param newest  id of the newest row
   */
  purge(zone: number, octets: number, newest: number, limits: JournalLimits): JournalRest {
    const { upTo, octets: left } = choosePurge(this.#sizesOf(zone), octets, newest, limits);
    if (upTo !== undefined) this.#drop.run(zone, upTo);
    // What the zone said can only come to so little when it was damaged.
    if (left < ROW_OCTETS && upTo !== newest) return this.#rest(zone);
    return { isEmpty: upTo === newest, octets: left };
  }

  *#sizesOf(zone: number): Generator<JournalSize> {
    for (const row of this.#sizes.iterate(zone)) {
      yield {
        id: integer(row, "id"),
        octets: integer(row, "octets"),
        publishedAt: integer(row, "published_at"),
      };
    }
  }

  /** Removes rows up to an id, or all. */
  drop(zone: number, upTo: number = Number.MAX_SAFE_INTEGER): JournalRest {
    this.#drop.run(zone, upTo);
    return this.#rest(zone);
  }

  #rest(zone: number): JournalRest {
    const left = this.#left.get(zone) ?? {};
    const rows = integer(left, "rows");
    return { isEmpty: rows === 0, octets: integer(left, "octets") + rows * ROW_OCTETS };
  }
}
