/**
 * The server's side of DNS cookies: which are good, and what is given back.
 *
 * Owns: the secrets, new at every start and then each day; nobody else needs
 * them, and a client whose cookie is no longer known is given another. Specs:
 * RFC 7873 §5.2, RFC 9018 §4.3 and §5 (a secret is good for an hour after the next).
 */
import { readIp } from "../ops/mod.ts";
import { cookieAge, isCookieLength, makeCookie, SIPHASH_KEY_OCTETS } from "../wire/mod.ts";
import type { Clock } from "./clock.ts";
import { COOKIE_RENEWAL_S, COOKIE_SECRET_MS } from "./limits.ts";

/** What is to be said to a query's COOKIE option. */
export interface CookieVerdict {
  /** The client has shown that it gets what is sent to its address. */
  readonly valid: boolean;
  /** The option of the response, in a buffer of its own. */
  readonly octets: Uint8Array;
}

function randomSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SIPHASH_KEY_OCTETS));
}

export class Cookies {
  #secret: Uint8Array;
  #previous: Uint8Array | undefined;
  #renewAt: number;

  /** @param makeSecret  gives 16 unforeseeable octets each time */
  constructor(readonly clock: Pick<Clock, "now">, readonly makeSecret = randomSecret) {
    this.#secret = makeSecret();
    this.#renewAt = clock.now() + COOKIE_SECRET_MS;
  }

  /**
   * The verdict on a COOKIE option; undefined when it is malformed.
   *
   * A wrong server cookie counts as none, and the answer brings the right one.
   *
   * @param ip  the client's address as its socket gives it
   */
  check(asked: Uint8Array, ip: string): CookieVerdict | undefined {
    const address = readIp(ip);
    if (!address || !isCookieLength(asked.length)) return undefined;
    const now = this.clock.now();
    if (now >= this.#renewAt) this.#renew(now);
    const at = Math.floor(now / 1_000);
    const age = cookieAge(this.#secret, asked, address, at);
    if (age !== undefined && age < COOKIE_RENEWAL_S) return { valid: true, octets: asked.slice() };
    const isOld = age !== undefined ||
      this.#previous !== undefined && cookieAge(this.#previous, asked, address, at) !== undefined;
    return { valid: isOld, octets: makeCookie(this.#secret, asked, address, at) };
  }

  /** Cookies of the secret before last are too old by now: a secret lasts longer than a cookie. */
  #renew(now: number): void {
    this.#previous = now < this.#renewAt + COOKIE_SECRET_MS ? this.#secret : undefined;
    this.#secret = this.makeSecret();
    this.#renewAt = now + COOKIE_SECRET_MS;
  }
}
