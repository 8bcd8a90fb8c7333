/**
 * The journal in the state file: every difference published, a chain per zone.
 *
 * Owns: prepared statements on the table `journal`. Synchronous; called within
 * a transaction or snapshot. Each row holds a SHA-256 over its fields and the
 * hash of the row before, and the zone keeps the newest hash: a row that is
 * broken, missing or exchanged is noticed when the chain is read back from its
 * newest end. What lies behind it in time stays good.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { createHash } from "node:crypto";
import { equalOctets } from "../dns/mod.ts";
import { soaSerial } from "../zone/mod.ts";
import { blob, DamagedRow, integer, keyBlob, type Row, text } from "./columns.ts";
import type { WireDiff } from "./protocol.ts";
import { readSoa, soaColumn } from "./soa.ts";
import type { JournalEntry } from "./state_store.ts";

/** The chain before a zone's first difference. */
export const NO_CHAIN: Uint8Array = new Uint8Array(32);

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

/** Differences as read back. */
export interface JournalPart {
  /** Oldest first; undefined when they are not all there. */
  readonly diffs: WireDiff[] | undefined;
  /** Id of the newest row that is no good; it and all older ones are of no use. */
  readonly brokenAt: number | undefined;
}

/** Columns before the lists, which may be long. */
const HEAD = "id, from_serial, to_serial, published_at, removed_count, added_count, octets, cause";

/** Journal rows by zone id. */
export class JournalTable {
  readonly #insert: StatementSync;
  readonly #newest: StatementSync;
  readonly #list: StatementSync;
  readonly #find: StatementSync;
  readonly #back: StatementSync;
  readonly #drop: StatementSync;
  readonly #left: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      `INSERT INTO journal (zone, from_serial, to_serial, published_at, removed_count, added_count,
         octets, cause, previous_chain, chain, from_soa, to_soa, removed, added)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#newest = db.prepare(
      "SELECT id, to_serial, chain, to_soa FROM journal WHERE zone = ? ORDER BY id DESC LIMIT 1",
    );
    this.#list = db.prepare(`SELECT ${HEAD} FROM journal WHERE zone = ? ORDER BY id`);
    this.#find = db.prepare(
      "SELECT id FROM journal WHERE zone = ? AND from_serial = ? ORDER BY id DESC LIMIT 1",
    );
    this.#back = db.prepare(
      `SELECT ${HEAD}, previous_chain, chain, from_soa, to_soa, removed, added FROM journal
       WHERE zone = ? AND id >= ? ORDER BY id DESC`,
    );
    this.#drop = db.prepare("DELETE FROM journal WHERE zone = ? AND id <= ?");
    this.#left = db.prepare(
      "SELECT count(*) AS count, coalesce(sum(octets), 0) AS octets FROM journal WHERE zone = ?",
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

  /** Appends a difference; {@link endProblem} has found nothing. Returns the new chain and the octets. */
  append(end: JournalEnd, row: JournalRow): { chain: Uint8Array; octets: number } {
    const { diff, cause, publishedAt } = row;
    const fromSerial = soaSerial(readSoa(diff.fromSoa));
    const toSerial = soaSerial(readSoa(diff.toSoa));
    const chain = nextChain(end.chain, end.apexKey, fromSerial, toSerial, publishedAt, cause, diff);
    const octets = diff.removed.octets.length + diff.added.octets.length;
    this.#insert.run(
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
    return { chain, octets };
  }

  /** The rows of a zone without their lists, oldest first. */
  list(zone: number): JournalEntry[] {
    return this.#list.all(zone).map((row) => ({
      fromSerial: integer(row, "from_serial"),
      toSerial: integer(row, "to_serial"),
      publishedAt: integer(row, "published_at"),
      cause: text(row, "cause"),
      added: integer(row, "added_count"),
      removed: integer(row, "removed_count"),
      octets: integer(row, "octets"),
    }));
  }

  /** The differences from a serial to the zone's, verified from the newest back. */
  differences(end: JournalEnd, fromSerial: number): JournalPart {
    const first = this.#find.get(end.zone, fromSerial);
    if (!first) return { diffs: undefined, brokenAt: undefined };
    const diffs: WireDiff[] = [];
    let { chain, soa } = end;
    for (const row of this.#back.iterate(end.zone, integer(first, "id"))) {
      const diff = verifiedDiff(row, end.apexKey, chain, soa);
      if (!diff) return { diffs: undefined, brokenAt: integer(row, "id") };
      diffs.push(diff);
      chain = blob(row, "previous_chain");
      soa = diff.fromSoa;
    }
    return { diffs: diffs.reverse(), brokenAt: undefined };
  }

  /** Removes rows up to an id, or all. Returns what is left. */
  drop(zone: number, upTo: number = Number.MAX_SAFE_INTEGER): { rows: number; octets: number } {
    this.#drop.run(zone, upTo);
    const left = this.#left.get(zone) ?? {};
    return { rows: integer(left, "count"), octets: integer(left, "octets") };
  }
}

/** The difference in a row, if the row is whole and is the one its successor builds on. */
function verifiedDiff(
  row: Row,
  apexKey: string,
  chain: Uint8Array,
  toSoa: Uint8Array,
): WireDiff | undefined {
  try {
    const diff: WireDiff = {
      fromSoa: soaColumn(row, "from_soa").octets,
      toSoa: soaColumn(row, "to_soa").octets,
      removed: { octets: blob(row, "removed"), count: integer(row, "removed_count") },
      added: { octets: blob(row, "added"), count: integer(row, "added_count") },
    };
    const made = nextChain(
      blob(row, "previous_chain"),
      apexKey,
      integer(row, "from_serial"),
      integer(row, "to_serial"),
      integer(row, "published_at"),
      text(row, "cause"),
      diff,
    );
    const whole = equalOctets(made, chain) && equalOctets(diff.toSoa, toSoa);
    return whole ? diff : undefined;
  } catch (error) {
    if (error instanceof DamagedRow) return undefined;
    throw error;
  }
}

/** SHA-256 of the chain so far and a row's fields, each preceded by its length. */
function nextChain(
  previous: Uint8Array,
  apexKey: string,
  fromSerial: number,
  toSerial: number,
  publishedAt: number,
  cause: string,
  diff: WireDiff,
): Uint8Array {
  const hash = createHash("sha256").update(previous);
  const numbers = [fromSerial, toSerial, publishedAt, diff.removed.count, diff.added.count];
  hash.update(`${numbers.join(" ")}\n`);
  for (
    const octets of [
      keyBlob(apexKey),
      new TextEncoder().encode(cause),
      diff.fromSoa,
      diff.toSoa,
      diff.removed.octets,
      diff.added.octets,
    ]
  ) hash.update(`${octets.length}\n`).update(octets);
  return new Uint8Array(hash.digest());
}
