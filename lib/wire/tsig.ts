/**
 * TSIG: messages signed and verified with a shared key.
 *
 * Pure but for the runtime's HMAC; the time is given. Spec: RFC 8945 (§4.3 what
 * the MAC covers, §5.2 verifying, §5.3 answering, §5.3.1 sequences over TCP).
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { equalNames, lowerName } from "../dns/mod.ts";
import { CLASS_ANY, MESSAGE_HEADER_OCTETS } from "./codes.ts";
import { leastMacOctets, type TsigKey } from "./tsig_key.ts";
import { type TsigFields, tsigOctets, writeTsig } from "./tsig_record.ts";

/** Errors that travel in a TSIG record (RFC 8945 §3). */
export const TSIG_ERROR = { BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** How far two clocks may be apart, seconds: what RFC 8945 §10 recommends and everybody sends. */
export const TSIG_FUDGE_SECONDS = 300;

const NO_OCTETS = new Uint8Array(0);

/** What verifying found; the first check that fails is the answer. */
export type TsigVerdict =
  | { readonly kind: "valid"; readonly key: TsigKey }
  /** The record breaks the rules for a MAC's length: FORMERR (RFC 8945 §5.2.2.1). */
  | { readonly kind: "malformed" }
  /** Answered unsigned: whoever sent it has not shown that it knows the key. */
  | { readonly kind: "unknown"; readonly error: 16 | 17 }
  /** Answered signed: the MAC is right, the time or the MAC's length is not. */
  | { readonly kind: "untimely" | "truncated"; readonly key: TsigKey; readonly error: 18 | 22 };

/** The keys there are, by name. */
export type FindTsigKey = (tsig: TsigFields) => TsigKey | undefined;

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

/**
 * Verifies a message that asks: key, MAC, time and the MAC's length, in that order.
 *
 * The MAC is compared in constant time. How far the time may be off is what the
 * sender allows, and never more than {@link TSIG_FUDGE_SECONDS}: a recorded message
 * is worth nothing later.
 *
 * @param nowSeconds  the time of day, since the epoch
 * @param requestMac  where the message is an answer: the MAC of its request
 */
export function verifyTsig(
  message: Uint8Array,
  tsig: TsigFields,
  find: FindTsigKey,
  nowSeconds: number,
  requestMac?: Uint8Array,
): TsigVerdict {
  const key = find(tsig);
  if (!key || !equalNames(key.algorithm.wire, tsig.algorithm)) {
    return { kind: "unknown", error: TSIG_ERROR.BADKEY };
  }
  const { algorithm } = key;
  const { mac } = tsig;
  if (mac.length > algorithm.macOctets || mac.length < leastMacOctets(algorithm)) {
    return { kind: "malformed" };
  }
  const computed = new Digest(key, requestMac)
    .unsigned(message, tsig)
    .variables(key, tsig)
    .mac();
  if (!timingSafeEqual(computed.subarray(0, mac.length), mac)) {
    return { kind: "unknown", error: TSIG_ERROR.BADSIG };
  }
  const fudge = Math.min(tsig.fudge, TSIG_FUDGE_SECONDS);
  if (Math.abs(nowSeconds - timeSeconds(tsig.timeSigned)) > fudge) {
    return { kind: "untimely", key, error: TSIG_ERROR.BADTIME };
  }
  if (mac.length < key.minMacOctets) return { kind: "truncated", key, error: TSIG_ERROR.BADTRUNC };
  return { kind: "valid", key };
}

/**
 * What is wrong with the answer to a message we signed, in words that end a sentence
 * about it; undefined when it may be believed.
 *
 * Spec: RFC 8945 §5.3.2 (errors come unsigned, but for BADTIME and BADTRUNC), §5.4.
 */
export function answerFault(
  message: Uint8Array,
  tsig: TsigFields | undefined,
  key: TsigKey,
  requestMac: Uint8Array,
  nowSeconds: number,
): string | undefined {
  if (!tsig) return "it is not signed";
  const { error, mac } = tsig;
  if (mac.length === 0) {
    if (error === TSIG_ERROR.BADKEY) return "it says BADKEY: it does not have our key";
    if (error === TSIG_ERROR.BADSIG) return "it says BADSIG: its key has another secret";
    return "its signature is empty";
  }
  const verdict = verifyTsig(message, tsig, findKeyIn([key]), nowSeconds, requestMac);
  if (error === TSIG_ERROR.BADTIME && (verdict.kind === "valid" || verdict.kind === "untimely")) {
    if (tsig.other.length !== 6) return "it says BADTIME";
    const apart = timeSeconds(tsig.other) - nowSeconds;
    return `it says BADTIME: its clock is ${Math.abs(apart)} s ${
      apart < 0 ? "behind" : "ahead of"
    } ours`;
  }
  switch (verdict.kind) {
    case "valid":
      return error === 0 ? undefined : `it reports the TSIG error ${error}`;
    case "untimely":
      return "its time is off: the clocks are too far apart";
    case "truncated":
    case "malformed":
      return "its MAC has the wrong length";
    case "unknown":
      return verdict.error === TSIG_ERROR.BADKEY
        ? "it is signed with another key"
        : "its MAC is wrong";
  }
}

/** Keys by name, for {@link verifyTsig}. */
export function findKeyIn(keys: Iterable<TsigKey>): FindTsigKey {
  const all = [...keys];
  return ({ keyName }) => all.find(({ name }) => equalNames(name, keyName));
}

/** Octets to keep free for a signature without other data. */
export function signatureOctets({ name, algorithm }: TsigKey): number {
  return tsigOctets(name, algorithm.wire, algorithm.macOctets, 0);
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

/**
 * Signs a message of its own, or the single answer to one.
 *
 * @param message  without its TSIG record; its ID is the original one
 * @returns the message with the record, and the MAC, which its answer is bound to
 */
export function signMessage(
  message: Uint8Array,
  key: TsigKey,
  options: SignOptions,
): { message: Uint8Array; mac: Uint8Array } {
  const fields = unsignedFields(message, key, options);
  const mac = new Digest(key, options.requestMac).add(message).variables(key, fields).mac();
  const record = writeTsig({ ...fields, mac });
  const signed = new Uint8Array(message.length + record.length);
  signed.set(message);
  signed.set(record, message.length);
  countAdditional(signed);
  return { message: signed, mac };
}

function unsignedFields(
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

/**
 * Signs the messages of a transfer, each bound to the one before.
 *
 * The first covers the request's MAC and all of its TSIG variables, each further
 * one the MAC before it and the timers (RFC 8945 §5.3.1).
 */
export class TsigSequence {
  readonly #key: TsigKey;
  readonly #now: () => number;
  #previous: Uint8Array;
  #isFirst = true;

  /**
   * @param requestMac  of the query that is answered
   * @param now  seconds since the epoch
   */
  constructor(key: TsigKey, requestMac: Uint8Array, now: () => number) {
    this.#key = key;
    this.#previous = requestMac;
    this.#now = now;
  }

  /**
   * The TSIG record of the next message, whose header it counts itself in.
   *
   * @param head  the message's header and perhaps more; its ARCOUNT is raised
   * @param block  what follows the head
   */
  sign(head: Uint8Array, block: Uint8Array | undefined): Uint8Array {
    const key = this.#key;
    const fields = unsignedFields(head, key, { nowSeconds: this.#now() });
    const digest = new Digest(key, this.#previous).add(head);
    if (block) digest.add(block);
    if (this.#isFirst) digest.variables(key, fields);
    else digest.timers(fields);
    const mac = digest.mac();
    this.#previous = mac;
    this.#isFirst = false;
    countAdditional(head);
    return writeTsig({ ...fields, mac });
  }
}

/**
 * Verifies the messages of an answer in several messages, of which each may be
 * signed, and the first and the last must be (RFC 8945 §5.3.1).
 */
export class TsigSequenceVerifier {
  /** Unsigned messages in a row that are still believed. */
  static readonly MAX_UNSIGNED = 99;
  readonly #key: TsigKey;
  #digest: Digest;
  #isFirst = true;
  #unsigned = 0;

  constructor(key: TsigKey, requestMac: Uint8Array) {
    this.#key = key;
    this.#digest = new Digest(key, requestMac);
  }

  /** Whether all messages so far are covered by a signature: the last one is signed. */
  get isComplete(): boolean {
    return this.#unsigned === 0 && !this.#isFirst;
  }

  /**
   * Takes the next message.
   *
   * @returns what is wrong with it; undefined when it may be believed, for an
   *   unsigned one provided that a signed one follows
   */
  take(
    message: Uint8Array,
    tsig: TsigFields | undefined,
    nowSeconds: number,
  ): string | undefined {
    if (!tsig) {
      if (this.#isFirst) return "the first message is not signed";
      if (++this.#unsigned > TsigSequenceVerifier.MAX_UNSIGNED) return "too few are signed";
      this.#digest.add(message);
      return undefined;
    }
    const key = this.#key;
    if (!equalNames(key.name, tsig.keyName)) return "it is signed with another key";
    if (!equalNames(key.algorithm.wire, tsig.algorithm)) return "it has another algorithm";
    if (tsig.mac.length < key.minMacOctets || tsig.mac.length > key.algorithm.macOctets) {
      return "its MAC has the wrong length";
    }
    this.#digest.unsigned(message, tsig);
    const computed = this.#isFirst
      ? this.#digest.variables(key, tsig).mac()
      : this.#digest.timers(tsig).mac();
    if (!timingSafeEqual(computed.subarray(0, tsig.mac.length), tsig.mac)) {
      return "its MAC is wrong";
    }
    if (Math.abs(nowSeconds - timeSeconds(tsig.timeSigned)) > TSIG_FUDGE_SECONDS) {
      return "its time is off";
    }
    this.#digest = new Digest(key, tsig.mac);
    this.#isFirst = false;
    this.#unsigned = 0;
    return undefined;
  }
}

function countAdditional(message: Uint8Array): void {
  const count = (message[10] << 8 | message[11]) + 1;
  message[10] = count >> 8;
  message[11] = count;
}

/** The octets a MAC is made over, in their order (RFC 8945 §4.3). */
class Digest {
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
