/** `--max-records`: a zone of more is held, however its rows come. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ZoneBuild, type ZoneVersion } from "../../../lib/zone/mod.ts";
import { drain } from "../../support/random_zones.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";

const RULES = { policy: "increment", nowMs: 0, floors: [] } as const;
const NS = { name: "@", type: "NS", ttl: null, content: "ns1" };
const row = (i: number) => ({ name: `r${i}`, type: "A", ttl: null, content: "192.0.2.1" });
const BAD = { name: "bad", type: "A", ttl: null, content: "no address" };

function build(
  rows: readonly typeof NS[],
  { current, owners }: { current?: ZoneVersion; owners?: string[] } = {},
) {
  const zone = new ZoneBuild(ZONE_SETTINGS, 4);
  for (const each of rows) zone.add(each);
  if (owners) zone.limitTo(new Set(owners));
  const result = drain(zone.finish(current, RULES));
  const problems = zone.problems.listed;
  return { result, codes: problems.map(({ code }) => code), problems };
}

Deno.test("as many rows as are allowed are published, one more holds the zone, in any order", () => {
  const rows = [NS, row(1), row(2), row(3)];
  assertEquals(build(rows).result.kind, "changed");
  const many = [...rows, row(4), row(5)];
  for (const order of [many, many.toReversed()]) {
    const { result, codes, problems } = build(order);
    assertEquals([result.kind, codes], ["held", ["zone-too-large"]]);
    assertMatch(problems[0].hint ?? "", /--max-records/);
  }
});

Deno.test("bad rows count too, and what was said of them is let go", () => {
  const { result, codes } = build([NS, BAD, BAD, BAD, BAD, BAD]);
  assertEquals([result.kind, codes], ["held", ["zone-too-large"]]);
});

Deno.test("a few owners read hold the zone when they would make it too large", () => {
  const { result: first } = build([NS, row(1), row(2)]);
  assert(first.kind === "changed");
  const apex = ZONE_SETTINGS.name;
  const read = (owners: number[]) =>
    build(owners.map(row), {
      current: first.version,
      owners: owners.map((i) => `r${i}.${apex}.`),
    });
  assertEquals(read([3]).result.kind, "changed");
  const { result, codes } = read([3, 4]);
  assertEquals([result.kind, codes], ["held", ["zone-too-large"]]);
});
