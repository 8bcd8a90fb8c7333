/**
 * Names in a received message: bounded, loop-free decompression.
 *
 * Pure. Spec: RFC 1035 §4.1.4. A pointer must lead strictly backward, to before
 * the run of labels it ends, so every chain of pointers ends.
 */
import { MAX_NAME_OCTETS, type Name } from "../dns/mod.ts";
import { MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { WireError } from "./wire_error.ts";

/** A pointer's two leading bits; also the mask to see a label's kind. */
const POINTER_BITS = 0xc0;

/**
 * Pointers in one name: a label before each fills the longest name with fewer. Without a bound a
 * message of 64 KiB can lead through millions of them, record after record.
 */
const MAX_POINTERS = 127;

/** A name and the offset behind it. */
export interface NameAt {
  /** Uncompressed: a view of the message when it holds no pointer there, else a fresh buffer. */
  readonly name: Name;
  readonly next: number;
}

/**
 * The name that starts at an offset.
 *
 * @param end  offset the name, without what its pointers lead to, must end by
 * @throws {WireError} "wire-cut", "wire-label", "wire-pointer", "wire-name-long"
 */
export function readName(message: Uint8Array, at: number, end: number): NameAt {
  let cursor = at;
  while (true) {
    if (cursor >= end) throw new WireError("wire-cut", "a name is cut off", at);
    const length = message[cursor];
    if (length === 0) {
      const next = cursor + 1;
      if (next - at > MAX_NAME_OCTETS) throw tooLong(at);
      return { name: message.subarray(at, next), next };
    }
    if (length >= POINTER_BITS) return readCompressed(message, at, end);
    if (length > 63) throw badLabel(cursor);
    cursor += 1 + length;
  }
}

function readCompressed(message: Uint8Array, start: number, end: number): NameAt {
  const out = new Uint8Array(MAX_NAME_OCTETS);
  let length = 0;
  let at = start;
  let limit = start; // pointers must lead to before this
  let bound = end;
  let next = -1;
  let pointers = 0;
  while (true) {
    if (at >= bound) throw new WireError("wire-cut", "a name is cut off", at);
    const label = message[at];
    if (label >= POINTER_BITS) {
      if (at + 1 >= bound) throw new WireError("wire-cut", "a pointer is cut off", at);
      const target = (label & 0x3f) << 8 | message[at + 1];
      if (target >= limit || target < MESSAGE_HEADER_OCTETS) {
        throw new WireError("wire-pointer", "a pointer does not lead backward", at);
      }
      if (++pointers > MAX_POINTERS) {
        throw new WireError(
          "wire-pointer",
          `a name leads through over ${MAX_POINTERS} pointers`,
          at,
        );
      }
      if (next < 0) next = at + 2;
      // What lies before the pointer's run of labels is all that may be read through it.
      bound = limit;
      at = limit = target;
      continue;
    }
    if (label > 63) throw badLabel(at);
    if (length + 1 + label > MAX_NAME_OCTETS) throw tooLong(start);
    if (at + 1 + label > bound) throw new WireError("wire-cut", "a label is cut off", at);
    out.set(message.subarray(at, at + 1 + label), length);
    length += 1 + label;
    at += 1 + label;
    if (label === 0) return { name: out.slice(0, length), next: next < 0 ? at : next };
  }
}

function tooLong(at: number): WireError {
  return new WireError("wire-name-long", `a name has over ${MAX_NAME_OCTETS} octets`, at);
}

function badLabel(at: number): WireError {
  return new WireError("wire-label", "a label has an unknown kind", at);
}
