/**
 * The OPT record of a message: what its sender says by EDNS.
 *
 * Pure. Specs: RFC 6891 §6.1.2 (wire format) and §6.1.3 (the TTL's parts).
 */
import { type RecordReader, uint16 } from "./record_reader.ts";
import { WireError } from "./wire_error.ts";

export interface EdnsOption {
  readonly code: number;
  readonly octets: Uint8Array;
}

/** What an OPT record says. */
export interface Edns {
  readonly version: number;
  /** The UDP payload size the sender can take, octets, as sent. */
  readonly payloadOctets: number;
  /** The DO bit (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

/** What the fixed part of the OPT record a reader has stepped over says. */
export function readOptFixed({ class: payloadOctets, ttl }: RecordReader): Edns {
  return {
    version: ttl >>> 16 & 0xff,
    payloadOctets,
    dnssecOk: (ttl & 0x8000) !== 0,
    options: [],
  };
}

/**
 * What the OPT record a reader has stepped over says.
 *
 * @throws {WireError} its owner is not the root, or an option is cut off
 */
export function readOpt(reader: RecordReader): Edns {
  const { message, at: end } = reader;
  if (reader.owner.length !== 1) {
    throw new WireError("wire-opt", "an OPT record's owner is not the root", reader.start);
  }
  const options: EdnsOption[] = [];
  for (let at = reader.rdataAt; at < end;) {
    if (at + 4 > end) throw new WireError("wire-opt", "an EDNS option is cut off", at);
    const next = at + 4 + uint16(message, at + 2);
    if (next > end) throw new WireError("wire-opt", "an EDNS option is cut off", at);
    options.push({ code: uint16(message, at), octets: message.subarray(at + 4, next) });
    at = next;
  }
  return { ...readOptFixed(reader), options };
}
