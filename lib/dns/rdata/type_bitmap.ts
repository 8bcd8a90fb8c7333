/** Type bit maps of NSEC, NSEC3 and CSYNC. Specs: RFC 4034 §4.1.2, RFC 5155 §3.2.1, RFC 7477 §2.1.1.3. */
import { findTypeCode, typeName } from "../types.ts";
import type { FieldCodec } from "./codec.ts";
import type { OctetWriter, RdataReader } from "./octets.ts";

function writeBitmap(types: readonly number[], out: OctetWriter): void {
  const sorted = [...new Set(types)].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length;) {
    const window = sorted[i] >>> 8;
    const bits = new Uint8Array(32);
    let length = 0;
    for (; i < sorted.length && sorted[i] >>> 8 === window; i++) {
      const low = sorted[i] & 0xff;
      bits[low >>> 3] |= 0x80 >>> (low & 7);
      length = (low >>> 3) + 1;
    }
    out.u8(window);
    out.u8(length);
    out.octets(bits.subarray(0, length));
  }
}

/** Reads windows to the end; each must be above the last and end in an octet that is not zero. */
function takeBitmap(wire: RdataReader): number[] {
  const types: number[] = [];
  let last = -1;
  while (wire.left > 0) {
    const window = wire.u8();
    const length = wire.u8();
    if (window <= last) throw wire.malformed("has windows out of order");
    if (length === 0 || length > 32) {
      throw wire.malformed(`has a window of ${length} octets, not 1 to 32`);
    }
    last = window;
    const bits = wire.take(length);
    if (bits[length - 1] === 0) {
      throw wire.malformed("has a window that ends in a zero octet");
    }
    for (let i = 0; i < length * 8; i++) {
      if (bits[i >>> 3] & (0x80 >>> (i & 7))) types.push(window * 256 + i);
    }
  }
  return types;
}

/** RR types to the end of the RDATA, at least `least`. */
export function typeBitmap(least: 0 | 1): FieldCodec {
  return {
    parse(input, out) {
      const types: number[] = [];
      if (input.done && least > 0) throw input.missing();
      while (!input.done) {
        const code = findTypeCode(input.word());
        if (code === undefined) {
          throw input.wrong(
            input.last,
            "is no RR type",
            "type-unknown",
            "write mnemonics or TYPEnnn",
          );
        }
        types.push(code);
      }
      writeBitmap(types, out);
    },
    check(wire) {
      wire.need(least);
      takeBitmap(wire);
    },
    format: (wire) => takeBitmap(wire).map(typeName).join(" "),
  };
}
