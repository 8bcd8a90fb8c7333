/**
 * Which records of the version served a read of everything has met again.
 *
 * A row that is served as it stands needs no memory of its own and no sorting:
 * it is found in the pages by a hash of its octets, and ticked off. What then is
 * not ticked off, and the rows not found, are all that may have changed.
 *
 * Owns: a hash table over the version's records, until {@link ServedRecords.release}.
 */
import { TYPE } from "../dns/mod.ts";
import { BIND_LIMIT, conflictsOf, odditiesOf, TELLING_TYPES } from "./conflicts.ts";
import { largeBuffer, releaseBuffers } from "./large_buffer.ts";
import { copyName, nameIs, readOwner, readRdata, skipName } from "./page_read.ts";
import type { Page } from "./page.ts";
import type { WireRecord } from "./wire_record.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** FNV-1a, 32 bits. */
const HASH_START = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;

/** A record of a page between its owner name and its RDATA. */
const FIXED_OCTETS = 10;

export class ServedRecords {
  readonly version: ZoneVersion;
  /** Number of the first record of each page, and behind them that of all records. */
  readonly #firsts: Uint32Array;
  /** Where a record stands in its page's block, by its number. */
  readonly #offsets: Uint16Array;
  /** 1 + a record's number, by hash; 0 where there is none. At most half full. */
  readonly #slots: Uint32Array;
  /** A bit for each record met. */
  readonly #seen: Uint8Array;
  #seenCount = 0;
  /** The key of the DNAME that the owner indexed last has, or lies below. */
  #dname: string | undefined;

  constructor(version: ZoneVersion) {
    this.version = version;
    const { pages } = version;
    this.#firsts = new Uint32Array(pages.length + 1);
    for (const [i, page] of pages.entries()) this.#firsts[i + 1] = this.#firsts[i] + page.records;
    const records = this.#firsts[pages.length];
    this.#offsets = new Uint16Array(largeBuffer(2 * records), 0, records);
    const slots = 2 ** Math.ceil(Math.log2(2 * records + 2));
    this.#slots = new Uint32Array(largeBuffer(4 * slots), 0, slots);
    this.#seen = new Uint8Array((records + 7) >> 3);
  }

  /** Fills the table; yields after each page as a place to pause. Call once, first. */
  *index(): Generator<undefined, void> {
    for (const [i, page] of this.version.pages.entries()) {
      this.#indexPage(page, this.#firsts[i]);
      yield;
    }
  }

  /** Whether every record was met. */
  get all(): boolean {
    return this.#seenCount === this.#offsets.length;
  }

  /** Number of the first record of a page. */
  firstOf(page: number): number {
    return this.#firsts[page];
  }

