/**
 * How many UDP answers a prefix gets: the server is no amplifier for forged queries.
 *
 * A token bucket for each prefix (/24, IPv6 /56) and {@link RateClass class of answer}: a
 * second's worth at once, then as many as come in a second. Of what is above, each so-manieth
 * answer goes out truncated and the rest is dropped: a real client then asks over TCP.
 *
 * Owns: a table of fixed size. The place of a prefix in it depends on a secret, so that nobody
 * can choose whom to share it with. Limitation: of more prefixes at a time than the table has
 * slots, those asked for longest ago begin anew.
 */
import { readIp } from "../ops/mod.ts";
import { RCODE } from "../wire/mod.ts";
import { RATE_SLOTS } from "./limits.ts";

/** What is counted apart: who is asked for names that are not there still gives those that are. */
export const RATE_CLASS = { ANSWER: 0, NO_DATA: 1, NXDOMAIN: 2, ERROR: 3 } as const;
export type RateClass = typeof RATE_CLASS[keyof typeof RATE_CLASS];

/** What becomes of an answer. */
export type RateVerdict = "send" | "truncate" | "drop";

/** Slots looked at for one key. */
const WAYS = 4;

export interface ResponseRateOptions {
  /** Answers in a second for each prefix and class, above 0. */
  readonly perSecond: number;
  /** Each so-manieth of those above is truncated; 0 for none. */
  readonly slip: number;
  /** ms, of any origin; never goes back. */
  readonly now: () => number;
  /** 32 random bits. */
  readonly secret: number;
}

export class ResponseRate {
  readonly #options: ResponseRateOptions;
  /** What a slot is for; the slot's {@link #fullAt} says whether it is in use. */
  readonly #keys = new Uint32Array(RATE_SLOTS);
  /** When the slot's bucket will be full again, ms; in the past: it is, and the slot is free. */
  readonly #fullAt = new Float64Array(RATE_SLOTS).fill(-Infinity);
  /** Time one token takes to come, ms. */
  readonly #tokenMs: number;
  #above = 0;

  constructor(options: ResponseRateOptions) {
    this.#options = options;
    this.#tokenMs = 1_000 / options.perSecond;
  }

  /**
   * What becomes of an answer; counts it.
   *
   * @param ip  the client's address as its socket gives it
   */
  judge(ip: string, answer: Uint8Array): RateVerdict {
    const { now: clock, slip } = this.#options;
    const now = clock();
    const slot = this.#slot(rateKey(ip, classOf(answer), this.#options.secret), now);
    const fullAt = Math.max(this.#fullAt[slot], now) + this.#tokenMs;
    if (fullAt - now <= 1_000 + this.#tokenMs / 2) {
      this.#fullAt[slot] = fullAt;
      return "send";
    }
    this.#above++;
    return slip > 0 && this.#above % slip === 0 ? "truncate" : "drop";
  }

  /** The slot of a key: its own, else the one among its few whose bucket is fullest, taken over. */
  #slot(key: number, now: number): number {
    const first = (Math.imul(key ^ this.#options.secret, 0x9e3779b1) >>> 0) % RATE_SLOTS &
      ~(WAYS - 1);
    let fullest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#keys[slot] === key) return slot;
      if (this.#fullAt[slot] < this.#fullAt[fullest]) fullest = slot;
    }
    this.#keys[fullest] = key;
    this.#fullAt[fullest] = now;
    return fullest;
  }
}

/** The class of an answer, by its header alone. */
export function classOf(answer: Uint8Array): RateClass {
  const rcode = answer[3] & 0xf;
  if (rcode === RCODE.NXDOMAIN) return RATE_CLASS.NXDOMAIN;
  if (rcode !== RCODE.NOERROR) return RATE_CLASS.ERROR;
  return answer[6] | answer[7] ? RATE_CLASS.ANSWER : RATE_CLASS.NO_DATA;
}

/**
 * 32 bits for a prefix and a class: of IPv4 the /24 itself, of IPv6 the /56 mixed with the secret.
 * Text that is no address has one key for all.
 */
function rateKey(ip: string, answerClass: RateClass, secret: number): number {
  const dot = ip.lastIndexOf(".");
  if (dot >= 0) {
    let prefix = 0;
    let part = 0;
    // A mapped address ends in the IPv4 one.
    for (let i = ip.lastIndexOf(":") + 1; i <= dot; i++) {
      const digit = ip.charCodeAt(i) - 48;
      if (digit >= 0) part = part * 10 + digit;
      else {
        prefix = prefix << 8 | part;
        part = 0;
      }
    }
    return (prefix << 2 | answerClass) & 0x7fffffff;
  }
  let hash = secret;
  const octets = readIp(ip)?.subarray(0, 7) ?? [];
  for (const octet of octets) {
    hash = Math.imul(hash ^ octet, 0x01000193);
    hash ^= hash >>> 15;
  }
  return (0x80000000 | Math.imul(hash, 0x85ebca6b) << 2 | answerClass) >>> 0;
}
