/**
 * The zones of the state file, one row each.
 *
 * Owns: prepared statements on the table `zone`. Synchronous; called within a
 * transaction or snapshot. Rows are checked when read; their checksum covers the
 * row and all pages.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { canonicalKey, formatName } from "../dns/mod.ts";
import { soaSerial } from "../zone/mod.ts";
import { blob, blobKey, DamagedRow, integer, keyBlob, type Row } from "./columns.ts";
import { NO_CHAIN } from "./journal_chain.ts";
import type { JournalEnd } from "./journal_table.ts";
import type { PageSum } from "./page_table.ts";
import { soaColumn } from "./soa.ts";

/** A zone's row. */
export interface ZoneRow extends JournalEnd {
  /** ms since the epoch. */
  readonly publishedAt: number;
  /** What its pages must add up to. */
  readonly sum: PageSum;
  /** What its journal rows take. */
  readonly journalOctets: number;
}

/** What a publication sets in a zone's row. */
export interface ZoneContent {
  readonly serial: number;
  readonly publishedAt: number;
  readonly soa: Uint8Array;
  readonly sum: PageSum;
}

/** Zones by apex key. */
export class ZoneRows {
  readonly #all: StatementSync;
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  readonly #set: StatementSync;
  readonly #setJournal: StatementSync;
  readonly #remove: StatementSync;
  readonly #count: StatementSync;
  readonly #journalOctets: StatementSync;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM zone ORDER BY apex_key");
    this.#find = db.prepare("SELECT * FROM zone WHERE apex_key = ?");
    this.#add = db.prepare(
      `INSERT INTO zone (apex_key, serial, published_at, pages, checksum, journal_octets,
         journal_chain, soa) VALUES (?, 0, 0, 0, 0, 0, ?, x'') RETURNING id`,
    );
    this.#set = db.prepare(
      "UPDATE zone SET serial = ?, published_at = ?, pages = ?, checksum = ?, soa = ? WHERE id = ?",
    );
    this.#setJournal = db.prepare(
      "UPDATE zone SET journal_octets = ?, journal_chain = ? WHERE id = ?",
    );
    this.#remove = db.prepare("DELETE FROM zone WHERE apex_key = ?");
    this.#count = db.prepare("SELECT count(*) AS count FROM zone");
    this.#journalOctets = db.prepare(
      "SELECT coalesce(sum(journal_octets), 0) AS octets FROM zone",
    );
  }

  /** What the journals of all zones take, in octets. */
  journalOctets(): number {
    return integer(this.#journalOctets.get()!, "octets");
  }

  /**
   * All zones, by canonical order of their apexes.
   *
   * @throws {DamagedRow} a row is damaged
   */
  all(): ZoneRow[] {
    return this.#all.all().map(readZoneRow);
  }

  /** @throws {DamagedRow} the row is damaged */
  find(apexKey: string): ZoneRow | undefined {
    const row = this.#find.get(keyBlob(apexKey));
    return row && readZoneRow(row);
  }

  /** Adds a zone without content, to be {@link set} in the same transaction. Returns its id. */
  add(apexKey: string): number {
    return integer(this.#add.get(keyBlob(apexKey), NO_CHAIN) ?? {}, "id");
  }

  set(zone: number, { serial, publishedAt, soa, sum }: ZoneContent): void {
    const checksum = xor(sum.checksum, rowChecksum(soa, publishedAt));
    this.#set.run(serial, publishedAt, sum.pages, checksum, soa, zone);
  }

  /** Sets what the zone says about its journal. */
  setJournal(zone: number, chain: Uint8Array, octets: number): void {
    this.#setJournal.run(octets, chain, zone);
  }

  /** Removes a zone, if it is there, with its pages and journal. */
  remove(apexKey: string): void {
    this.#remove.run(keyBlob(apexKey));
  }

  count(): number {
    return integer(this.#count.get() ?? {}, "count");
  }
}

function readZoneRow(row: Row): ZoneRow {
  const { octets: soa, record } = soaColumn(row, "soa");
  const apexKey = blobKey(blob(row, "apex_key"));
  const serial = integer(row, "serial");
  if (canonicalKey(record.owner) !== apexKey || soaSerial(record) !== serial) {
    throw new DamagedRow(`the SOA of zone ${formatName(record.owner)} is not that of its row`);
  }
  const publishedAt = integer(row, "published_at");
  const checksum = xor(integer(row, "checksum"), rowChecksum(soa, publishedAt));
  return {
    zone: integer(row, "id"),
    apexKey,
    soa,
    serial,
    publishedAt,
    sum: { pages: integer(row, "pages"), checksum },
    journalOctets: integer(row, "journal_octets"),
    chain: blob(row, "journal_chain"),
  };
}

/** CRC-32 of what a zone's row says itself. */
function rowChecksum(soa: Uint8Array, publishedAt: number): number {
  return crc32(soa, crc32(String(publishedAt)));
}

/** Exclusive or of two checksums. */
function xor(a: number, b: number): number {
  return (a ^ b) >>> 0;
}
