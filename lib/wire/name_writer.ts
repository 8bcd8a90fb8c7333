/**
 * Name compression for one message under construction.
 *
 * A name may point at an earlier suffix only when it is identical octet for
 * octet, so that case is kept. Pointers go backward and at most to offset
 * 0x3FFF. Owns: a hash table of the suffixes written, reused between messages.
 *
 * Spec: RFC 1035 §4.1.4.
 */
import type { Name } from "../dns/mod.ts";

/** The farthest offset a compression pointer reaches (RFC 1035 §4.1.4: 14 bits). */
export const MAX_POINTER = 0x3fff;

/** Slots in the suffix table: four per the suffixes a full 16 KiB of records could hold. */
const SLOTS = 1 << 13;
const SLOT_MASK = SLOTS - 1;
/** Probes before a suffix is simply not remembered; compression is an option, never a duty. */
const MAX_PROBES = 16;
/** Most labels in a name of 255 octets. */
const MAX_LABELS = 128;

export class NameWriter {
  /** Message offset + 1 of a remembered suffix; 0 is an empty slot. */
  readonly #slots = new Uint16Array(SLOTS);
  readonly #used: number[] = [];
  readonly #starts = new Uint8Array(MAX_LABELS);
  readonly #hashes = new Uint32Array(MAX_LABELS);

  /** Forgets all suffixes: a new message begins. */
  reset(): void {
    for (const slot of this.#used) this.#slots[slot] = 0;
    this.#used.length = 0;
  }

  /** How much is remembered now; for {@link rollback}. */
  mark(): number {
    return this.#used.length;
  }

  /** Forgets what was remembered since a {@link mark}. */
  rollback(mark: number): void {
    while (this.#used.length > mark) this.#slots[this.#used.pop()!] = 0;
  }

  /**
   * Writes a name, compressed where an identical suffix stands before it.
   *
   * @param out  receives the octets
   * @param base  what is added to an index in `out` to make a message offset
   * @param at  index in `out`; there must be room for the whole name
   * @returns the index after the name
   */
  write(out: Uint8Array, base: number, at: number, name: Name): number {
    const labels = this.#hashSuffixes(name);
    // Written in full first: a suffix is compared with what stands in `out`, its own longer
    // suffixes included, and must never meet the octets of an earlier message there.
    for (let j = 0; j < name.length; j++) out[at + j] = name[j];
    for (let i = 0; i < labels; i++) {
      const start = this.#starts[i];
      const target = this.#findOrKeep(out, base, at + start, name, start, this.#hashes[i]);
      if (target >= 0) {
        out[at + start] = 0xc0 | target >> 8;
        out[at + start + 1] = target & 0xff;
        return at + start + 2;
      }
    }
    return at + name.length;
  }

  /**
   * Remembers the suffixes of a name that stands in full at an index, so that later names
   * may point at them.
   */
  remember(out: Uint8Array, base: number, at: number, name: Name): void {
    const labels = this.#hashSuffixes(name);
    for (let i = 0; i < labels; i++) {
      const start = this.#starts[i];
      if (this.#findOrKeep(out, base, at + start, name, start, this.#hashes[i]) >= 0) return;
    }
  }

  /** Fills starts and hashes of all suffixes but the root; returns their number. */
  #hashSuffixes(name: Name): number {
    let labels = 0;
    for (let at = 0; name[at] !== 0; at += 1 + name[at]) this.#starts[labels++] = at;
    let hash = 2166136261;
    let end = name.length - 1;
    for (let i = labels - 1; i >= 0; i--) {
      for (let at = end - 1; at >= this.#starts[i]; at--) {
        hash = Math.imul(hash ^ name[at], 16777619);
      }
      end = this.#starts[i];
      this.#hashes[i] = hash ^ hash >>> 15;
    }
    return labels;
  }

  /** Message offset of an identical suffix; or -1, and the suffix about to be written is kept. */
  #findOrKeep(
    out: Uint8Array,
    base: number,
    at: number,
    name: Name,
    start: number,
    hash: number,
  ): number {
    let slot = hash & SLOT_MASK;
    for (let probe = 0; probe < MAX_PROBES; probe++, slot = slot + 1 & SLOT_MASK) {
      const offset = this.#slots[slot] - 1;
      if (offset < 0) {
        if (at + base <= MAX_POINTER) {
          this.#slots[slot] = at + base + 1;
          this.#used.push(slot);
        }
        return -1;
      }
      if (suffixIs(out, base, offset - base, name, start)) return offset;
    }
    return -1;
  }
}

/** Whether the name written at an index equals the suffix of a name octet for octet. */
function suffixIs(out: Uint8Array, base: number, at: number, name: Name, start: number): boolean {
  while (true) {
    let octet = out[at];
    while (octet >= 0xc0) {
      at = ((octet & 0x3f) << 8 | out[at + 1]) - base;
      octet = out[at];
    }
    if (octet !== name[start]) return false;
    if (octet === 0) return true;
    for (let i = 1; i <= octet; i++) if (out[at + i] !== name[start + i]) return false;
    at += 1 + octet;
    start += 1 + octet;
  }
}
