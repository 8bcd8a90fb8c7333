import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  AddressError,
  cidrContains,
  formatCidr,
  formatIp,
  formatSocketAddress,
  normalIp,
  parseCidr,
  parseIp,
  parseSocketAddress,
} from "../../../lib/ops/mod.ts";

Deno.test("address: texts and their RFC 5952 form", async (t) => {
  const forms: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0db8::", "2001:db8::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
  ];
  for (const [text, form] of forms) {
    await t.step(text, () => assertEquals(formatIp(parseIp(text)), form));
  }
});

Deno.test("address: what is none is refused", async (t) => {
  const wrong = [
    "",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.4.5",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "1.2.3.4::",
    "ns1.example.org",
  ];
  for (const text of wrong) {
    await t.step(text, () => {
      assertThrows(() => parseIp(text), AddressError);
    });
  }
});

Deno.test("address: format and parse are each other's inverse", () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map((a) => new Uint8Array(a)),
  );
  fc.assert(fc.property(octets, (ip) => {
    const again = parseIp(formatIp(ip));
    assertEquals(formatIp(again), normalIp(formatIp(ip)));
    if (again.length === ip.length) assertEquals(again, new Uint8Array(ip));
  }));
});

Deno.test("prefix: contains its addresses and no others", async (t) => {
  const cases: [string, string, boolean][] = [
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.0/24", "::ffff:192.0.2.7", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["0.0.0.0/0", "255.1.2.3", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "2001:db8::1", true],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1/32", "192.0.2.2", false],
  ];
  for (const [prefix, ip, inside] of cases) {
    await t.step(`${prefix} ${ip}`, () => {
      assertEquals(cidrContains(parseCidr(prefix), parseIp(ip)), inside);
    });
  }
});

Deno.test("prefix: written with its length, a lone address without", () => {
  assertEquals(formatCidr(parseCidr("2001:DB8::/32")), "2001:db8::/32");
  assertEquals(formatCidr(parseCidr("192.0.2.1/32")), "192.0.2.1");
});

Deno.test("prefix: a malformed one is refused with the reason", async (t) => {
  const wrong: [string, string][] = [
    ["any", `"any" is no IP address or prefix`],
    ["192.0.2.0/24/1", "is no IP address or prefix"],
    ["192.0.2.0/", "has no prefix length from 0 to 32"],
    ["192.0.2.0/33", "has no prefix length from 0 to 32"],
    ["::/129", "has no prefix length from 0 to 128"],
    ["192.0.2.1/24", "the prefix is 192.0.2.0/24"],
  ];
  for (const [text, reason] of wrong) {
    await t.step(text, () => {
      assertThrows(() => parseCidr(text), AddressError, reason);
    });
  }
});

Deno.test("socket address: both families, with and without a port", async (t) => {
  const forms: [string, number | undefined, string][] = [
    ["127.0.0.1:53", undefined, "127.0.0.1:53"],
    ["[::1]:5300", undefined, "[::1]:5300"],
    ["[::1]", 53, "[::1]:53"],
    ["2001:db8::1", 53, "[2001:db8::1]:53"],
    ["192.0.2.1", 53, "192.0.2.1:53"],
    ["192.0.2.1:0", 53, "192.0.2.1:0"],
  ];
  for (const [text, port, form] of forms) {
    await t.step(text, () => {
      assertEquals(formatSocketAddress(parseSocketAddress(text, port)), form);
    });
  }
});

Deno.test("socket address: a malformed one is refused with the reason", async (t) => {
  const wrong: [string, string][] = [
    ["", `"" is no IP address`],
    [":53", `"" is no IP address`],
    ["localhost:53", `"localhost" is a name, not an IP address`],
    ["127.0.0.1", `"127.0.0.1" has no port`],
    ["::1", `"::1" has no port`],
    ["127.0.0.1:", `"" is no port`],
    ["127.0.0.1:65536", `"65536" is no port`],
    ["127.0.0.1:dns", `"dns" is no port`],
    ["[::1]53", "is no IP address"],
  ];
  for (const [text, reason] of wrong) {
    await t.step(text, () => {
      assertThrows(() => parseSocketAddress(text), AddressError, reason);
    });
  }
});
