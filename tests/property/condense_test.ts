import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { canonicalKey, compareOctets, equalOctets } from "../../lib/dns/mod.ts";
import {
  applyDiff,
  condense,
  DiffError,
  diffVersions,
  firstVersion,
  listRecords,
  NO_RECORDS,
  packRecords,
  type RecordList,
  reverseDiff,
  versionBefore,
  type ZoneDiff,
  type ZoneVersion,
} from "../../lib/zone/mod.ts";
import { octetsOf, record, soaOf, toOwners } from "../support/random_zones.ts";

const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 150);

/** Versions with serials 1, 2, …: each keeps some of a small pool of records, so that many return. */
const history = fc.array(record, { minLength: 1, maxLength: 30 }).chain((pool) =>
  fc.array(fc.subarray(pool), { minLength: 2, maxLength: 8 })
).map((contents) =>
  contents.map((records, at): ZoneVersion => {
    const steps = firstVersion(soaOf(at + 1), toOwners(records));
    while (true) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  })
);

function steps(versions: readonly ZoneVersion[]): ZoneDiff[] {
  return versions.slice(1).map((version, at) => diffVersions(versions[at], version));
}

function texts(list: RecordList): string[] {
  return [...listRecords(list)].map((record) => packRecords([record]).octets.join(" "));
}

function assertCanonical(list: RecordList): void {
  const records = [...listRecords(list)];
  for (const [at, record] of records.entries()) {
    if (at === 0) continue;
    const before = records[at - 1];
    const [a, b] = [canonicalKey(before.owner), canonicalKey(record.owner)];
    const order = a < b ? -1 : a > b ? 1 : before.type - record.type ||
      compareOctets(before.rdata, record.rdata);
    assert(order < 0, `record ${at} is out of order`);
  }
}

function assertSameZone(actual: ZoneVersion, expected: ZoneVersion): void {
  assertEquals(actual.serial, expected.serial);
  assert(equalOctets(octetsOf(actual), octetsOf(expected)));
}

Deno.test("condense: apply(condense(ds), a) = apply(ds, a), canonical, minimal, and it leads back too", () => {
  fc.assert(
    fc.property(history, (versions) => {
      const [first] = versions;
      const last = versions[versions.length - 1];
      const diffs = steps(versions);
      const condensed = condense(diffs);
      assertSameZone(diffs.reduce(applyDiff, first), last);
      assertSameZone(applyDiff(first, condensed), last);
      // What two versions differ in is the least that leads from one to the other.
      assertEquals(condensed, diffVersions(first, last));
      assertCanonical(condensed.removed);
      assertCanonical(condensed.added);
      const removed = new Set(texts(condensed.removed));
      assert(texts(condensed.added).every((text) => !removed.has(text)), "in both lists");
      assertSameZone(versionBefore(last, diffs), first);
      assertSameZone(applyDiff(last, reverseDiff(condensed)), first);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("condense: in parts or at once, the result is the same", () => {
  fc.assert(
    fc.property(history, fc.nat(), (versions, n) => {
      const diffs = steps(versions);
      const cut = 1 + n % diffs.length;
      const parts = [condense(diffs.slice(0, cut)), ...diffs.slice(cut)];
      assertEquals(condense(parts), diffs.length === 1 ? diffs[0] : condense(diffs));
    }),
    { numRuns: RUNS },
  );
});

const a = { owner: soaOf(1).owner, type: 1, ttl: 60, rdata: Uint8Array.of(1, 2, 3, 4) };

function step(from: number, to: number, removed: RecordList, added: RecordList): ZoneDiff {
  return { fromSoa: soaOf(from), toSoa: soaOf(to), removed, added };
}

Deno.test("condense: what came and went, or went and came back, never travels", () => {
  const list = packRecords([a]);
  for (const [x, y] of [[NO_RECORDS, list], [list, NO_RECORDS]]) {
    const { removed, added } = condense([step(1, 2, x, y), step(2, 3, y, x)]);
    assertEquals([removed.count, added.count, removed.octets.length], [0, 0, 0]);
  }
});

Deno.test("condense: a TTL or a letter's case changed and changed back never travels", () => {
  const list = packRecords([a]);
  const other = packRecords([{ ...a, ttl: 61 }]);
  const { removed, added } = condense([step(1, 2, list, other), step(2, 3, other, list)]);
  assertEquals([removed.count, added.count], [0, 0]);
});

Deno.test("condense: differences that do not fit together are refused", () => {
  const list = packRecords([a]);
  const refuse = (diffs: ZoneDiff[]) => assertThrows(() => condense(diffs), DiffError).code;
  assertEquals(
    refuse([step(1, 2, NO_RECORDS, NO_RECORDS), step(3, 4, NO_RECORDS, NO_RECORDS)]),
    "diff-gap",
  );
  assertEquals(refuse([step(1, 2, NO_RECORDS, list), step(2, 3, NO_RECORDS, list)]), "diff-twice");
  assertEquals(refuse([step(1, 2, list, NO_RECORDS), step(2, 3, list, NO_RECORDS)]), "diff-twice");
  assertThrows(() => condense([]), RangeError);
  const none = step(2, 3, NO_RECORDS, NO_RECORDS);
  for (
    const bad of [
      { octets: list.octets.subarray(1), count: 1 },
      { octets: list.octets.subarray(0, list.octets.length - 1), count: 1 },
      { octets: list.octets, count: 0 },
      { octets: list.octets, count: 2 },
    ]
  ) assertThrows(() => condense([step(1, 2, bad, NO_RECORDS), none]), RangeError);
});

Deno.test("condense: the serial wraps", () => {
  const top = 2 ** 32 - 1;
  const { fromSoa, toSoa } = condense([
    step(top - 1, top, NO_RECORDS, NO_RECORDS),
    step(top, 0, NO_RECORDS, NO_RECORDS),
    step(0, 1, NO_RECORDS, packRecords([a])),
  ]);
  assertEquals([fromSoa, toSoa], [soaOf(top - 1), soaOf(1)]);
});
