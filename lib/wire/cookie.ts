/**
 * DNS cookies: by them a server knows that a client has its address.
 *
 * Pure: secret and time are given. Specs: RFC 7873 §4 (the option), RFC 9018 §4
 * (the one form of server cookies, which all servers of a set can check).
 */
import { equalOctets } from "../dns/mod.ts";
import { sipHash24 } from "./siphash.ts";

/** Octets of a client cookie (RFC 7873 §4). */
const CLIENT_OCTETS = 8;
/** Octets of a server cookie as made here: version, reserved, timestamp, hash (RFC 9018 §4). */
const SERVER_OCTETS = 16;
/** Where in the option's octets the hash stands. */
const HASH_AT = CLIENT_OCTETS + 8;
/** The one version there is (RFC 9018 §4.1). */
const VERSION = 1;
/** A server cookie is good for so long, s (RFC 9018 §4.3). */
const MAX_AGE_S = 3_600;
/** Clocks of one set of servers may differ by so much, s (RFC 9018 §4.3). */
const MAX_AHEAD_S = 300;

/** Whether a COOKIE option of a query has one of the lengths it may have (RFC 7873 §5.2.2). */
export function isCookieLength(octets: number): boolean {
  return octets === CLIENT_OCTETS || octets >= CLIENT_OCTETS + 8 && octets <= CLIENT_OCTETS + 32;
}

/** Whether a COOKIE option of one of these lengths has a server cookie, good or not. */
export function hasServerCookie(option: Uint8Array): boolean {
  return option.length > CLIENT_OCTETS;
}

/**
 * The COOKIE option of a response: the client's cookie and a server cookie.
 *
 * @param asked  the query's option; its first 8 octets are the client's cookie
 * @param ip  the client's address, 4 or 16 octets
 * @param at  now, seconds since the epoch; its low 32 bits count
 */
export function makeCookie(
  secret: Uint8Array,
  asked: Uint8Array,
  ip: Uint8Array,
  at: number,
): Uint8Array {
  const cookie = new Uint8Array(CLIENT_OCTETS + SERVER_OCTETS);
  cookie.set(asked.subarray(0, CLIENT_OCTETS));
  cookie[CLIENT_OCTETS] = VERSION;
  new DataView(cookie.buffer).setUint32(CLIENT_OCTETS + 4, at);
  cookie.set(hash(secret, cookie, ip), HASH_AT);
  return cookie;
}

/**
 * The age of the server cookie in a query's COOKIE option, seconds, negative when
 * it was made by a clock ahead of ours; undefined when it is not one that this
 * secret made for this address, or out of its time.
 *
 * @param at  now, seconds since the epoch
 */
export function cookieAge(
  secret: Uint8Array,
  asked: Uint8Array,
  ip: Uint8Array,
  at: number,
): number | undefined {
  if (asked.length !== CLIENT_OCTETS + SERVER_OCTETS || asked[CLIENT_OCTETS] !== VERSION) {
    return undefined;
  }
  const { buffer, byteOffset } = asked;
  const made = new DataView(buffer, byteOffset).getUint32(CLIENT_OCTETS + 4);
  const age = at - made | 0; // RFC 9018 §4.3: timestamps are compared as serials are
  if (age > MAX_AGE_S || age < -MAX_AHEAD_S) return undefined;
  return equalOctets(hash(secret, asked, ip), asked.subarray(HASH_AT)) ? age : undefined;
}

/** Spec: RFC 9018 §4.4 (client cookie, version, reserved, timestamp, address). */
function hash(secret: Uint8Array, cookie: Uint8Array, ip: Uint8Array): Uint8Array {
  const input = new Uint8Array(HASH_AT + ip.length);
  input.set(cookie.subarray(0, HASH_AT));
  input.set(ip, HASH_AT);
  return sipHash24(secret, input);
}
