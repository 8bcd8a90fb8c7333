/**
 * The TSIG keys of this server, which a reload may replace, and the time of day that
 * messages are signed and verified at.
 *
 * Owns: the keys. TSIG goes by the time of day, as the other side knows it, and not by
 * the clock that never goes back: after the machine has slept, or its clock was set, the
 * two differ.
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
import { ReplayGuard } from "./replay_guard.ts";
import { ServerError } from "./server_error.ts";

export interface KeyRingOptions {
  /**
   * Names that configuration gives keys by, those that may stand for each other in one
   * list: of each list one must be there.
   */
  readonly needed?: readonly (readonly Name[])[];
  /** ms since the epoch; for tests. */
  readonly timeOfDay?: () => number;
}

export class KeyRing {
  readonly replays = new ReplayGuard();
  #needed: readonly (readonly Name[])[];
  readonly #timeOfDay: () => number;
  #keys: ReadonlyMap<string, TsigKey>;

  /** @throws {ServerError} one that is needed is not among them */
  constructor(keys: readonly TsigKey[], options: KeyRingOptions = {}) {
    this.#needed = (options.needed ?? []).filter((names) => names.length > 0);
    this.#timeOfDay = options.timeOfDay ?? Date.now;
    this.#keys = this.#checked(keys);
  }

  /**
   * Takes new keys in the place of all there are.
   *
   * @param needed  as {@link KeyRingOptions.needed}; as before without
   * @throws {ServerError} one that is needed is not among them; the old ones stay
   */
  replace(keys: readonly TsigKey[], needed?: KeyRingOptions["needed"]): void {
    const before = this.#needed;
    try {
      if (needed) this.#needed = needed.filter((names) => names.length > 0);
      this.#keys = this.#checked(keys);
    } catch (error) {
      this.#needed = before;
      throw error;
    }
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Names that are needed and not there: others stand for them. */
  get absent(): readonly Name[] {
    return this.#needed.flat().filter((name) => !this.get(name));
  }

  get(name: Name): TsigKey | undefined {
    return this.#keys.get(canonicalKey(name));
  }

  /** The key a TSIG record names. */
  readonly find = ({ keyName }: TsigFields): TsigKey | undefined => this.get(keyName);

  /** The time of day, seconds since the epoch. */
  nowSeconds(): number {
    return Math.floor(this.#timeOfDay() / 1000);
  }

  #checked(keys: readonly TsigKey[]): ReadonlyMap<string, TsigKey> {
    const byName = new Map(keys.map((key) => [canonicalKey(key.name), key]));
    for (const names of this.#needed) {
      if (names.some((name) => byName.has(canonicalKey(name)))) continue;
      throw new ServerError(
        "key-missing",
        `There is no TSIG key ${names.map((name) => formatName(name)).join(" or ")}`,
        "name its file with --tsig-key-file; `zonecast keygen` makes one",
      );
    }
    return byName;
  }
}

/** What the answer to a signed message is bound to. */
export interface Signed {
  readonly key: TsigKey;
  readonly mac: Uint8Array;
}

/** Signs what is asked of one server, and tells which answers may be believed. */
export class RequestSigner {
  /**
   * @param names  of its keys, of which the first that is there signs; empty: nothing is
   *   signed, every answer believed
   */
  constructor(readonly ring: KeyRing, readonly names: readonly Name[]) {}

  /**
   * The message to send, and what its answer is to be bound to.
   *
   * @throws {RangeError} none of the keys is there, which the ring sees to
   */
  sign(message: Uint8Array): { message: Uint8Array; signed: Signed | undefined } {
    if (this.names.length === 0) return { message, signed: undefined };
    const key = this.names.map((name) => this.ring.get(name)).find((key) => key !== undefined);
    if (!key) throw new RangeError(`Cannot sign: no key ${formatName(this.names[0])}`);
    const { message: octets, mac } = signMessage(message, key, {
      nowSeconds: this.ring.nowSeconds(),
    });
    return { message: octets, signed: { key, mac } };
  }

  /**
   * Why an answer may not be believed, in words that end a sentence about it;
   * undefined when it may.
   *
   * @param signed  as {@link sign} gave it for the message it answers
   * @param earlier  the same of earlier messages, of which it may answer any as well
   */
  fault(
    answer: Uint8Array,
    signed: Signed | undefined,
    earlier: readonly (Signed | undefined)[] = [],
  ): string | undefined {
    const fault = this.#faultOf(answer, signed);
    const isOf = (one: Signed | undefined) => this.#faultOf(answer, one) === undefined;
    return fault === undefined || earlier.some(isOf) ? undefined : fault;
  }

  #faultOf(answer: Uint8Array, signed: Signed | undefined): string | undefined {
    if (!signed) return this.names.length === 0 ? undefined : "nothing signed was asked";
    try {
      const { key, mac } = signed;
      return answerFault(answer, findTsig(answer), key, mac, this.ring.nowSeconds());
    } catch (error) {
      if (error instanceof WireError) return "it is malformed";
      throw error;
    }
  }
}
