/**
 * RDATA taken out of a message, compression expanded.
 *
 * Pure. Specs: RFC 1035 §4.1.4, RFC 3597 §4 (which types may be compressed).
 */
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../name.ts";
import { checkRdata } from "../rdata.ts";
import { RdataError } from "../rdata_error.ts";
import { typeName } from "../types.ts";
import { domainName } from "./names.ts";
import { OctetWriter, RdataReader } from "./octets.ts";
import { layoutOf } from "./table.ts";

/**
 * RDATA out of a message, uncompressed and checked.
 *
 * Pointers are followed in the types of RFC 1035 and those RFC 3597 §4 lists
 * for receivers, strictly backwards, so that no loop is possible.
 *
 * @param message  the whole message
 * @param at  where the RDATA begins, in octets
 * @param length  RDLENGTH, in octets
 * @returns a fresh buffer
 * @throws {RdataError} RDATA behind the message's end, bad pointers, or
 *   malformed for its type; `offset` counts octets of the RDATA, in names of the message
 */
export function decompressRdata(
  type: number,
  message: Uint8Array,
  at: number,
  length: number,
): Uint8Array {
  if (at + length > message.length) {
    throw new RdataError(
      "rdata-truncated",
      `Cannot read ${typeName(type)} RDATA: it ends at octet ${
        at + length
      }, the message at ${message.length}`,
      undefined,
      { offset: at },
    );
  }
  const layout = layoutOf(type);
  const rdata = layout?.names.expanded
    ? expand(type, message, at, length)
    : message.slice(at, at + length);
  checkRdata(type, rdata);
  return rdata;
}

/** Allocated once; {@link expand} never nests. */
const scratch = new OctetWriter();

/** Copies fields up to the last name with their names expanded, then the rest as it is. */
function expand(
  type: number,
  message: Uint8Array,
  start: number,
  length: number,
): Uint8Array {
  const { fields, throughLastName } = layoutOf(type)!;
  const wire = new RdataReader(type, message.subarray(start, start + length));
  const out = scratch;
  out.length = 0;
  for (const { name, codec } of fields.slice(0, throughLastName)) {
    wire.field = name;
    const { at } = wire;
    if (codec === domainName) {
      wire.at = expandName(type, name, message, start + at, start + length, out) -
        start;
    } else {
      codec.check(wire);
      out.octets(wire.octets.subarray(at, wire.at));
    }
  }
  out.octets(wire.rest());
  return out.copy();
}

/** Writes the name at `from`, expanded; returns the offset behind it in place, at most `end`. */
function expandName(
  type: number,
  field: string,
  message: Uint8Array,
  from: number,
  end: number,
  out: OctetWriter,
): number {
  const malformed = (reason: string, offset: number) =>
    new RdataError(
      "rdata-name",
      `Cannot read ${typeName(type)} RDATA: ${field} ${reason}, at octet ${offset} of the message`,
      undefined,
      { field, offset },
    );
  let at = from;
  let limit = end; // labels in place lie within RDLENGTH, later ones within the message
  let earliest = from; // each pointer must point before where the last run of labels began
  let next = -1;
  for (let octets = 0;;) {
    if (at >= limit) throw malformed("is cut short", at);
    const label = message[at];
    if (label >= 0xc0) {
      if (at + 1 >= limit) throw malformed("is cut short", at);
      const target = ((label & 0x3f) << 8) | message[at + 1];
      if (target >= earliest) throw malformed("points forward", at);
      if (next < 0) next = at + 2;
      at = earliest = target;
      limit = message.length;
      continue;
    }
    if (label > MAX_LABEL_OCTETS) {
      throw malformed("has a length octet over 63", at);
    }
    octets += 1 + label;
    if (octets > MAX_NAME_OCTETS) {
      throw malformed(`has over ${MAX_NAME_OCTETS} octets`, at);
    }
    if (at + 1 + label > limit) throw malformed("is cut short", at);
    out.octets(message.subarray(at, at + 1 + label));
    at += 1 + label;
    if (label === 0) return next < 0 ? at : next;
  }
}
