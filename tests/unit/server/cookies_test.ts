import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Cookies } from "../../../lib/server/cookies.ts";
import { COOKIE_SECRET_MS } from "../../../lib/server/limits.ts";

const CLIENT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const MINUTE = 60_000;

/** Cookies whose clock is turned by hand, and whose secrets are 1, 2, 3… */
function cookies() {
  const clock = { at: 1_700_000_000_000, now: () => clock.at };
  let secrets = 0;
  const made = new Cookies(clock, () => new Uint8Array(16).fill(++secrets));
  return { clock, check: (asked: Uint8Array, ip = "192.0.2.7") => made.check(asked, ip)! };
}

Deno.test("Cookies: a client cookie alone is not good; the one given for it is, at its address", () => {
  const { check } = cookies();
  const first = check(CLIENT);
  assertEquals([first.valid, first.octets.length], [false, 24]);
  assertEquals(check(first.octets).valid, true);
  assertEquals(check(first.octets, "::ffff:192.0.2.7").valid, true);
  assertEquals(check(first.octets, "192.0.2.8").valid, false);
  const forged = first.octets.slice();
  forged[23] ^= 1;
  assertEquals(check(forged).valid, false);
  assertEquals(check(forged).octets, first.octets); // and the right one comes back
});

Deno.test("Cookies: one is kept for half an hour, renewed until it is an hour old (RFC 9018 §4.3)", () => {
  const { check, clock } = cookies();
  const { octets } = check(CLIENT);
  clock.at += 29 * MINUTE;
  assertEquals(check(octets).octets, octets);
  clock.at += 2 * MINUTE;
  assertEquals(check(octets).valid, true);
  assertNotEquals(check(octets).octets, octets);
  clock.at += 30 * MINUTE;
  assertEquals(check(octets).valid, false);
});

Deno.test("Cookies: the secret changes each day, and cookies of the last are good for their hour", () => {
  const { check, clock } = cookies();
  clock.at += COOKIE_SECRET_MS - MINUTE;
  const { octets } = check(CLIENT);
  clock.at += 2 * MINUTE;
  const renewed = check(octets);
  assertEquals(renewed.valid, true);
  assertNotEquals(renewed.octets, octets);
  assertEquals(check(renewed.octets).valid, true);
  clock.at += COOKIE_SECRET_MS * 3;
  assertEquals(check(renewed.octets).valid, false);
});

Deno.test("Cookies: a malformed option has no verdict", () => {
  const { check } = cookies();
  assertEquals(check(CLIENT.slice(1)), undefined);
  assert(check(CLIENT));
});
