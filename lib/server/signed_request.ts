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
  type TsigFields,
  type TsigKey,
  TsigSequence,
  verifyTsig,
} from "../wire/mod.ts";
import type { Refusal } from "./answer.ts";
import type { Clock } from "./clock.ts";
import type { KeyRing } from "./key_ring.ts";

/** How an answer is signed. */
export interface Signature {
  readonly key: TsigKey;
  readonly requestMac: Uint8Array;
  readonly clock: Clock;
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

/** Verifies a request that has a TSIG record. */
export function verifyRequest(
  message: Uint8Array,
  tsig: TsigFields,
  keys: KeyRing,
  clock: Clock,
): VerifiedRequest {
  const verdict = verifyTsig(message, tsig, keys.find, seconds(clock));
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
    case "truncated": {
      const untimely = verdict.kind === "untimely" ? copied(tsig) : undefined;
      const { key, error } = verdict;
      const signature = { key, requestMac: tsig.mac.slice(), clock, error, untimely };
      const fault = untimely ? "BADTIME: the clocks differ, or it is old" : "BADTRUNC: short MAC";
      return { refusal: { rcode: RCODE.NOTAUTH }, signature, fault };
    }
    case "valid": {
      const requestMac = tsig.mac.slice();
      const signature = { key: verdict.key, requestMac, clock, error: 0, untimely: undefined };
      return { refusal: undefined, signature, fault: undefined };
    }
  }
}

/** Its octets are views of a message that is soon written over. */
function copied(tsig: TsigFields): TsigFields {
  return { ...tsig, timeSigned: tsig.timeSigned.slice() };
}

function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

/** Octets an answer must leave free for its signature. */
export function signedOctets(signature: Signature | undefined): number {
  if (!signature) return 0;
  return signatureOctets(signature.key) + (signature.untimely ? 6 : 0);
}

/** An answer in one message as it leaves. */
export function signedAnswer(message: Uint8Array, signature: Signature | undefined): Uint8Array {
  if (!signature) return message;
  const { key, requestMac, clock, error, untimely } = signature;
  return signMessage(message, key, {
    requestMac,
    nowSeconds: seconds(clock),
    error,
    untimely,
  }).message;
}

/** A transfer's messages as they leave: each signed, bound to the one before. */
export function* signedMessages(
  messages: Iterable<MessageParts>,
  signature: Signature | undefined,
): Generator<MessageParts> {
  if (!signature) return yield* messages;
  const { key, requestMac, clock } = signature;
  const sequence = new TsigSequence(key, requestMac, () => seconds(clock));
  for (const { head: shared, block } of messages) {
    const head = shared.slice(); // the first messages are kept for other clients
    yield { head, block, tail: sequence.sign(head, block) };
  }
}
