/**
 * DNS messages in a stream: each behind its length in two octets.
 *
 * Knows no socket. Pure but for the octets of a message begun. Spec: RFC 1035
 * §4.2.2, RFC 7766 §8.
 */
import { MAX_MESSAGE_OCTETS } from "./codes.ts";

/** Octets of the length before each message. */
export const LENGTH_OCTETS = 2;

/** Cuts a stream of chunks into messages. Holds at most one message's octets. */
export class FrameReader {
  /** The octets of a frame not yet whole: its length prefix, then its message. */
  #partial = new Uint8Array(0);
  #filled = 0;

  /** Whether a frame has begun that is not yet whole. */
  get isPartial(): boolean {
    return this.#filled > 0;
  }

  /** Octets of memory held for a frame that is not yet whole. */
  get heldOctets(): number {
    return this.#partial.length;
  }

  /**
   * The messages a chunk completes, in order.
   *
   * Each is a fresh buffer or a view of the chunk: use it before the chunk's
   * buffer is filled again. A message may be empty (length 0).
   *
   * @param chunk  any number of octets
   */
  *feed(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#filled === 0 && chunk.length - at >= LENGTH_OCTETS) {
        const end = at + LENGTH_OCTETS + (chunk[at] << 8 | chunk[at + 1]);
        if (end <= chunk.length) {
          yield chunk.subarray(at + LENGTH_OCTETS, end);
          at = end;
          continue;
        }
      }
      at = this.#collect(chunk, at);
      const message = this.#takeWhole();
      if (message) yield message;
    }
  }

  /** Keeps octets of a frame that spans chunks; returns the offset behind those taken. */
  #collect(chunk: Uint8Array, at: number): number {
    const wanted = this.#filled < LENGTH_OCTETS
      ? LENGTH_OCTETS
      : LENGTH_OCTETS + (this.#partial[0] << 8 | this.#partial[1]);
    const taken = Math.min(wanted - this.#filled, chunk.length - at);
    this.#reserve(this.#filled + taken, wanted);
    this.#partial.set(chunk.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    return at + taken;
  }

  /** Grows by doubling, so that a promised length alone costs no memory. */
  #reserve(needed: number, wanted: number): void {
    if (needed <= this.#partial.length) return;
    const size = Math.min(Math.max(needed, this.#partial.length * 2, 512), Math.max(wanted, 512));
    const larger = new Uint8Array(size);
    larger.set(this.#partial.subarray(0, this.#filled));
    this.#partial = larger;
  }

  #takeWhole(): Uint8Array | undefined {
    if (this.#filled < LENGTH_OCTETS) return undefined;
    const end = LENGTH_OCTETS + (this.#partial[0] << 8 | this.#partial[1]);
    if (this.#filled < end) return undefined;
    const message = this.#partial.subarray(LENGTH_OCTETS, end);
    this.#partial = new Uint8Array(0);
    this.#filled = 0;
    return message;
  }
}

/**
 * A message behind its length, in a fresh buffer.
 *
 * @throws {RangeError} the message is longer than a length can say
 */
export function frame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = message;
  if (length > MAX_MESSAGE_OCTETS) {
    throw new RangeError(
      `Cannot frame message: it has ${length} octets, at most ${MAX_MESSAGE_OCTETS} are possible`,
    );
  }
  const framed = new Uint8Array(LENGTH_OCTETS + length);
  framed[0] = length >> 8;
  framed[1] = length;
  framed.set(message, LENGTH_OCTETS);
  return framed;
}
