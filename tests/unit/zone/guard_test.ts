/** What of a change is held: the rules one by one, and at random against their words. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { formatName, TYPE } from "../../../lib/dns/mod.ts";
import {
  type BuildResult,
  type GuardLimits,
  type GuardRules,
  readOwners,
  type RowText,
  ZoneBuild,
  type ZoneVersion,
} from "../../../lib/zone/mod.ts";
import { countRRsets } from "../../../lib/zone/rrset_count.ts";
import { drain } from "../../support/random_zones.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";

const LIMITS: GuardLimits = { maxShrink: 0.3, maxChange: 0.5 };
const NOBODY = () => false;

/** Rows as text: owner → lines of `TYPE content`. */
type Rows = ReadonlyMap<string, readonly string[]>;

/** A zone with two name servers and `count` hosts. */
function hosts(
  count: number,
  address = (i: number) => `192.0.2.${i % 250}`,
): Map<string, string[]> {
  const rows = new Map([["@", ["NS ns1.example.net.", "NS ns2.example.net."]]]);
  for (let i = 0; i < count; i++) rows.set(`h${i}`, [`A ${address(i)}`]);
  return rows;
}

function rowsOf(rows: Rows): RowText[] {
  return [...rows].flatMap(([name, lines]) =>
    lines.map((line): RowText => {
      const [type, ...content] = line.split(" ");
      return { name, type, ttl: null, content: content.join(" ") };
    })
  );
}

function build(
  rows: Rows,
  current: ZoneVersion | undefined,
  rules: Partial<GuardRules> = {},
  owners?: ReadonlySet<string>,
): BuildResult {
  const zone = new ZoneBuild(ZONE_SETTINGS);
  if (owners) zone.limitTo(owners);
  for (const row of rowsOf(rows)) zone.add(row);
  const guard: GuardRules = {
    limits: LIMITS,
    mostOwners: 0,
    standing: undefined,
    beside: false,
    lacksNs: false,
    isApproved: NOBODY,
    room: { owners: 10_000, octets: 1_000_000 },
    ...rules,
  };
  return drain(zone.finish(
    current,
    {
      policy: "increment",
      nowMs: 0,
      floors: [],
      guard,
    } as Parameters<ZoneBuild["finish"]>[1],
  ));
}

function served(rows: Rows): ZoneVersion {
  const result = build(rows, undefined);
  assert(result.kind === "changed");
  assertEquals(result.held, undefined, "a first version is never held");
  return result.version;
}

/** What is held of a change, and what is published. */
function judge(before: Rows, after: Rows, rules: Partial<GuardRules> = {}) {
  const current = served(before);
  const result = build(after, current, rules);
  assert(result.kind === "changed" || result.kind === "unchanged");
  const version = result.kind === "changed" ? result.version : current;
  return {
    reasons: result.held?.reasons ?? [],
    held: result.held,
    released: result.kind === "changed" ? result.released : undefined,
    published: contentOf(version),
    version,
  };
}

/** Owner → its records as text. */
function contentOf(version: ZoneVersion): Map<string, string> {
  return new Map(
    [...readOwners(version.pages)].map(({ owner, records }) => [
      formatName(owner),
      records.map(({ type, rdata }) => `${type} ${rdata.toHex()}`).join(),
    ]),
  );
}

const NAME = (name: string) => name === "@" ? "example.org." : `${name}.example.org.`;

function without(rows: Rows, count: number): Map<string, readonly string[]> {
  const kept = new Map(rows);
  for (const name of [...rows.keys()].filter((name) => name !== "@").slice(0, count)) {
    kept.delete(name);
  }
  return kept;
}

Deno.test("owners: 30 % may go, one more may not; those that go are held and no others", () => {
  const before = hosts(99); // a hundred owners with the apex
  assertEquals(judge(before, without(before, 30)).reasons, []);
  const after = new Map([...without(before, 31), ["new", ["A 192.0.2.9"]], ["new2", [
    "A 192.0.2.9",
  ]]]);
  after.set("h60", ["A 198.51.100.1"]);
  assertEquals(judge(before, after).reasons, [], "what comes makes up for what goes");
  after.delete("new2");
  after.delete("new");
  const { reasons, held, published } = judge(before, after);
  assertEquals(reasons, ["shrink"]);
  assertEquals(held?.owners.count, 31);
  assertEquals(held?.removedCount, 31);
  assertEquals(published.size, 100);
  assertEquals(published.get("h60.example.org."), "1 c6336401", "a change beside it is published");
});

