/**
 * Octets put one entry after another into chunks that never move.
 *
 * Owns: the chunks, until {@link OctetStore.release} gives them back at once. A
 * position is one number: the chunk's above {@link CHUNK_BITS}, the offset below.
 */

import { largeBuffer, releaseBuffers } from "./large_buffer.ts";

/** A chunk has at most 2 to this power octets, and there are 64 of them. */
const CHUNK_BITS = 26;
const OFFSET_MASK = (1 << CHUNK_BITS) - 1;
const MAX_CHUNKS = 2 ** (32 - CHUNK_BITS);
/** Octets of the first chunk; each further one is twice as long ... */
const FIRST_CHUNK_OCTETS = 1024;
/** ... up to this; those behind are large buffers, touched as they fill. */
const LAST_SMALL_OCTETS = 256 * 1024;
const LARGE_OCTETS = 33 * 1024 * 1024;

export class OctetStore {
  readonly #chunks: Uint8Array[] = [];
  /** Octets used of each chunk but the last. */
  readonly #used: number[] = [];
  /** The chunk being filled, and how far. */
  chunk: Uint8Array = new Uint8Array(0);
  at = 0;

  /**
   * Makes room for an entry at {@link at} of {@link chunk}; whoever writes it adds
   * its octets to {@link at}.
   *
   * @param octets  at most 2 ** 20
   * @throws {RangeError} there would be more than 2 GiB
   */
  reserve(octets: number): void {
    if (this.at + octets <= this.chunk.length) return;
    if (this.#chunks.length > 0) this.#used.push(this.at);
    if (this.#chunks.length === MAX_CHUNKS) {
      throw new RangeError("Cannot read zone: its records take more than 2 GiB");
    }
    const twice = Math.max(2 * this.chunk.length, FIRST_CHUNK_OCTETS, octets);
    this.chunk = new Uint8Array(largeBuffer(twice > LAST_SMALL_OCTETS ? LARGE_OCTETS : twice));
    this.#chunks.push(this.chunk);
    this.at = 0;
  }

  /** The chunk of a position. */
  chunkOf(position: number): Uint8Array {
    return this.#chunks[position >>> CHUNK_BITS];
  }

  /** The offset of a position in its chunk. */
  offsetOf(position: number): number {
    return position & OFFSET_MASK;
  }

  /**
   * The positions of all entries, in the order they came.
   *
   * @param end  the offset behind the entry at an offset of a chunk
   */
  *positions(end: (chunk: Uint8Array, at: number) => number): Generator<number, void> {
    for (const [index, chunk] of this.#chunks.entries()) {
      const used = index < this.#used.length ? this.#used[index] : this.at;
      for (let at = 0; at < used; at = end(chunk, at)) yield (index << CHUNK_BITS | at) >>> 0;
    }
  }

  /** Gives all octets back now; views into them are empty from then on. */
  release(): void {
    releaseBuffers(this.#chunks);
    this.#chunks.length = this.#used.length = 0;
    this.chunk = new Uint8Array(0);
    this.at = 0;
  }
}
