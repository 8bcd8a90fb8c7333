/**
 * Lists of records as one run of uncompressed wire octets.
 *
 * The form in which differences are compared, journaled and sent. Pure.
 * Spec: RFC 1035 §4.1.3 (record layout).
 */
import { CLASS_IN, type Name, type ResourceRecord } from "../dns/mod.ts";

/** Records one after another in uncompressed wire format, class IN. */
export interface RecordList {
  readonly octets: Uint8Array;
  /** Number of records. */
  readonly count: number;
}

/** The list without records. */
export const NO_RECORDS: RecordList = { octets: new Uint8Array(0), count: 0 };

/** Octets of a record between its owner name and its RDATA: type, class, TTL, RDLENGTH. */
export const RECORD_FIXED_OCTETS = 10;

/** Octets one record takes in a list. */
export function recordOctets(record: ResourceRecord): number {
  return record.owner.length + RECORD_FIXED_OCTETS + record.rdata.length;
}

/** Packs records in the order given. */
export function packRecords(records: Iterable<ResourceRecord>): RecordList {
  const list = new RecordListWriter();
  for (const record of records) list.add(record);
  return list.finish();
}

/** Room a list has at first, in octets. */
const FIRST_OCTETS = 256;

/** A list written record by record. Owns its buffer until {@link finish}. */
export class RecordListWriter {
  #octets = new Uint8Array(FIRST_OCTETS);
  #at = 0;
  #count = 0;

  add(record: ResourceRecord): void {
    const end = this.#at + recordOctets(record);
    if (end > this.#octets.length) {
      // The old octets are given back now, not when they are found to be garbage.
      this.#octets = new Uint8Array(
        this.#octets.buffer.transfer(Math.max(end, 2 * this.#octets.length)),
      );
    }
    this.#at = writeRecord(this.#octets, this.#at, record);
    this.#count++;
  }

  /** The list, in a buffer of its own; nothing can be added then. */
  finish(): RecordList {
    return { octets: new Uint8Array(this.#octets.buffer.transfer(this.#at)), count: this.#count };
  }
}

/** Writes one uncompressed record at an offset; returns the offset after it. */
export function writeRecord(
  out: Uint8Array,
  at: number,
  record: ResourceRecord,
): number {
  const { owner, type, ttl, rdata } = record;
  out.set(owner, at);
  at += owner.length;
  out[at++] = type >> 8;
  out[at++] = type;
  out[at++] = 0;
  out[at++] = CLASS_IN;
  out[at++] = ttl >>> 24;
  out[at++] = ttl >>> 16;
  out[at++] = ttl >>> 8;
  out[at++] = ttl;
  out[at++] = rdata.length >> 8;
  out[at++] = rdata.length;
  out.set(rdata, at);
  return at + rdata.length;
}

/**
 * The records of a list, in its order; their octets are views into the list.
 *
 * @throws {RangeError} the list is cut or otherwise damaged
 */
export function* listRecords(list: RecordList): Generator<ResourceRecord> {
  const { octets } = list;
  let count = 0;
  for (let at = 0; at < octets.length; count++) {
    const [record, next] = readRecord(octets, at);
    yield record;
    at = next;
  }
  if (count !== list.count) {
    throw new RangeError(
      `Cannot read record list: it has ${count} records, not ${list.count}`,
    );
  }
}

/**
 * The uncompressed record at an offset, as views, and the offset after it.
 *
 * @throws {RangeError} the record is cut
 */
export function readRecord(
  octets: Uint8Array,
  at: number,
): [ResourceRecord, number] {
  const ownerAt = at;
  while (octets[at] !== 0 && at < octets.length) at += 1 + octets[at];
  at++;
  const rdataAt = at + RECORD_FIXED_OCTETS;
  if (rdataAt > octets.length) throw cut(ownerAt);
  const owner: Name = octets.subarray(ownerAt, at);
  const type = octets[at] << 8 | octets[at + 1];
  const ttl = (octets[at + 4] << 24 | octets[at + 5] << 16 | octets[at + 6] << 8 |
    octets[at + 7]) >>> 0;
  const end = rdataAt + (octets[at + 8] << 8 | octets[at + 9]);
  if (end > octets.length) throw cut(ownerAt);
  return [{ owner, type, ttl, rdata: octets.subarray(rdataAt, end) }, end];
}

function cut(at: number): RangeError {
  return new RangeError(
    `Cannot read record list: the record at octet ${at} is cut off`,
  );
}