Deno.test("a zone of fewer than ten owners may lose any number, but not all", () => {
  const before = hosts(8);
  assertEquals(judge(before, without(before, 8)).reasons, []);
  const { reasons, held, published } = judge(before, new Map());
  assertEquals(reasons, ["empty", "no-ns"]);
  assertEquals(held?.owners.count, 9);
  assertEquals(published.size, 9);
});

Deno.test("slow batches: the largest version of the window counts", () => {
  const before = hosts(69); // 70 owners are left of a hundred
  const after = without(before, 1);
  assertEquals(judge(before, after).reasons, []);
  assertEquals(judge(before, after, { mostOwners: 100 }).reasons, ["shrink"]);
  const grown = new Map([...after, ["x", ["A 192.0.2.1"]], ["y", ["A 192.0.2.1"]]]);
  assertEquals(judge(before, grown, { mostOwners: 100 }).reasons, [], "it grows");
});

Deno.test("RRsets: half may be replaced, one more may not; those replaced are held", () => {
  const before = hosts(19); // twenty RRsets
  const change = (count: number) => hosts(19, (i) => i < count ? "198.51.100.1" : `192.0.2.${i}`);
  assertEquals(judge(before, change(10)).reasons, []);
  const after = change(11);
  after.set("new", ["A 192.0.2.1"]);
  const { reasons, held, published } = judge(before, after);
  assertEquals([reasons, held?.owners.count], [["change"], 11]);
  assert(published.has("new.example.org."));
});

Deno.test("more records, other TTLs and signatures replace nothing; a rename does", () => {
  const before = hosts(30);
  const more = new Map([...before].map(([name, lines]) => [name, [...lines, "TXT x"]]));
  assertEquals(judge(before, more).reasons, []);
  const second = new Map(
    [...before].map(([name, lines]) => [name, name === "@" ? lines : [...lines, "A 203.0.113.1"]]),
  );
  assertEquals(judge(before, second).reasons, []);
  const renamed = new Map(
    [...before].map(([name, lines]) => [name === "@" ? "@" : `x${name}`, lines]),
  );
  const { reasons, published } = judge(before, renamed);
  assertEquals(reasons, ["change"]);
  assertEquals(published.size, 61, "the old names stay, the new ones come");
});

Deno.test("name servers: one may go and one may come; more holds the apex, and no other owner", () => {
  const before = hosts(12);
  const withNs = (...names: string[]) =>
    new Map([...before, ["@", names.map((ns) => `NS ${ns}.`)]]);
  for (
    const good of [["ns1.example.net"], ["ns1.example.net", "c"], [
      "NS2.example.NET",
      "ns1.example.net",
    ]]
  ) {
    assertEquals(judge(before, withNs(...good)).reasons, [], good.join());
  }
  for (const bad of [["a", "b"], ["ns1.example.net", "ns2.example.net", "c", "d"]]) {
    const after = withNs(...bad);
    after.set("new", ["A 192.0.2.1"]);
    const { reasons, held, published } = judge(before, after);
    assertEquals(reasons, ["ns-set"], bad.join());
    assertEquals(held?.owners.names, new Set(["example.org."]));
    assert(published.has("new.example.org."));
  }
  const none = new Map([...before, ["new", ["A 192.0.2.1"]]]);
  none.delete("@");
  const { reasons, published } = judge(before, none, { isApproved: () => true });
  assertEquals(reasons, ["no-ns"], "that cannot be approved");
  assert(published.has("new.example.org."));
});

Deno.test("approved by its id, exactly that is published; another id releases nothing", () => {
  const before = hosts(99);
  const after = without(before, 40);
  const { held } = judge(before, after);
  const good = judge(before, after, { isApproved: (id) => id === held?.id });
  assertEquals([good.held, good.released?.id, good.published.size], [undefined, held?.id, 60]);
  const more = judge(before, without(before, 41), { isApproved: (id) => id === held?.id });
  assertEquals([more.released, more.published.size], [undefined, 100]);
  assertNotEquals(more.held?.id, held?.id);
});

