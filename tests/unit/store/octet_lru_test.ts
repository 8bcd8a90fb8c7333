import { assertEquals } from "@std/assert";
import { OctetLru } from "../../../lib/store/octet_lru.ts";

Deno.test("a cache bounded by octets drops what was used longest ago", () => {
  const cache = new OctetLru<number>(10);
  cache.set("a", 1, 4);
  cache.set("b", 2, 4);
  assertEquals(cache.get("a"), 1);
  cache.set("c", 3, 4);
  assertEquals([cache.get("a"), cache.get("b"), cache.get("c")], [1, undefined, 3]);
  assertEquals(cache.octets, 8);
});

Deno.test("a cache bounded by octets counts a value that is replaced or deleted no more", () => {
  const cache = new OctetLru<number>(10);
  cache.set("a", 1, 9);
  cache.set("a", 2, 3);
  assertEquals([cache.octets, cache.get("a")], [3, 2]);
  cache.delete("a");
  cache.delete("a");
  assertEquals([cache.octets, cache.get("a")], [0, undefined]);
});

Deno.test("a cache bounded by octets does not take a value larger than itself, nor drops others for it", () => {
  const cache = new OctetLru<number>(10);
  cache.set("a", 1, 10);
  cache.set("b", 2, 11);
  assertEquals([cache.get("a"), cache.get("b")], [1, undefined]);
  cache.set("a", 3, 11);
  assertEquals([cache.get("a"), cache.octets], [undefined, 0]);
});