  /** Whether the record of a number was met. */
  isSeen(record: number): boolean {
    return (this.#seen[record >> 3] & 1 << (record & 7)) !== 0;
  }

  /** Whether all records from a number up to another were met. */
  areSeen(from: number, to: number): boolean {
    for (let record = from; record < to;) {
      if ((record & 7) === 0 && to - record >= 8 && this.#seen[record >> 3] === 0xff) record += 8;
      else if (this.isSeen(record)) record++;
      else return false;
    }
    return true;
  }

  /** Ticks a record off; false when it is not served, or was ticked off before. */
  see(record: WireRecord): boolean {
    const { owner, ownerLength, type, ttl, rdata, rdataLength } = record;
    const hash = hashRecord(hashName(owner, ownerLength), type, ttl, rdata, 0, rdataLength);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = slot + 1 & mask) {
      const number = this.#slots[slot] - 1;
      if (this.isSeen(number) || !this.#isAt(number, record)) continue;
      this.#seen[number >> 3] |= 1 << (number & 7);
      this.#seenCount++;
      return true;
    }
    return false;
  }

  /** Gives the memory back. */
  release(): void {
    releaseBuffers([this.#firsts, this.#offsets, this.#slots, this.#seen]);
  }

  #indexPage(page: Page, first: number): void {
    const { block, owners } = page;
    let number = first;
    for (let i = 0; i < owners.length; i++) {
      const end = i + 1 < owners.length ? owners[i + 1] : block.length;
      const begin = number;
      const owner = hashName(nameScratch, copyName(block, owners[i], nameScratch));
      let isTelling = false;
      for (let at = owners[i]; at < end; number++) {
        this.#offsets[number] = at;
        const fixed = skipName(block, at);
        const type = typeAt(block, fixed);
        if (TELLING_TYPES.has(type)) isTelling = true;
        at = fixed + FIXED_OCTETS + rdlengthAt(block, fixed);
        hashes[number - begin] = hashServed(owner, block, fixed, type);
      }
      if (number - begin > BIND_LIMIT) isTelling = true;
      if (this.#mustBeJudged(page, i, isTelling)) continue;
      for (let n = begin; n < number; n++) this.#insert(n, hashes[n - begin]);
    }
  }

  /**
   * Whether an owner is to be judged by its rows, though they are served as they stand:
   * an older zonecast may have let it pass, or there is something to warn of.
   */
  #mustBeJudged(page: Page, index: number, isTelling: boolean): boolean {
    if (!isTelling && this.#dname === undefined) return false;
    const { key, records } = readOwner(page, index);
    if (this.#dname !== undefined && key !== this.#dname && key.startsWith(this.#dname)) {
      return true;
    }
    const hasDname = records.some(({ type }) => type === TYPE.DNAME);
    this.#dname = hasDname ? key : undefined;
    const isApex = key === this.version.apexKey;
    return conflictsOf(records, isApex).length > 0 || odditiesOf(records, isApex).length > 0;
  }

  #insert(number: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = slot + 1 & mask;
    this.#slots[slot] = number + 1;
  }

  /** Whether a record stands at a number, octet for octet. */
  #isAt(number: number, record: WireRecord): boolean {
    const { block } = this.version.pages[this.#pageOf(number)];
    const at = this.#offsets[number];
    if (!nameIs(block, at, record.owner)) return false;
    const fixed = skipName(block, at);
    const type = typeAt(block, fixed);
    if (type !== record.type || ttlAt(block, fixed) !== record.ttl) return false;
    const rdata = readRdata(block, type, fixed + FIXED_OCTETS, rdlengthAt(block, fixed));
    if (rdata.length !== record.rdataLength) return false;
    for (let i = 0; i < rdata.length; i++) if (rdata[i] !== record.rdata[i]) return false;
    return true;
  }

  #pageOf(number: number): number {
    let low = 0;
    let high = this.#firsts.length - 1;
    while (high - low > 1) {
      const middle = low + high >> 1;
      if (this.#firsts[middle] <= number) low = middle;
      else high = middle;
    }
    return low;
  }
}

const nameScratch = new Uint8Array(256);
/** Of one owner's records in one page. */
const hashes: number[] = [];

function typeAt(block: Uint8Array, at: number): number {
  return block[at] << 8 | block[at + 1];
}

function ttlAt(block: Uint8Array, at: number): number {
  return (block[at + 4] << 24 | block[at + 5] << 16 | block[at + 6] << 8 | block[at + 7]) >>> 0;
}

function rdlengthAt(block: Uint8Array, at: number): number {
  return block[at + 8] << 8 | block[at + 9];
}

/** The hash of a record in a page, of whose owner's the hash is given. */
function hashServed(owner: number, block: Uint8Array, fixed: number, type: number): number {
  const from = fixed + FIXED_OCTETS;
  const length = rdlengthAt(block, fixed);
  const rdata = readRdata(block, type, from, length);
  return hashRecord(owner, type, ttlAt(block, fixed), rdata, 0, rdata.length);
}

function hashName(name: Uint8Array, length: number): number {
  let hash = HASH_START;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ name[i], HASH_FACTOR);
  return hash;
}

function hashRecord(
  owner: number,
  type: number,
  ttl: number,
  rdata: Uint8Array,
  from: number,
  to: number,
): number {
  let hash = Math.imul(owner ^ type, HASH_FACTOR);
  hash = Math.imul(hash ^ ttl, HASH_FACTOR);
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ rdata[i], HASH_FACTOR);
  // FNV's low bits are its weakest, and they choose the slot.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ hash >>> 13) >>> 0;
}
