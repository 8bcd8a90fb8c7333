/**
 * Which owners are held: by name where they are few, else by a filter that may
 * take another for one of them, and never one of them for another. Pure.
 *
 * A Bloom filter: each owner sets some bits of many.
 */
import type { ReadOwners } from "./build_rules.ts";

/** Bits for each owner; with {@link HASHES} of them one in some ten thousand others is taken for held. */
const BITS_AN_OWNER = 24;
const HASHES = 4;

export class HeldOwners {
  readonly #names = new Set<string>();
  readonly #bits: Uint32Array;
  #count = 0;

  /**
   * @param most  how many owners may be added
   * @param mostNamed  how many of them are kept by name
   */
  constructor(most: number, readonly mostNamed: number) {
    const bits = 2 ** Math.ceil(Math.log2(Math.max(32, BITS_AN_OWNER * most)));
    this.#bits = new Uint32Array(most > mostNamed ? bits / 32 : 1);
  }

  /** @param owner  in the source's normal form */
  add(owner: string): void {
    if (++this.#count <= this.mostNamed) this.#names.add(owner);
    if (this.#bits.length === 1) return;
    for (const bit of this.#bitsOf(owner)) this.#bits[bit >>> 5] |= 1 << (bit & 31);
  }

  get count(): number {
    return this.#count;
  }

  /** By name; "all" where they are too many. */
  get names(): ReadOwners {
    return this.#count > this.mostNamed ? "all" : this.#names;
  }

  /** Whether an owner may be one of them. */
  mayHave(owner: string): boolean {
    if (this.#count <= this.mostNamed) return this.#names.has(owner);
    if (this.#bits.length === 1) return true;
    return this.#bitsOf(owner).every((bit) => (this.#bits[bit >>> 5] >>> (bit & 31) & 1) === 1);
  }

  /** From two hashes all others (Kirsch and Mitzenmacher). */
  #bitsOf(owner: string): number[] {
    let [a, b] = [0x811c9dc5, 0x01000193];
    for (let i = 0; i < owner.length; i++) {
      a = Math.imul(a ^ owner.charCodeAt(i), 0x01000193);
      b = Math.imul(b ^ owner.charCodeAt(i), 0x5bd1e995);
      b ^= b >>> 15;
    }
    a ^= a >>> 16;
    const mask = this.#bits.length * 32 - 1;
    return Array.from({ length: HASHES }, (_, i) => (a + Math.imul(i, b | 1)) & mask);
  }
}
