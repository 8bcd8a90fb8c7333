/** Owners compared in place stand as their keys do. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { canonicalKey, type Name, parseName } from "../../../lib/dns/mod.ts";
import { buildPages, lookupOwner, type Page, PageError } from "../../../lib/zone/mod.ts";
import { readOwner } from "../../../lib/zone/page_read.ts";
import { BELOW, compareOwner, findOwner } from "../../../lib/zone/page_search.ts";
import { toOwners } from "../../support/random_zones.ts";
import { soaOf, versionOf } from "../../support/zone_version.ts";

const APEX = parseName("Example.org.");

/** Labels that stress order: ends, case, the octets a key writes as two, high octets. */
const label = fc.oneof(
  fc.constantFrom("a", "A", "b", "aa", "a-", "*", "\\000", "\\001", "\\002", "a\\000", "a\\001"),
  fc.constantFrom("\\255", "Z", "z", "[", "x", "x".repeat(63)),
  fc.integer({ min: 0, max: 300 }).map((n) => `n${n}`),
);
const name: fc.Arbitrary<Name> = fc.array(label, { maxLength: 3 }).map((labels) =>
  labels.length === 0 ? APEX : parseName(labels.join("."), APEX)
);

function pagesOf(names: readonly Name[]): Page[] {
  return [...buildPages(toOwners(names.map((owner) => ({
    owner,
    type: 65_280,
    ttl: 60,
    rdata: Uint8Array.of(1),
  }))))];
}

Deno.test("compareOwner gives the order of canonicalKey, and tells what lies below", () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 60 }), name, (names, other) => {
      for (const page of pagesOf(names)) {
        for (let i = 0; i < page.owners.length; i++) {
          for (const asked of [other, ...names.slice(0, 3)]) {
            const key = canonicalKey(asked);
            const owner = readOwner(page, i).key;
            const expected = owner === key
              ? 0
              : owner < key
              ? -1
              : owner.startsWith(key)
              ? BELOW
              : 1;
            assertEquals(compareOwner(page, i, key), expected);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("findOwner is the first at or after, in pages whose names are compressed", () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 200 }), name, (names, asked) => {
      const key = canonicalKey(asked);
      for (const page of pagesOf(names)) {
        const keys = Array.from(page.owners, (_, i) => readOwner(page, i).key);
        const first = keys.findIndex((owner) => owner >= key);
        assertEquals(findOwner(page, key), first < 0 ? keys.length : first);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("lookupOwner tells found, empty and missing apart as a plain search does", () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 120 }), name, (names, asked) => {
      const records = names.map((owner) => ({
        owner,
        type: 65_280,
        ttl: 60,
        rdata: new Uint8Array(3000), // several pages
      }));
      const version = versionOf(records, soaOf("example.org.", 1));
      const key = canonicalKey(asked);
      const keys = names.map(canonicalKey);
      const expected = key === version.apexKey || keys.includes(key)
        ? "found"
        : keys.some((owner) => owner.startsWith(key))
        ? "empty"
        : "missing";
      assertEquals(lookupOwner(version, asked).kind, expected);
    }),
    { numRuns: 200 },
  );
});

Deno.test("the longest names, and the root's key", () => {
  const long = parseName(["x", "y", "z"].map((c) => c.repeat(63)).join(".") + "." + "w".repeat(61));
  assertEquals(long.length, 255);
  const many = parseName(Array.from({ length: 127 }, () => "a").join(".") + ".");
  assertEquals(many.length, 255);
  for (const owner of [long, many]) {
    const [page] = pagesOf([owner]);
    assertEquals(compareOwner(page, 0, canonicalKey(owner)), 0);
    assertEquals(compareOwner(page, 0, ""), BELOW);
  }
});

Deno.test("a damaged page is an error, not a loop or a wrong order", () => {
  const blocks = [
    [0xc0, 12], // to itself
    [1, 0x61, 0xc0, 200], // forward
    [0x80, 1],
    [63, 1, 2],
    Array.from({ length: 200 }, (_, i) => i % 2 ? 0x61 : 1).concat(Array(200).fill(1)),
  ];
  for (const octets of blocks) {
    const page: Page = {
      block: Uint8Array.from(octets),
      owners: Uint32Array.of(0),
      records: 1,
      firstKey: "",
      part: 0,
    };
    assertThrows(() => compareOwner(page, 0, canonicalKey(APEX)), PageError);
  }
});
