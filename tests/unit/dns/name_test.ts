/** Names: presentation format both ways, order, relations. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  canonicalKey,
  compareNames,
  equalNames,
  formatName,
  formatRelative,
  isSubdomain,
  isWildcard,
  labelCount,
  lowerName,
  NameError,
  parentName,
  parseName,
  ROOT,
} from "../../../lib/dns/mod.ts";
import { toHex } from "../../support/octets.ts";

const name = (text: string) => parseName(text);

Deno.test("text → wire", () => {
  const cases: [string, string][] = [
    [".", "00"],
    ["a.", "016100"],
    ["a", "016100"],
    ["Ab.c.", "024162016300"],
    ["a\\.b.", "03612e6200"],
    ["\\000\\255\\@.", "0300ff4000"],
    ["a\\\\.", "02615c00"],
  ];
  for (const [text, hex] of cases) assertEquals(toHex(name(text)), hex, text);
});

Deno.test("relative names and @ are completed by the origin", () => {
  const origin = name("example.com.");
  assertStrictEquals(parseName("@", origin), origin);
  assertEquals(formatName(parseName("www", origin)), "www.example.com.");
  assertEquals(formatName(parseName("www.", origin)), "www.");
  assertEquals(formatName(parseName("a\\.", origin)), "a\\..example.com.");
});

Deno.test("what is no name is refused", () => {
  const label = "x".repeat(63);
  const longest = `${label}.${label}.${label}.${"x".repeat(61)}`;
  assertEquals(name(`${longest}.`).length, 255);
  assertEquals(parseName(longest, ROOT).length, 255);
  const cases: [string, string][] = [
    ["", "name-empty"],
    ["..", "name-empty-label"],
    [".a.", "name-empty-label"],
    ["a..b.", "name-empty-label"],
    [`${label}x.`, "label-too-long"],
    [`${label}x`, "label-too-long"],
    ["x".repeat(300), "name-too-long"],
    [`x${longest.slice(64)}.${label}y`, "label-too-long"],
    [`${longest}x.`, "name-too-long"],
    [`${longest}x`, "name-too-long"],
    ["a\\", "name-escape"],
    ["a\\12", "name-escape"],
    ["a\\256", "name-escape"],
    ["é.", "name-not-ascii"],
    ["\\é.", "name-not-ascii"],
  ];
  for (const [text, code] of cases) {
    assertEquals(assertThrows(() => name(text), NameError).code, code, text);
  }
  assertThrows(() => parseName(longest, name("x.")), NameError);
});

Deno.test("what means something in a master file is escaped", () => {
  const text = '\\"\\.\\\\\\;\\(\\)\\@\\$\\032\\009\\127\\200_*-.';
  assertEquals(formatName(name(text)), text);
});

Deno.test("canonical order is that of RFC 4034 §6.1", () => {
  const sorted = [
    "example.",
    "a.example.",
    "yljkjljk.a.example.",
    "Z.a.example.",
    "zABC.a.EXAMPLE.",
    "z.example.",
    "\\001.z.example.",
    "*.z.example.",
    "\\200.z.example.",
  ].map(name);
  for (let i = 0; i < sorted.length; i++) {
    for (let j = 0; j < sorted.length; j++) {
      assertEquals(Math.sign(compareNames(sorted[i], sorted[j])), Math.sign(i - j));
    }
  }
  assertEquals(canonicalKey(ROOT), "");
});

Deno.test("relations: equality, subdomain, parent, labels, wildcard", () => {
  assertEquals(equalNames(name("A.b."), name("a.B.")), true);
  assertEquals(equalNames(name("a.b."), name("a.c.")), false);
  assertEquals(isSubdomain(name("x.Example."), name("example.")), true);
  assertEquals(isSubdomain(name("example."), name("example.")), true);
  assertEquals(isSubdomain(name("xexample."), name("example.")), false);
  assertEquals(isSubdomain(name("x\\007example."), name("example.")), false);
  assertEquals(isSubdomain(name("."), name("example.")), false);
  assertEquals(isSubdomain(name("a."), ROOT), true);
  assertEquals(formatName(parentName(name("a.b."))), "b.");
  assertEquals(parentName(ROOT), ROOT);
  assertEquals([labelCount(ROOT), labelCount(name("a.b."))], [0, 2]);
  assertEquals([isWildcard(name("*.a.")), isWildcard(name("**.a.")), isWildcard(ROOT)], [
    true,
    false,
    false,
  ]);
  assertEquals(formatName(lowerName(name("AbZ.[."))), "abz.[.");
});

Deno.test("relative form", () => {
  const origin = name("example.com.");
  assertEquals(formatRelative(origin, origin), "@");
  assertEquals(formatRelative(name("a.b.example.com."), origin), "a.b");
  assertEquals(formatRelative(name("example.net."), origin), "example.net.");
  assertEquals(formatRelative(name("a."), ROOT), "a.");
});
