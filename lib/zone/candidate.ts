/**
 * A zone as a read of the source gives it: records in any order, kept as octets
 * until they are sorted.
 *
 * Owns: the records added, until {@link CandidateZone.release}. Pure otherwise.
 */
import { MAX_NAME_OCTETS, type ResourceRecord } from "../dns/mod.ts";
import { sortByKey, type SortedEntries } from "./key_sort.ts";
import { OctetStore } from "./octet_store.ts";
import { MAX_KEY_OCTETS, ownerOfKey, type WireRecord, writeKey } from "./wire_record.ts";
import type { RowZone } from "./rows.ts";

/** All records of one owner, not yet normalised. */
export interface RawOwner {
  readonly key: string;
  /** None when all rows of the owner are bad; views that live as long as the candidate. */
  readonly records: ResourceRecord[];
  /** Whether a row of this owner could not be read. */
  readonly troubled: boolean;
}

/*
 * An entry: key length and mark, 16 bits each, the key; for a record then its
 * owner unless the key spells it, type, TTL, RDLENGTH and RDATA.
 */
const HEAD_OCTETS = 4;
const FIXED_OCTETS = 8;

/** Marks below these are the octets of the owner: 0 where the key spells it. */
const ASKED = 0xfffe;
const TROUBLED = 0xffff;

const keyScratch = new Uint8Array(MAX_KEY_OCTETS);
const ownerScratch = new Uint8Array(MAX_NAME_OCTETS);

export class CandidateZone {
  readonly #zone: Pick<RowZone, "apex" | "apexKey">;
  readonly #store = new OctetStore();
  #entries = 0;
  #sorted: SortedEntries | undefined;

  constructor(zone: Pick<RowZone, "apex" | "apexKey">) {
    this.#zone = zone;
  }

  /** Whether nothing was added. */
  get isEmpty(): boolean {
    return this.#entries === 0;
  }

  /** Adds a copy of a record. */
  add(record: WireRecord): void {
    const { owner, isPlain, key, keyLength, type, ttl, rdata, rdataLength } = record;
    const ownerLength = isPlain ? 0 : record.ownerLength;
    const octets = HEAD_OCTETS + keyLength + ownerLength + FIXED_OCTETS + rdataLength;
    let at = this.#begin(octets, key, keyLength, ownerLength);
    const { chunk } = this.#store;
    for (let i = 0; i < ownerLength; i++) chunk[at++] = owner[i];
    chunk[at++] = type >> 8;
    chunk[at++] = type;
    chunk[at++] = ttl >>> 24;
    chunk[at++] = ttl >>> 16;
    chunk[at++] = ttl >>> 8;
    chunk[at++] = ttl;
    chunk[at++] = rdataLength >> 8;
    chunk[at++] = rdataLength;
    if (rdataLength > 32) chunk.set(rdata.subarray(0, rdataLength), at);
    else for (let i = 0; i < rdataLength; i++) chunk[at + i] = rdata[i];
  }

  /** Notes that a row of this owner cannot be served. */
  trouble(key: string): void {
    this.#mark(key, TROUBLED);
  }

  /** Has an owner come in {@link owners} also where it has no records. */
  ask(key: string): void {
    this.#mark(key, ASKED);
  }

  /** As {@link ask}, for the owner of a record. */
  askOf({ key, keyLength }: WireRecord): void {
    this.#begin(HEAD_OCTETS + keyLength, key, keyLength, ASKED);
  }

  #mark(key: string, mark: number): void {
    const length = writeKey(key, this.#zone.apexKey, keyScratch);
    this.#begin(HEAD_OCTETS + length, keyScratch, length, mark);
  }