Deno.test("limits that are off hold nothing but what cannot be served", () => {
  const limits = { maxShrink: Infinity, maxChange: Infinity };
  const before = hosts(50);
  assertEquals(judge(before, without(before, 50), { limits }).reasons, []);
  const exchanged = new Map([...before, ["@", ["NS a.", "NS b.", "NS c."]]]);
  assertEquals(judge(before, exchanged, { limits }).reasons, []);
  assertEquals(judge(before, new Map(), { limits }).reasons.at(-1), "no-ns");
});

Deno.test("while something is held, what else is published loosens nothing", () => {
  const before = hosts(99);
  const gone = without(before, 31);
  const first = judge(before, gone);
  assert(first.held);
  // What is new was published: the zone is larger now, and the same owners are gone.
  const current = served(new Map([...before, ...hosts(140)]));
  const standing = first.held.figures;
  const after = new Map([...gone, ...[...hosts(140)].slice(100)]);
  const result = build(after, current, { standing });
  assert(result.kind === "unchanged");
  assertEquals([result.held?.id, result.held?.reasons], [first.held.id, ["shrink"]]);
});

/** A zone at random, and another after some of its owners changed. */
const zones = fc.record({
  count: fc.integer({ min: 0, max: 40 }),
  fates: fc.array(fc.constantFrom("stays", "goes", "changes", "grows"), {
    minLength: 40,
    maxLength: 40,
  }),
  fresh: fc.integer({ min: 0, max: 20 }),
  ns: fc.constantFrom(
    ["ns1.example.net.", "ns2.example.net."],
    ["ns1.example.net."],
    ["a.", "b."],
    ["ns1.example.net.", "a."],
  ),
});

Deno.test("at random: held exactly when a limit is exceeded; a part read gives what a full one gives", () => {
  fc.assert(
    fc.property(zones, ({ count, fates, fresh, ns }) => {
      const before = hosts(count);
      const after = new Map<string, string[]>([["@", ns.map((name) => `NS ${name}`)]]);
      let [gone, replaced] = [
        0,
        ns.join(" ") === "ns1.example.net. ns2.example.net." ? 0 : 1,
      ];
      for (let i = 0; i < count; i++) {
        const lines = before.get(`h${i}`)!;
        if (fates[i] === "goes") gone++;
        else if (fates[i] === "changes") after.set(`h${i}`, ["A 203.0.113.9"]);
        else if (fates[i] === "grows") after.set(`h${i}`, [...lines, "AAAA 2001:db8::1"]);
        else after.set(`h${i}`, lines);
        if (fates[i] === "goes" || fates[i] === "changes") replaced++;
      }
      for (let i = 0; i < fresh; i++) after.set(`f${i}`, ["A 192.0.2.1"]);
      const owners = count + 1;
      const expected = [
        ...owners >= 10 && gone > 0 && gone - fresh > 0.3 * owners ? ["shrink"] : [],
        ...owners >= 10 && replaced > 0.5 * owners ? ["change"] : [],
        ...ns[0] === "a." ? ["ns-set"] : [],
      ];
      const { reasons, held, published, version } = judge(before, after);
      assertEquals([...reasons], expected);
      const wanted = contentOf(served(after));
      const old = contentOf(served(before));
      const isHeld = (name: string) => held !== undefined && held.owners.mayHave(name);
      for (const name of new Set([...wanted.keys(), ...old.keys()])) {
        assertEquals(published.get(name), (isHeld(name) ? old : wanted).get(name), name);
      }
      // Read again in part, as while it is held: the same part under the same id.
      const touched = new Set([...after.keys(), ...before.keys()].map(NAME));
      const again = build(after, version, held && { standing: held.figures }, touched);
      assert(again.kind === "unchanged");
      assertEquals(again.held?.id, held?.id);
    }),
    { numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? 200) },
  );
});

Deno.test("RRsets are counted in pages as in the records, signatures left out", () => {
  const rows = hosts(300);
  for (let i = 0; i < 300; i += 3) {
    rows.get(`h${i}`)!.push(
      `A 203.0.113.1`,
      "TXT a",
      "RRSIG A 8 2 60 20300101000000 20200101000000 1 example.org. AAAA",
    );
  }
  const version = served(rows);
  let expected = 0;
  for (const { records } of readOwners(version.pages)) {
    expected += new Set(records.map(({ type }) => type).filter((type) => type !== TYPE.RRSIG)).size;
  }
  assertEquals(drain(countRRsets(version.pages)), expected);
  assertEquals(version.owners, 301);
});
