/**
 * A writer and a bounded reader of RDATA octets. Both own only their buffer.
 */
import { RdataError } from "../rdata_error.ts";
import { typeName } from "../types.ts";

/** Longest RDATA, in octets: RDLENGTH has 16 bits (RFC 1035 §3.2.1). */
export const MAX_RDATA_OCTETS = 65_535;

/** Collects octets up to {@link MAX_RDATA_OCTETS}; what exceeds them is counted, not kept. */
export class OctetWriter {
  readonly #octets = new Uint8Array(MAX_RDATA_OCTETS);
  /** Octets written; 0 begins anew. */
  length = 0;

  u8(value: number): void {
    this.#octets[this.length++] = value; // a store behind the end is ignored
  }

  u16(value: number): void {
    this.u8(value >>> 8);
    this.u8(value);
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value);
  }

  octets(octets: Uint8Array): void {
    if (this.length + octets.length <= MAX_RDATA_OCTETS) {
      this.#octets.set(octets, this.length);
    }
    this.length += octets.length;
  }

  /** Changes an octet already written. */
  patch(at: number, value: number): void {
    this.#octets[at] = value;
  }

  /** A copy of what was written, from `from`. */
  copy(from = 0): Uint8Array {
    return this.#octets.slice(from, this.length);
  }
}

/** Reads RDATA, never behind its end. */
export class RdataReader {
  at = 0;
  /** The field being read, for errors. */
  field = "";

  /** @param octets  the whole RDATA, a view; not changed */
  constructor(readonly type: number, readonly octets: Uint8Array) {}

  /** Octets not yet read. */
  get left(): number {
    return this.octets.length - this.at;
  }

  u8(): number {
    this.need(1);
    return this.octets[this.at++];
  }

  u16(): number {
    this.need(2);
    const { octets, at } = this;
    this.at += 2;
    return (octets[at] << 8) | octets[at + 1];
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16();
  }

  /** The next `count` octets: a view. */
  take(count: number): Uint8Array {
    this.need(count);
    this.at += count;
    return this.octets.subarray(this.at - count, this.at);
  }

  /** All octets left: a view. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** @throws {RdataError} "rdata-truncated" when fewer than `count` octets are left */
  need(count: number): void {
    if (count > this.left) {
      throw new RdataError(
        "rdata-truncated",
        `Cannot read ${
          typeName(this.type)
        } RDATA: ${this.field} needs ${count} octets at octet ${this.at}, ${this.left} are left`,
        undefined,
        { field: this.field, offset: this.at },
      );
    }
  }

  /** An error at the present octet: "Cannot read MX RDATA: exchange {reason}". */
  malformed(reason: string, code = "rdata-malformed"): RdataError {
    return new RdataError(
      code,
      `Cannot read ${typeName(this.type)} RDATA: ${this.field} ${reason}, at octet ${this.at}`,
      undefined,
      { field: this.field, offset: this.at },
    );
  }
}
