/** A key as octets is the key as text. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonicalKey, labelCount, NameKey, parentName } from "../../../lib/dns/mod.ts";
import { owner } from "../../support/random_zones.ts";

const textOf = (octets: Uint8Array) => String.fromCharCode(...octets);

Deno.test("NameKey: octets, ends and order of a name are those of canonicalKey", () => {
  const key = new NameKey();
  const other = new NameKey();
  fc.assert(
    fc.property(owner, owner, (name, asked) => {
      const message = Uint8Array.of(9, 9, ...name, 9);
      assertEquals(key.read(message, 2), 2 + name.length);
      assertEquals(textOf(key.octets.subarray(0, key.length)), canonicalKey(name));
      let above = name;
      for (let labels = labelCount(name); labels >= 0; labels--, above = parentName(above)) {
        assertEquals(key.ends[labels], canonicalKey(above).length);
        assertEquals(key.isPrefix(canonicalKey(above), key.ends[labels]), true);
        other.read(above, 0);
        assertEquals(key.hashes[labels], other.hashes[other.labels]);
      }
      const [a, b] = [canonicalKey(asked), canonicalKey(name)];
      assertEquals(Math.sign(key.orderOf(a, key.length)), a < b ? -1 : a > b ? 1 : 0);
    }),
    { numRuns: 500 },
  );
});

Deno.test("NameKey: what is no whole name without pointers is not taken", () => {
  const key = new NameKey();
  const long = Uint8Array.from({ length: 256 }, (_, i) => i % 2 === 0 ? 1 : 97);
  long[254] = 0; // 255 octets are the most
  assertEquals(key.read(long, 0), 255);
  long[254] = 1;
  for (const octets of [long, Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(1, 97, 0xc0, 0)]) {
    assertEquals(key.read(octets, 0), -1);
  }
  assertEquals(key.read(Uint8Array.of(64, 97, 0), 0), -1);
});