  /** Writes an entry's head and key; returns the offset behind them. */
  #begin(octets: number, key: Uint8Array, length: number, mark: number): number {
    const store = this.#store;
    store.reserve(octets);
    const { chunk } = store;
    let { at } = store;
    chunk[at++] = length >> 8;
    chunk[at++] = length;
    chunk[at++] = mark >> 8;
    chunk[at++] = mark;
    for (let i = 0; i < length; i++) chunk[at++] = key[i];
    store.at += octets;
    this.#entries++;
    return at;
  }

  /** Brings the owners into canonical order; yields as places to pause. Call once. */
  *sort(): Generator<undefined, void> {
    const store = this.#store;
    this.#sorted = yield* sortByKey(
      this.#entries,
      store.positions(entryEnd),
      (position, depth) => prefixAt(store.chunkOf(position), store.offsetOf(position), depth),
    );
  }

  /** The owners in canonical order; {@link sort} came before. */
  *owners(): Generator<RawOwner, void> {
    const sorted = this.#sorted!;
    for (let from = 0, to = 0; from < sorted.count; from = to) {
      const first = sorted.at(from);
      for (to = from + 1; to < sorted.count && this.#sameKey(first, sorted.at(to)); to++);
      yield this.#readOwner(sorted, from, to);
    }
  }

  /** Gives all memory back; records read become empty. */
  release(): void {
    this.#sorted?.release();
    this.#sorted = undefined;
    this.#store.release();
    this.#entries = 0;
  }

  #readOwner(sorted: SortedEntries, from: number, to: number): RawOwner {
    const records: ResourceRecord[] = [];
    let troubled = false;
    let plain: Uint8Array | undefined;
    for (let i = from; i < to; i++) {
      const position = sorted.at(i);
      const chunk = this.#store.chunkOf(position);
      const head = this.#store.offsetOf(position);
      const mark = markAt(chunk, head);
      if (mark === TROUBLED) troubled = true;
      if (mark >= ASKED) continue;
      const keyEnd = head + HEAD_OCTETS + keyLength(chunk, head);
      const owner = mark > 0
        ? chunk.slice(keyEnd, keyEnd + mark)
        : plain ??= this.#spell(chunk, head + HEAD_OCTETS, keyEnd);
      records.push(recordAt(chunk, keyEnd + mark, owner));
    }
    return { key: this.#keyAt(sorted.at(from)), records, troubled };
  }

  #spell(chunk: Uint8Array, from: number, end: number): Uint8Array {
    const length = ownerOfKey(chunk, from, end, this.#zone.apex, ownerScratch);
    return ownerScratch.slice(0, length);
  }

  #keyAt(position: number): string {
    const chunk = this.#store.chunkOf(position);
    const at = this.#store.offsetOf(position);
    const from = at + HEAD_OCTETS;
    const key = chunk.subarray(from, from + keyLength(chunk, at)) as unknown as number[];
    return this.#zone.apexKey + String.fromCharCode.apply(null, key);
  }

  #sameKey(a: number, b: number): boolean {
    const store = this.#store;
    const [chunkA, chunkB] = [store.chunkOf(a), store.chunkOf(b)];
    const [atA, atB] = [store.offsetOf(a), store.offsetOf(b)];
    const length = keyLength(chunkA, atA);
    if (keyLength(chunkB, atB) !== length) return false;
    for (let i = HEAD_OCTETS; i < HEAD_OCTETS + length; i++) {
      if (chunkA[atA + i] !== chunkB[atB + i]) return false;
    }
    return true;
  }
}

function keyLength(chunk: Uint8Array, at: number): number {
  return chunk[at] << 8 | chunk[at + 1];
}

function markAt(chunk: Uint8Array, at: number): number {
  return chunk[at + 2] << 8 | chunk[at + 3];
}

/** Four octets of an entry's key from a depth on, as a number. */
function prefixAt(chunk: Uint8Array, at: number, depth: number): number {
  const left = keyLength(chunk, at) - depth;
  const from = at + HEAD_OCTETS + depth;
  let prefix = 0;
  for (let i = 0; i < 4; i++) prefix = prefix << 8 | (i < left ? chunk[from + i] : 0);
  return prefix >>> 0;
}

function entryEnd(chunk: Uint8Array, at: number): number {
  const mark = markAt(chunk, at);
  const end = at + HEAD_OCTETS + keyLength(chunk, at);
  if (mark >= ASKED) return end;
  const rdlength = end + mark + FIXED_OCTETS - 2;
  return rdlength + 2 + (chunk[rdlength] << 8 | chunk[rdlength + 1]);
}

/** The record whose type stands at an offset. */
function recordAt(chunk: Uint8Array, at: number, owner: Uint8Array): ResourceRecord {
  const type = chunk[at] << 8 | chunk[at + 1];
  const ttl = (chunk[at + 2] << 24 | chunk[at + 3] << 16 | chunk[at + 4] << 8 | chunk[at + 5]) >>>
    0;
  const from = at + FIXED_OCTETS;
  const length = chunk[at + 6] << 8 | chunk[at + 7];
  return { owner, type, ttl, rdata: chunk.subarray(from, from + length) };
}
