/**
 * The canonical key of a name as octets, for lookups that shall cost next to nothing: no string
 * is made.
 *
 * Owns: one buffer, written over by the next name.
 */
import { lowerOctet, MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "./name.ts";

/** Most labels in a name of 255 octets, the root left out. */
const MAX_LABELS = 127;
/** FNV-1a, 32 bits. */
const HASH_START = 2166136261;
const HASH_FACTOR = 16777619;

/** The key of one name; its octets are the characters of `canonicalKey`. */
export class NameKey {
  /** The first {@link length} are the key. */
  readonly octets = new Uint8Array(2 * MAX_NAME_OCTETS);
  length = 0;
  /** Labels, the root left out. */
  labels = 0;
  /** Where the key of the last i labels ends, for i from 0 to {@link labels}. */
  readonly ends = new Uint16Array(MAX_LABELS + 1);
  /** A number for each of these keys: equal keys have equal ones. */
  readonly hashes = new Uint32Array(MAX_LABELS + 1);
  /** Labels, from the root on, that every name compared with this one has too; see {@link share}. */
  shared = 0;
  readonly #starts = new Uint16Array(MAX_LABELS);

  /**
   * Takes a name that stands uncompressed in a message.
   *
   * @returns the offset behind it; -1 when there is none: cut off, too long, or with a pointer
   */
  read(message: Uint8Array, from: number): number {
    let at = from;
    let labels = 0;
    for (let octet = message[at]; octet !== 0; octet = message[at]) {
      if (!(octet <= MAX_LABEL_OCTETS) || at - from + octet + 2 > MAX_NAME_OCTETS) return -1;
      this.#starts[labels++] = at;
      at += 1 + octet;
    }
    this.labels = labels;
    this.length = 0;
    this.shared = 0;
    this.ends[0] = 0;
    this.hashes[0] = HASH_START;
    for (let i = 1; i <= labels; i++) this.#add(message, this.#starts[labels - i], i);
    return at + 1;
  }

  /** Adds a label, number `count` from the root. */
  #add(message: Uint8Array, start: number, count: number): void {
    const { octets } = this;
    let length = this.length;
    let hash = this.hashes[count - 1];
    for (let i = start + 1, end = i + message[start]; i < end; i++) {
      const octet = lowerOctet(message[i]);
      if (octet <= 1) octets[length++] = 1; // the octets 0 and 1 stand as two, see canonicalKey
      octets[length++] = octet > 1 ? octet : octet + 1;
      hash = Math.imul(hash ^ octet, HASH_FACTOR);
    }
    octets[length++] = 0;
    this.length = this.ends[count] = length;
    this.hashes[count] = Math.imul(hash ^ 0x100, HASH_FACTOR); // no octet ends a label
  }

  /** Takes a key as it is; of it there are no labels and hashes. */
  take(key: string): void {
    for (let i = 0; i < key.length; i++) this.octets[i] = key.charCodeAt(i);
    this.length = key.length;
    this.labels = 0;
    this.shared = 0;
  }

  /**
   * Says that every name compared from now on lies in the same zone: its labels are not looked at.
   *
   * @param length  octets of the zone's key
   */
  share(length: number): void {
    let labels = 0;
    while (this.ends[labels] < length) labels++;
    this.shared = labels;
  }

  /** Whether the key of the last labels, up to an end, is this one. */
  isPrefix(key: string, end: number): boolean {
    if (key.length !== end) return false;
    for (let i = 0; i < end; i++) if (key.charCodeAt(i) !== this.octets[i]) return false;
    return true;
  }

  /**
   * The order of a key and this one, of which only the first octets count: negative, 0 or
   * positive.
   */
  orderOf(key: string, length: number): number {
    const { octets } = this;
    const common = Math.min(key.length, length);
    for (let i = this.ends[this.shared]; i < common; i++) {
      const order = key.charCodeAt(i) - octets[i];
      if (order !== 0) return order;
    }
    return key.length - length;
  }
}
