import { assert, assertEquals } from "@std/assert";
import type { ResourceRecord } from "../../../lib/dns/mod.ts";
import { DifferenceCache } from "../../../lib/store/difference_cache.ts";
import type { Publication } from "../../../lib/store/mod.ts";
import { aRecord, firstVersion, hostPages, nextVersion } from "./zones.ts";

const APEX = "example.org.";

/** A zone's first version and the steps that follow, each with so many records added. */
function history(steps: number, records: number): Publication[] {
  const publications = [firstVersion(APEX, 1, hostPages(APEX, 1))];
  for (let serial = 2; serial <= steps + 1; serial++) {
    const added: ResourceRecord[] = Array.from(
      { length: records },
      (_, n) => aRecord(`n${n}.${APEX}`, n),
    );
    const { version } = publications[publications.length - 1];
    publications.push(nextVersion(version, serial, version.pages, { added }));
  }
  return publications.slice(1);
}

const none = { kind: "none", reason: "too far back" } as const;

Deno.test("answers that end at an earlier version go when a later one is published", () => {
  const cache = new DifferenceCache();
  const [first, second] = history(2, 1);
  const { apexKey } = first.version;
  cache.keepStep(apexKey, first.diff!);
  const before = cache.octets;
  cache.keepAnswer(apexKey, 1, 2, { kind: "kept", sequences: [first.diff!] });
  cache.keepAnswer(apexKey, 0, 2, none);
  assert(cache.answer(apexKey, 1, 2) && cache.answer(apexKey, 0, 2));
  cache.keepStep(apexKey, second.diff!);
  assertEquals([cache.answer(apexKey, 1, 2), cache.answer(apexKey, 0, 2)], [undefined, undefined]);
  assertEquals(cache.steps(apexKey, 1, 3)?.length, 2);
  assertEquals(cache.octets, 2 * before);
});

Deno.test("however often a zone changes, no more steps of it are held than are joined", () => {
  const cache = new DifferenceCache();
  const publications = history(500, 1);
  const { apexKey } = publications[0].version;
  const held = publications.map(({ diff }) => {
    cache.keepStep(apexKey, diff!);
    return cache.octets;
  });
  assertEquals(cache.steps(apexKey, 437, 501)?.length, 64);
  assertEquals(cache.steps(apexKey, 436, 501), undefined);
  assertEquals(held[499], held[63]);
});

Deno.test("of large steps only the last is held", () => {
  const cache = new DifferenceCache();
  const publications = history(20, 2_000);
  const { apexKey } = publications[0].version;
  cache.keepStep(apexKey, publications[0].diff!);
  const one = cache.octets;
  for (const { diff } of publications.slice(1)) cache.keepStep(apexKey, diff!);
  assertEquals(cache.octets, one);
  assertEquals(cache.steps(apexKey, 20, 21)?.length, 1);
});

Deno.test("clients at ever other serials, and zones that go, leave nothing behind", () => {
  const cache = new DifferenceCache();
  const [{ version: { apexKey }, diff }] = history(1, 1);
  for (let from = 10; from < 74; from++) cache.keepAnswer(apexKey, from, 1_000, none);
  const full = cache.octets;
  for (let from = 74; from < 900; from++) cache.keepAnswer(apexKey, from, 1_000, none);
  assertEquals(cache.octets, full);
  cache.keepStep(apexKey, diff!);
  cache.forget(apexKey);
  assertEquals(cache.octets, 0);
});
