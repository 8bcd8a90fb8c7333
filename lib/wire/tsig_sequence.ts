/**
 * TSIG over the messages of a transfer, each bound to the one before.
 *
 * Owns: the MAC, or what of the next is known. Spec: RFC 8945 §5.3.1.
 */
import { timingSafeEqual } from "node:crypto";
import { equalNames } from "../dns/mod.ts";
import type { TsigKey } from "./tsig_key.ts";
import {
  countAdditional,
  MacDigest,
  timeSeconds,
  TSIG_FUDGE_SECONDS,
  unsignedFields,
} from "./tsig_mac.ts";
import { type TsigFields, writeTsig } from "./tsig_record.ts";

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
    const digest = new MacDigest(key, this.#previous).add(head);
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
  #digest: MacDigest;
  #isFirst = true;
  #unsigned = 0;

  constructor(key: TsigKey, requestMac: Uint8Array) {
    this.#key = key;
    this.#digest = new MacDigest(key, requestMac);
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
    this.#digest = new MacDigest(key, tsig.mac);
    this.#isFirst = false;
    this.#unsigned = 0;
    return undefined;
  }
}
