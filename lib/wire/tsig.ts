/**
 * TSIG: messages signed and verified with a shared key.
 *
 * Pure but for the runtime's HMAC; the time is given. Spec: RFC 8945 (§5.2 verifying,
 * §5.3 answering).
 */
import { timingSafeEqual } from "node:crypto";
import { equalNames } from "../dns/mod.ts";
import { leastMacOctets, type TsigKey } from "./tsig_key.ts";
import {
  countAdditional,
  MacDigest,
  type SignOptions,
  timeSeconds,
  TSIG_FUDGE_SECONDS,
  unsignedFields,
} from "./tsig_mac.ts";
import { type TsigFields, tsigOctets, writeTsig } from "./tsig_record.ts";

/** Errors that travel in a TSIG record (RFC 8945 §3). */
export const TSIG_ERROR = { BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

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
  const computed = new MacDigest(key, requestMac)
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
  const mac = new MacDigest(key, options.requestMac).add(message).variables(key, fields).mac();
  const record = writeTsig({ ...fields, mac });
  const signed = new Uint8Array(message.length + record.length);
  signed.set(message);
  signed.set(record, message.length);
  countAdditional(signed);
  return { message: signed, mac };
}
