import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatCidr, formatSocketAddress } from "../../../lib/ops/mod.ts";
import {
  parseSecondaries,
  parseSecondary,
  SECONDARY_TAKES,
  SecondaryError,
} from "../../../lib/server/mod.ts";

/** A secondary as one comparable text. */
function shown(text: string): string {
  const { name, ip, port, from, via, notify } = parseSecondary(text);
  return [name, ip, port, from.map(formatCidr).join("+"), via ?? "any", notify].join(" ");
}

function watched(text: string): string {
  return parseSecondary(text).watch.map(formatSocketAddress).join(" ");
}

const GOOD: readonly [text: string, shown: string][] = [
  ["192.0.2.1", "192.0.2.1 192.0.2.1 53 192.0.2.1 any true"],
  ["192.0.2.1:5300", "192.0.2.1:5300 192.0.2.1 5300 192.0.2.1 any true"],
  ["ns1=192.0.2.1", "ns1 192.0.2.1 53 192.0.2.1 any true"],
  ["[2001:DB8::1]:53", "2001:db8::1 2001:db8::1 53 2001:db8::1 any true"],
  ["2001:db8::1", "2001:db8::1 2001:db8::1 53 2001:db8::1 any true"],
  ["a.b-c=[::1]:5300", "a.b-c ::1 5300 ::1 any true"],
  ["::ffff:192.0.2.1", "192.0.2.1 192.0.2.1 53 192.0.2.1 any true"],
  [
    "x=192.0.2.1,from=192.0.2.0/24,from=2001:db8::/32+198.51.100.7",
    "x 192.0.2.1 53 192.0.2.0/24+2001:db8::/32+198.51.100.7 any true",
  ],
  ["192.0.2.1,via=10.0.0.1,notify=off", "192.0.2.1 192.0.2.1 53 192.0.2.1 10.0.0.1 false"],
];

Deno.test("parseSecondary reads name, address, port and options", async (t) => {
  for (const [text, expected] of GOOD) {
    await t.step(text, () => assertEquals(shown(text), expected));
  }
});

const WATCHED: readonly [text: string, watched: string][] = [
  ["192.0.2.1", "192.0.2.1:53"],
  ["192.0.2.1:5300", "192.0.2.1:5300"],
  ["192.0.2.1,watch=off", ""],
  ["192.0.2.1,watch=192.0.2.2", "192.0.2.2:53"],
  ["192.0.2.1,watch=192.0.2.2:54+[2001:DB8::1]:55", "192.0.2.2:54 [2001:db8::1]:55"],
  ["192.0.2.1,watch=192.0.2.2,watch=2001:db8::1", "192.0.2.2:53 [2001:db8::1]:53"],
  ["192.0.2.1,watch=192.0.2.2+192.0.2.2:53", "192.0.2.2:53"],
];

Deno.test("a secondary's own address is watched, or those named, or none", async (t) => {
  for (const [text, expected] of WATCHED) {
    await t.step(text, () => assertEquals(watched(text), expected));
  }
});

Deno.test("no-ixfr takes IXFR from a secondary", () => {
  assertEquals(parseSecondary("192.0.2.1").ixfr, true);
  assertEquals(parseSecondary("192.0.2.1,no-ixfr").ixfr, false);
});

const BAD: readonly [text: string, reason: string][] = [
  ["", "is no IP address"],
  ["ns1.example.org", "is a name, not an IP address"],
  ["192.0.2.1:0", "port 0"],
  ["192.0.2.1:70000", `"70000" is no port`],
  ["ns 1=192.0.2.1", `"ns 1" is no name`],
  ["=192.0.2.1", `"" is no name`],
  ["192.0.2.1,watch=", `"watch=" is no option`],
  ["192.0.2.1,watch=ns1.example.org", "is a name, not an IP address"],
  ["192.0.2.1,watch=192.0.2.2:0", "port 0"],
  ["192.0.2.1,watch=off,watch=192.0.2.2", "exclude each other"],
  ["192.0.2.1,no-ixfr=off", `"no-ixfr=off" is no option`],
  ["192.0.2.1,notify=on", `"notify=on" is no option`],
  ["192.0.2.1,from=", `"from=" is no option`],
  ["192.0.2.1,from=192.0.2.1/24", "has bits set behind its prefix length"],
  ["192.0.2.1,via=::1", "of another address family"],
  ["192.0.2.1,via=eth0", `"eth0" is no IP address`],
  ["192.0.2.1,", `"" is no option`],
];

Deno.test("parseSecondary names what it does not understand, and what it takes", async (t) => {
  for (const [text, reason] of BAD) {
    await t.step(text || "nothing", () => {
      const error = assertThrows(() => parseSecondary(text), SecondaryError, reason);
      assert(error.message.startsWith(`Cannot read secondary "${text}"`), error.message);
      assert(error.hint?.includes(SECONDARY_TAKES));
    });
  }
});

Deno.test("parseSecondaries refuses two of one name", () => {
  assertEquals(parseSecondaries(["192.0.2.1", "192.0.2.2"]).length, 2);
  const error = assertThrows(
    () => parseSecondaries(["192.0.2.1", "192.0.2.1,notify=off"]),
    SecondaryError,
  );
  assertEquals(error.code, "secondary-twice");
});

Deno.test("tls: NOTIFY goes to port 853 if none is given, the SOA is asked for at 53", () => {
  const named = parseSecondary("a=192.0.2.1,tls=ns.test");
  assertEquals([named.port, named.tls], [853, { hostname: "ns.test" }]);
  assertEquals(named.watch, [{ ip: "192.0.2.1", port: 53 }]);
  const other = parseSecondary("192.0.2.1:8853,tls");
  assertEquals([other.port, other.tls], [8853, { hostname: undefined }]);
  assertEquals(parseSecondary("192.0.2.1").tls, undefined);
});
