/**
 * The MAC of a signed message: what it covers, and the fields of its record.
 *
 * Pure but for the runtime's HMAC. Spec: RFC 8945 §4.3 (what the MAC covers), §5.3.1
 * (in sequences).
 */
import { createHmac } from "node:crypto";
import { lowerName } from "../dns/mod.ts";
import { CLASS_ANY, MESSAGE_HEADER_OCTETS } from "./codes.ts";
import type { TsigKey } from "./tsig_key.ts";
import type { TsigFields } from "./tsig_record.ts";

/** How far two clocks may be apart, seconds: what RFC 8945 §10 recommends and everybody sends. */
export const TSIG_FUDGE_SECONDS = 300;

const NO_OCTETS = new Uint8Array(0);

/** Seconds in 48 bits, as TSIG records carry time. */
export function timeOctets(seconds: number): Uint8Array {
  const out = new Uint8Array(6);
  const high = Math.floor(seconds / 2 ** 32);
  const view = new DataView(out.buffer);
  view.setUint16(0, high);
  view.setUint32(2, seconds >>> 0);
  return out;
}

/** The seconds in a TSIG record's time. */
export function timeSeconds(octets: Uint8Array): number {
  const view = new DataView(octets.buffer, octets.byteOffset, 6);
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2);
}

/** What a signature says beside the MAC. */
export interface SignOptions {
  /** Where the message is an answer: the MAC of its request. */
  readonly requestMac?: Uint8Array;
  /** Seconds since the epoch. */
  readonly nowSeconds: number;
  readonly error?: number;
  /** The request this answers, when it was untimely: its time goes back, ours goes with it. */
  readonly untimely?: TsigFields;
}

/** The fields of the record that is to sign a message. */
export function unsignedFields(
  message: Uint8Array,
  key: TsigKey,
  { nowSeconds, error = 0, untimely }: SignOptions,
): Omit<TsigFields, "offset" | "mac"> {
  return {
    keyName: key.name,
    algorithm: key.algorithm.wire,
    timeSigned: untimely?.timeSigned ?? timeOctets(nowSeconds),
    fudge: untimely?.fudge ?? TSIG_FUDGE_SECONDS,
    originalId: message[0] << 8 | message[1],
    error,
    other: untimely ? timeOctets(nowSeconds) : NO_OCTETS,
  };
}

/** Counts one more record in a header's ARCOUNT: the signature. */
export function countAdditional(message: Uint8Array): void {
  const count = (message[10] << 8 | message[11]) + 1;
  message[10] = count >> 8;
  message[11] = count;
}

/** The octets a MAC is made over, in their order (RFC 8945 §4.3). */
export class MacDigest {
  readonly #hmac: ReturnType<typeof createHmac>;

  /** @param before  a MAC to bind to, which goes first with its length (§5.3.1, §4.3.1) */
  constructor({ algorithm, secret }: TsigKey, before: Uint8Array | undefined) {
    this.#hmac = createHmac(algorithm.hash, secret);
    if (before) this.#hmac.update(uint16Octets(before.length)).update(before);
  }

  add(octets: Uint8Array): this {
    this.#hmac.update(octets);
    return this;
  }

  /** A received message as it was before it was signed: original ID, no TSIG record (§4.3.2). */
  unsigned(message: Uint8Array, { originalId, offset }: TsigFields): this {
    const header = message.slice(0, MESSAGE_HEADER_OCTETS);
    header.set(uint16Octets(originalId));
    header.set(uint16Octets((header[10] << 8 | header[11]) - 1), 10);
    return this.add(header).add(message.subarray(MESSAGE_HEADER_OCTETS, offset));
  }

  /** The record's own fields (§4.3.3). */
  variables(key: TsigKey, fields: Omit<TsigFields, "mac" | "originalId" | "offset">): this {
    this.add(key.name).add(uint16Octets(CLASS_ANY)).add(new Uint8Array(4));
    this.add(lowerName(fields.algorithm)).timers(fields);
    this.add(uint16Octets(fields.error)).add(uint16Octets(fields.other.length));
    return this.add(fields.other);
  }

  /** What of its fields counts from the second message of a sequence on (§5.3.1). */
  timers({ timeSigned, fudge }: Pick<TsigFields, "timeSigned" | "fudge">): this {
    return this.add(timeSigned).add(uint16Octets(fudge));
  }

  mac(): Uint8Array {
    return this.#hmac.digest();
  }
}

function uint16Octets(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}
