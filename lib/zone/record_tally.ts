/**
 * What becomes of each record over several differences.
 *
 * Pure. A hash table over the octets of records, in typed arrays: a map of
 * strings would take several times the octets.
 */
import { canonicalKey, compareOctets, type ResourceRecord } from "../dns/mod.ts";
import { DiffError } from "./diff.ts";
import { packRecords, readRecord, type RecordList } from "./record_list.ts";

/** FNV-1a, 32 bits. */
const HASH_START = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;

/** Adds up how often each record is removed (-1) and added (+1). */
export class RecordTally {
  /** 1 + an entry's number, by hash; 0 where there is none. At most half full. */
  readonly #slots: Uint32Array;
  /** By entry: the hash, the sum so far, and where the octets are. */
  readonly #hashes: Uint32Array;
  readonly #sums: Int8Array;
  readonly #lists: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  #entries = 0;
  /** The lists counted. */
  readonly #octets: Uint8Array[] = [];

  /** @param records  how many will be counted at most */
  constructor(records: number) {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * records + 2)));
    this.#hashes = new Uint32Array(records);
    this.#sums = new Int8Array(records);
    this.#lists = new Uint32Array(records);
    this.#starts = new Uint32Array(records);
    this.#ends = new Uint32Array(records);
  }

  /**
   * Counts the records of a list.
   *
   * @throws {DiffError} one of them would count twice
   * @throws {RangeError} the list is cut or does not hold as many as it says
   */
  count({ octets, count }: RecordList, sign: 1 | -1): void {
    const list = this.#octets.push(octets) - 1;
    let found = 0;
    for (let at = 0; at < octets.length; found++) {
      if (found === count) throw miscounted(count);
      const end = readRecord(octets, at)[1];
      this.#add(list, at, end, sign);
      at = end;
    }
    if (found !== count) throw miscounted(count);
  }

  /** The records whose sum is this, in canonical order. */
  list(sign: 1 | -1): RecordList {
    const found: Sortable[] = [];
    for (let entry = 0; entry < this.#entries; entry++) {
      if (this.#sums[entry] !== sign) continue;
      const [record] = readRecord(this.#octets[this.#lists[entry]], this.#starts[entry]);
      found.push({ key: canonicalKey(record.owner), record });
    }
    return packRecords(found.sort(compareCanonically).map(({ record }) => record));
  }

  #add(list: number, start: number, end: number, sign: 1 | -1): void {
    const octets = this.#octets[list];
    const hash = hashOf(octets, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] - 1;
      if (this.#hashes[entry] !== hash || !this.#isAt(entry, octets, start, end)) continue;
      const sum = this.#sums[entry] += sign;
      if (sum < -1 || sum > 1) throw countedTwice(sign);
      return;
    }
    const entry = this.#entries++;
    this.#slots[slot] = entry + 1;
    this.#hashes[entry] = hash;
    this.#sums[entry] = sign;
    this.#lists[entry] = list;
    this.#starts[entry] = start;
    this.#ends[entry] = end;
  }

  #isAt(entry: number, octets: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[entry];
    if (this.#ends[entry] - from !== end - start) return false;
    const other = this.#octets[this.#lists[entry]];
    for (let at = start; at < end; at++) if (octets[at] !== other[from + at - start]) return false;
    return true;
  }
}

/** A record with its owner's canonical key. */
interface Sortable {
  readonly key: string;
  readonly record: ResourceRecord;
}

/** By owner, type and RDATA as within a zone; by spelling and TTL where all these are equal. */
function compareCanonically(a: Sortable, b: Sortable): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.record.type - b.record.type || compareOctets(a.record.rdata, b.record.rdata) ||
    compareOctets(a.record.owner, b.record.owner) || a.record.ttl - b.record.ttl;
}

function hashOf(octets: Uint8Array, start: number, end: number): number {
  let hash = HASH_START;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ octets[at], HASH_FACTOR);
  // FNV's low bits are its weakest, and they choose the slot.
  return (hash ^ hash >>> 15) >>> 0;
}

function countedTwice(sign: 1 | -1): DiffError {
  const what = sign > 0 ? "added to where it is" : "removed from where it is not";
  return new DiffError("diff-twice", `Cannot condense differences: a record is ${what}`);
}

function miscounted(count: number): RangeError {
  return new RangeError(`Cannot condense differences: a list does not hold ${count} records`);
}
