/**
 * The pages of all zones in the state file.
 *
 * Owns: prepared statements on the table `page`. Synchronous; called within a
 * transaction. Every page carries a CRC-32, made when it is written and checked
 * when it is read; their XOR, kept with the zone, shows a page that is missing,
 * too many, or of another version.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Page } from "../zone/mod.ts";
import { blob, blobKey, DamagedRow, integer, keyBlob, type Row } from "./columns.ts";
import type { PageId, PutPage } from "./protocol.ts";

/** What all pages of a zone add up to. */
export interface PageSum {
  pages: number;
  /** XOR of the pages' checksums. */
  checksum: number;
}

/** Most page octets handed over at once. */
const BATCH_OCTETS = 4 * 1024 * 1024;

/** Pages stored by zone id. */
export class PageTable {
  readonly #remove: StatementSync;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #replace: StatementSync;
  readonly #read: StatementSync;

  constructor(db: DatabaseSync) {
    this.#remove = db.prepare(
      "DELETE FROM page WHERE zone = ? AND first_key = ? AND part = ? RETURNING checksum",
    );
    this.#insert = db.prepare(
      `INSERT INTO page (zone, first_key, part, records, checksum, owners, block)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#find = db.prepare(
      "SELECT id, checksum FROM page WHERE zone = ? AND first_key = ? AND part = ?",
    );
    this.#replace = db.prepare(
      "UPDATE page SET records = ?, checksum = ?, owners = ?, block = ? WHERE id = ?",
    );
    this.#read = db.prepare(
      `SELECT first_key, part, records, checksum, owners, block FROM page
       WHERE zone = ? ORDER BY first_key, part`,
    );
  }

  /**
   * Removes and writes pages, and brings the zone's sum up to date.
   *
   * @throws {RangeError} a page to remove or replace is not stored
   */
  change(zone: number, gone: readonly PageId[], put: readonly PutPage[], sum: PageSum): void {
    for (const { firstKey, part } of gone) {
      const row = this.#remove.get(zone, keyBlob(firstKey), part);
      if (!row) throw new RangeError(`there is no page ${describe(firstKey, part)} to remove`);
      sum.checksum ^= integer(row, "checksum");
      sum.pages--;
    }
    for (const { page, replaces } of put) {
      const key = keyBlob(page.firstKey);
      const owners = octetsOf(page.owners);
      const checksum = pageChecksum(key, page.part, page.records, owners, page.block);
      if (replaces) {
        const row = this.#find.get(zone, key, page.part);
        if (!row) {
          throw new RangeError(`there is no page ${describe(page.firstKey, page.part)} to replace`);
        }
        this.#replace.run(page.records, checksum, owners, page.block, integer(row, "id"));
        sum.checksum ^= integer(row, "checksum");
      } else {
        this.#insert.run(zone, key, page.part, page.records, checksum, owners, page.block);
        sum.pages++;
      }
      sum.checksum = (sum.checksum ^ checksum) >>> 0;
    }
  }

  /**
   * Hands over a zone's pages in canonical order, in batches of a few MiB; every
   * page's octets are in buffers of their own.
   *
   * @param apexKey  every page's first owner must be at or under it
   * @returns the sum of the pages read, to be compared with the zone's
   * @throws {DamagedRow} a page is damaged or out of order
   */
  read(zone: number, apexKey: string, deliver: (pages: Page[]) => void): PageSum {
    const sum: PageSum = { pages: 0, checksum: 0 };
    let batch: Page[] = [];
    let octets = 0;
    let last: Page | undefined;
    for (const row of this.#read.iterate(zone)) {
      const page = readPage(row, sum);
      if (!page.firstKey.startsWith(apexKey) || last && !follows(last, page)) {
        throw new DamagedRow(`page ${describe(page.firstKey, page.part)} is out of place`);
      }
      last = page;
      batch.push(page);
      octets += page.block.length;
      if (octets >= BATCH_OCTETS) {
        deliver(batch);
        batch = [];
        octets = 0;
      }
    }
    if (batch.length > 0) deliver(batch);
    return sum;
  }
}

/** A page from its row, checked and counted. */
function readPage(row: Row, sum: PageSum): Page {
  const key = blob(row, "first_key");
  const owners = blob(row, "owners");
  const block = blob(row, "block");
  const part = integer(row, "part");
  const records = integer(row, "records");
  const checksum = integer(row, "checksum");
  const firstKey = blobKey(key);
  if (
    checksum !== pageChecksum(key, part, records, owners, block) || owners.length % 4 !== 0 ||
    owners.length === 0 || records < owners.length / 4
  ) throw new DamagedRow(`page ${describe(firstKey, part)} is damaged`);
  sum.pages++;
  sum.checksum = (sum.checksum ^ checksum) >>> 0;
  return { block, owners: new Uint32Array(owners.buffer), records, firstKey, part };
}

/** Whether a page may stand right behind another. */
function follows(last: Page, page: Page): boolean {
  // Strictly ascending; the parts of an owner that spans pages are numbered without a gap.
  // Its first part may stand at the end of a page that begins with another owner.
  if (last.firstKey === page.firstKey) return page.part === last.part + 1;
  return last.firstKey < page.firstKey;
}

/** CRC-32 of all that a page is. */
function pageChecksum(
  key: Uint8Array,
  part: number,
  records: number,
  owners: Uint8Array,
  block: Uint8Array,
): number {
  const counts = new Uint32Array([key.length, part, records, owners.length]);
  return crc32(block, crc32(owners, crc32(key, crc32(octetsOf(counts)))));
}

/** The octets of 32-bit numbers, little-endian as every platform Deno runs on. */
function octetsOf(numbers: Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** A page for an error message. */
function describe(firstKey: string, part: number): string {
  const labels = firstKey.split("\x00").reverse().join(".").slice(1);
  const owner = labels.replaceAll(/[^!-~]/g, "?") || ".";
  return part === 0 ? `"${owner}"` : `"${owner}" part ${part}`;
}
