/**
 * One record on its way from a row into a zone, as octets in buffers that are
 * used again for the next: rows come by the million, and objects would cost more
 * than the records.
 *
 * Pure, but for the buffers. Keys here are the canonical key's characters as
 * octets, without the apex's own key before them.
 */
import { MAX_NAME_OCTETS, MAX_RDATA_OCTETS, type Name, type ResourceRecord } from "../dns/mod.ts";

/** Longest key, in octets: each octet of a name may stand as two. */
export const MAX_KEY_OCTETS = 2 * MAX_NAME_OCTETS;

/** The octets of one record; the next one replaces them. */
export class WireRecord {
  readonly owner = new Uint8Array(MAX_NAME_OCTETS);
  ownerLength = 0;
  /** Relative to the apex. */
  readonly key = new Uint8Array(MAX_KEY_OCTETS);
  keyLength = 0;
  /** Whether the owner is spelled as {@link ownerOfKey} spells its key. */
  isPlain = false;
  type = 0;
  ttl = 0;
  readonly rdata = new Uint8Array(MAX_RDATA_OCTETS);
  rdataLength = 0;

  /**
   * Takes a record.
   *
   * @param key  {@link canonicalKey} of its owner
   * @param apexKey  what the key begins with
   */
  take(record: ResourceRecord, key: string, apexKey: string, apex: Name): void {
    const { owner, type, ttl, rdata } = record;
    this.owner.set(owner);
    this.ownerLength = owner.length;
    this.keyLength = writeKey(key, apexKey, this.key);
    const length = ownerOfKey(this.key, 0, this.keyLength, apex, spelled);
    this.isPlain = length === owner.length && sameOctets(spelled, owner, length);
    this.type = type;
    this.ttl = ttl;
    this.rdata.set(rdata);
    this.rdataLength = rdata.length;
  }
}

const spelled = new Uint8Array(MAX_NAME_OCTETS);

function sameOctets(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Writes a canonical key's octets without the apex's; returns how many. */
export function writeKey(key: string, apexKey: string, out: Uint8Array): number {
  const from = apexKey.length;
  for (let i = from; i < key.length; i++) out[i - from] = key.charCodeAt(i);
  return key.length - from;
}

/**
 * Writes the owner name a key stands for: labels in lower case, the apex as it is.
 *
 * @param keys  holds the key from `from` to `end`
 * @param out  receives up to {@link MAX_NAME_OCTETS}
 * @returns the name's octets
 */
export function ownerOfKey(
  keys: Uint8Array,
  from: number,
  end: number,
  apex: Name,
  out: Uint8Array,
): number {
  let length = 0;
  // The key's last label is the name's first; each is ended by a zero octet.
  for (let labelEnd = end - 1; labelEnd > from;) {
    let start = labelEnd;
    while (start > from && keys[start - 1] !== 0) start--;
    const lengthAt = length++;
    for (let i = start; i < labelEnd; i++) {
      // The octets 0 and 1 stand as 1 and one more than themselves.
      out[length++] = keys[i] === 1 ? keys[++i] - 1 : keys[i];
    }
    out[lengthAt] = length - lengthAt - 1;
    labelEnd = start - 1;
  }
  for (let i = 0; i < apex.length; i++) out[length++] = apex[i];
  return length;
}
