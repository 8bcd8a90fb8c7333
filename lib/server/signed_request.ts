/**
 * Requests signed with TSIG: verified, and their answers signed with the same key.
 *
 * Pure but for the keys and the time. Spec: RFC 8945 §5.2 (the checks and what a
 * failed one is answered), §5.3 (signing answers), §5.3.1 (transfers).
 */
import type { MessageParts } from "../transfer/mod.ts";
import {
  RCODE,
  signatureOctets,
  signMessage,
  timeSeconds,
  TSIG_ERROR,
  type TsigFields,
  type TsigKey,
  TsigSequence,
  verifyTsig,
} from "../wire/mod.ts";
import type { Refusal } from "./answer.ts";
import type { KeyRing } from "./key_ring.ts";

/** How an answer is signed. */
export interface Signature {
  readonly key: TsigKey;
  readonly requestMac: Uint8Array;
  /** The time of day, seconds since the epoch. */
  readonly nowSeconds: () => number;
  /** TSIG error, 0 for none. */
  readonly error: number;
  /** The request's record, where its time was off: its answer says both times. */
  readonly untimely: TsigFields | undefined;
}

/** A signed request, looked at. */
export interface VerifiedRequest {
  /** Why it is not looked into further. */
  readonly refusal: Refusal | undefined;
  /** How its answer is signed; undefined where it may not be. */
  readonly signature: Signature | undefined;
  /** What is wrong, fit for the log; undefined when nothing is. */
  readonly fault: string | undefined;
}

/**
 * Verifies a request that has a TSIG record.
 *
 * @param isOnce  whether a request that was here before is refused (BADTIME)
 */
export function verifyRequest(
  message: Uint8Array,
  tsig: TsigFields,
  keys: KeyRing,
  isOnce: boolean,
): VerifiedRequest {
  const now = keys.nowSeconds();
  const verdict = verifyTsig(message, tsig, keys.find, now);
  switch (verdict.kind) {
    case "malformed":
      return { refusal: { rcode: RCODE.FORMERR }, signature: undefined, fault: "malformed TSIG" };
    case "unknown": {
      const refusal = { rcode: RCODE.NOTAUTH, tsigError: verdict.error };
      const fault = verdict.error === RCODE.BADKEY
        ? "BADKEY: we have no such key"
        : "BADSIG: the secrets differ, or it was altered";
      return { refusal, signature: undefined, fault };
    }
    case "untimely":
      return untimely(tsig, verdict.key, keys, apart(tsig, now));
    case "truncated": {
      const signature = signatureOf(tsig, verdict.key, keys, verdict.error);
      const { minMacOctets } = verdict.key;
      const fault =
        `BADTRUNC: its MAC has ${tsig.mac.length} octets, at least ${minMacOctets} are asked for`;
      return { refusal: { rcode: RCODE.NOTAUTH }, signature, fault };
    }
    case "valid":
      // Where a key allows MACs to be cut, the same one cut shorter is the same request.
      if (isOnce && !keys.replays.admit(tsig.mac.subarray(0, verdict.key.minMacOctets), now)) {
        return untimely(tsig, verdict.key, keys, "the same request was here before: a replay");
      }
      return {
        refusal: undefined,
        signature: signatureOf(tsig, verdict.key, keys),
        fault: undefined,
      };
  }
}

function untimely(tsig: TsigFields, key: TsigKey, keys: KeyRing, why: string): VerifiedRequest {
  // Its octets are views of a message that is soon written over.
  const copied = { ...tsig, timeSigned: tsig.timeSigned.slice() };
  const signature = { ...signatureOf(tsig, key, keys, TSIG_ERROR.BADTIME), untimely: copied };
  return { refusal: { rcode: RCODE.NOTAUTH }, signature, fault: `BADTIME: ${why}` };
}

function signatureOf(tsig: TsigFields, key: TsigKey, keys: KeyRing, error = 0): Signature {
  const nowSeconds = () => keys.nowSeconds();
  return { key, requestMac: tsig.mac.slice(), nowSeconds, error, untimely: undefined };
}

function apart({ timeSigned }: TsigFields, now: number): string {
  const seconds = timeSeconds(timeSigned) - now;
  return `its time is ${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"} ours`;
}

/** Octets an answer must leave free for its signature. */
export function signedOctets(signature: Signature | undefined): number {
  if (!signature) return 0;
  return signatureOctets(signature.key) + (signature.untimely ? 6 : 0);
}

/** An answer in one message as it leaves. */
export function signedAnswer(message: Uint8Array, signature: Signature | undefined): Uint8Array {
  if (!signature) return message;
  const { key, requestMac, nowSeconds, error, untimely } = signature;
  return signMessage(message, key, {
    requestMac,
    nowSeconds: nowSeconds(),
    error,
    untimely,
  }).message;
}

/**
 * A transfer's messages as they leave: each signed, bound to the one before.
 *
 * Its time runs on from the first message, whatever is done to the clock meanwhile: it
 * was near the client's when the request was verified.
 */
export function* signedMessages(
  messages: Iterable<MessageParts>,
  signature: Signature | undefined,
): Generator<MessageParts> {
  if (!signature) return yield* messages;
  const { key, requestMac } = signature;
  const began = signature.nowSeconds();
  const beganMs = performance.now();
  const now = () => began + Math.floor((performance.now() - beganMs) / 1000);
  const sequence = new TsigSequence(key, requestMac, now);
  for (const { head: shared, block } of messages) {
    const head = shared.slice(); // the first messages are kept for other clients
    yield { head, block, tail: sequence.sign(head, block) };
  }
}
