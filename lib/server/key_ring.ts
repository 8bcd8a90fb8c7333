/**
 * The TSIG keys of this server, which a reload may replace.
 *
 * Owns: the keys.
 */
import { canonicalKey, formatName, type Name } from "../dns/mod.ts";
import {
  answerFault,
  findTsig,
  signMessage,
  type TsigFields,
  type TsigKey,
  WireError,
} from "../wire/mod.ts";
import type { Clock } from "./clock.ts";
import { ServerError } from "./server_error.ts";

export class KeyRing {
  #keys: ReadonlyMap<string, TsigKey>;

  /** @param needed  names that configuration gives keys by */
  constructor(keys: readonly TsigKey[], readonly needed: readonly Name[] = []) {
    this.#keys = this.#checked(keys);
  }

  /**
   * Takes new keys in the place of all there are.
   *
   * @throws {ServerError} one that is needed is not among them; the old ones stay
   */
  replace(keys: readonly TsigKey[]): void {
    this.#keys = this.#checked(keys);
  }

  get size(): number {
    return this.#keys.size;
  }

  get(name: Name): TsigKey | undefined {
    return this.#keys.get(canonicalKey(name));
  }

  /** The key a TSIG record names. */
  readonly find = ({ keyName }: TsigFields): TsigKey | undefined => this.get(keyName);

  #checked(keys: readonly TsigKey[]): ReadonlyMap<string, TsigKey> {
    const byName = new Map(keys.map((key) => [canonicalKey(key.name), key]));
    const missing = this.needed.find((name) => !byName.has(canonicalKey(name)));
    if (missing) {
      throw new ServerError(
        "key-missing",
        `There is no TSIG key ${formatName(missing)}`,
        "name its file with --tsig-key-file; `zonecast keygen` makes one",
      );
    }
    return byName;
  }
}

/** Signs what is asked of one server, and tells which answers may be believed. */
export class RequestSigner {
  /** @param name  of the key; undefined: nothing is signed, every answer believed */
  constructor(
    readonly ring: KeyRing,
    readonly name: Name | undefined,
    readonly clock: Clock,
  ) {}

  /** The message to send, and the MAC its answer is bound to. */
  sign(message: Uint8Array): { message: Uint8Array; mac: Uint8Array | undefined } {
    const key = this.name && this.ring.get(this.name);
    if (!key) return { message, mac: undefined };
    return signMessage(message, key, { nowSeconds: this.#nowSeconds() });
  }

  /**
   * Why an answer may not be believed, in words that end a sentence about it;
   * undefined when it may.
   *
   * @param mac  of the message it answers
   */
  fault(answer: Uint8Array, mac: Uint8Array | undefined): string | undefined {
    const key = this.name && this.ring.get(this.name);
    if (!key || !mac) return undefined;
    try {
      return answerFault(answer, findTsig(answer), key, mac, this.#nowSeconds());
    } catch (error) {
      if (error instanceof WireError) return "it is malformed";
      throw error;
    }
  }

  #nowSeconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}
