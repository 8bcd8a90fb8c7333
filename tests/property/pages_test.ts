import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonicalKey, equalNames, equalOctets, lowerName, TYPE } from "../../lib/dns/mod.ts";
import {
  applyDiff,
  buildPages,
  compareOwners,
  diffVersions,
  editPages,
  firstVersion,
  getOwner,
  HEADER_OCTETS,
  lookupOwner,
  MAX_BLOCK_OCTETS,
  nextVersion,
  normalizeOwner,
  type OwnerChange,
  type OwnerRecords,
  type Page,
  readOwner,
  readOwners,
  ZoneVersion,
} from "../../lib/zone/mod.ts";
import {
  drain,
  octetsOf,
  octetsOfOwners,
  owner,
  record,
  soaOf,
  toOwners,
} from "../support/random_zones.ts";

const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 150);
const PAGE_CUT = 0x4000 - HEADER_OCTETS;
const MIN_PAGE = 4096;
/** Types of {@link record} whose RDATA holds names that may be compressed. */
const COMPRESSED = new Set<number>([TYPE.NS, TYPE.CNAME, TYPE.PTR, TYPE.MX]);

/** Octet for octet, without the assertion library's costly report on megabytes. */
function assertSameOctets(actual: Uint8Array, expected: Uint8Array): void {
  assert(equalOctets(actual, expected), `${actual.length} octets are not the ${expected.length}`);
}

function versionOf(owners: readonly OwnerRecords[], serial = 1): ZoneVersion {
  return drain(firstVersion(soaOf(serial), owners));
}

/** Every name in a block decodes by pointers that go backward, and at most to 0x3FFF. */
function checkPointers(page: Page): void {
  const { block } = page;
  for (let at = 0, records = 0; at < block.length; records++) {
    at = checkName(block, at);
    const type = block[at] << 8 | block[at + 1];
    const length = block[at + 8] << 8 | block[at + 9];
    at += 10;
    if (type === 2) assertEquals(checkName(block, at), at + length);
    if (type === 15) assertEquals(checkName(block, at + 2), at + length);
    at += length;
    assert(at <= block.length);
    if (at === block.length) assertEquals(records + 1, page.records);
  }
}

function checkName(block: Uint8Array, at: number): number {
  while (block[at] !== 0) {
    assert(at < block.length, "a name is cut off");
    if (block[at] >= 0xc0) {
      const target = (block[at] & 0x3f) << 8 | block[at + 1];
      assert(target >= HEADER_OCTETS && target - HEADER_OCTETS < at, "pointer goes backward");
      return at + 2;
    }
    at += 1 + block[at];
  }
  return at + 1;
}

function checkPageRules(pages: readonly Page[], owners: readonly OwnerRecords[]): void {
  for (const [i, page] of pages.entries()) {
    checkPointers(page);
    assert(page.block.length <= MAX_BLOCK_OCTETS);
    assert(page.block.length <= PAGE_CUT || page.owners.length === 1, "cut near 16 KiB");
    assertEquals(page.firstKey, readOwner(page, 0).key);
    const next = pages[i + 1];
    if (!next) continue;
    assert(next.part > 0 ? next.firstKey === page.firstKey : next.firstKey > page.firstKey);
    const small = page.block.length < MIN_PAGE || next.block.length < MIN_PAGE;
    const both = page.block.length + next.block.length;
    if (small && both <= PAGE_CUT && page.part === 0 && next.part === 0) {
      const merged = [...buildPages(readOwners([page, next]), PAGE_CUT)];
      assert(merged.length > 1, `pages of ${page.block.length} and ${next.block.length} octets`);
    }
  }
  const fresh = versionOf(owners).pages.length;
  assert(
    pages.length <= Math.max(1.3 * fresh, fresh + 1),
    `${pages.length} pages, ${fresh} when built fresh`,
  );
}

function apply(owners: OwnerRecords[], after: OwnerRecords[]): OwnerChange[] {
  return [...compareOwners(owners, after)].filter((change) => change !== undefined);
}

Deno.test("pages: any sequence of edits gives the records of a fresh build, within the page rules", () => {
  const edit = fc.record({
    add: fc.array(record, { maxLength: 60 }),
    drop: fc.nat(),
    of: fc.nat(),
  });
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 400 }),
      fc.array(edit, { maxLength: 12 }),
      (initial, edits) => {
        let records = initial;
        let owners = toOwners(records);
        let pages = versionOf(owners).pages;
        for (const { add, drop, of } of edits) {
          const from = records.length ? of % records.length : 0;
          records = [...records.slice(0, from), ...records.slice(from + drop % 50), ...add];
          const after = toOwners(records);
          pages = editPages(pages, apply(owners, after));
          owners = after;
          assertSameOctets(octetsOfOwners([...readOwners(pages)]), octetsOfOwners(owners));
          checkPageRules(pages, owners);
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("pages: single edits, hundreds in a row, keep at most 1.3 × the pages of a fresh build", () => {
  const all = (n: number, seed: number) => toOwners(fc.sample(record, { numRuns: n, seed }));
  const owners = all(6000, 1);
  let pages: readonly Page[] = versionOf(owners).pages;
  const extra = all(4000, 2);
  let random = 7;
  const next = (n: number) => (random = (random * 48271) % 2147483647) % n;
  for (let i = 0; i < 1500; i++) {
    const at = next(owners.length);
    const grow = i < 600 ? i % 2 === 0 : i % 7 === 0;
    const change: OwnerChange = grow
      ? changeTo(owners, extra[next(extra.length)])
      : { key: owners[at].key, before: owners[at], after: undefined };
    const index = owners.findIndex((o) => o.key >= change.key);
    const found = index >= 0 && owners[index].key === change.key;
    owners.splice(
      index < 0 ? owners.length : index,
      found ? 1 : 0,
      ...change.after ? [change.after] : [],
    );
    pages = editPages(pages, [change]);
    if (i % 300 === 0) checkPageRules(pages, owners);
  }
  checkPageRules(pages, owners);
  assertSameOctets(octetsOfOwners([...readOwners(pages)]), octetsOfOwners(owners));
});

function changeTo(owners: readonly OwnerRecords[], after: OwnerRecords): OwnerChange {
  return { key: after.key, before: owners.find((o) => o.key === after.key), after };
}

Deno.test("diff: apply(diff(a, b), a) = b, and pages not touched are shared", () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 200 }),
      fc.array(record, { maxLength: 200 }),
      fc.boolean(),
      (one, two, related) => {
        const a = versionOf(toOwners(one), 1);
        const owners = toOwners(related ? [...one.slice(5), ...two.slice(0, 5)] : two);
        const b = versionOf(owners, 2);
        const diff = diffVersions(a, b);
        const reached = applyDiff(a, diff);
        assertSameOctets(octetsOf(reached), octetsOf(b));
        assertEquals(reached.serial, 2);
        const { version, diff: same } = drain(nextVersion(
          a,
          apply([...readOwners(a.pages)], owners),
          b.soa,
        ));
        assertSameOctets(octetsOf(version), octetsOf(b));
        assertEquals(same, diff);
        const { records, owners: names, wireOctets } = new ZoneVersion(b.soa, version.pages);
        assertEquals(
          [version.records, version.owners, version.wireOctets],
          [records, names, wireOctets],
          "figures gone on from those of the version before",
        );
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("lookup: finds exactly the owners of the zone, empty non-terminals, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 150 }),
      fc.array(owner, { maxLength: 30 }),
      (records, asked) => {
        const owners = toOwners(records);
        const version = versionOf(owners);
        for (const name of [...asked, ...records.map((r) => r.owner)]) {
          const key = canonicalKey(name);
          const wanted = owners.find((o) => o.key === key);
          assertEquals(
            getOwner(version.pages, key)?.records.map((r) => r.rdata),
            wanted?.records.map((r) => r.rdata),
          );
          const found = lookupOwner(version, name);
          if (equalNames(name, version.apex)) assertEquals(found.kind, "found");
          else if (wanted) assertEquals(found.kind, "found");
          else if (owners.some((o) => o.key.startsWith(key))) assertEquals(found.kind, "empty");
          else assertEquals(found.kind, "missing");
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("pages: records changed for others of their lengths are changed where they stand", () => {
  const change = fc.record({ of: fc.nat(), ttl: fc.nat(100_000), octet: fc.nat(255) });
  const size = (pages: readonly Page[]) => pages.map(({ block }) => block.length);
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 400 }),
      fc.array(change, { minLength: 1, maxLength: 60 }),
      fc.array(record, { maxLength: 3 }),
      (records, changes, add) => {
        const owners = toOwners(records);
        const pages = versionOf(owners).pages;
        const before = octetsOfOwners([...readOwners(pages)]);
        const after = [...owners];
        let plain = true;
        for (const { of, ttl, octet } of changes) {
          const at = of % after.length;
          const { key, owner, records } = after[at];
          plain &&= records.every(({ type }) => !COMPRESSED.has(type));
          const changed = records.map(({ type, rdata }) => ({
            owner,
            type,
            ttl,
            rdata: type === TYPE.A || type === TYPE.AAAA
              ? rdata.with(rdata.length - 1, octet)
              : rdata,
          }));
          after[at] = { key, owner, records: normalizeOwner(changed).records };
          plain &&= after[at].records.length === records.length;
        }
        const inPlace = editPages(pages, apply(owners, after));
        assertSameOctets(octetsOfOwners([...readOwners(inPlace)]), octetsOfOwners(after));
        if (plain) assertEquals(size(inPlace), size(pages));
        // With others among them the pages are packed anew.
        const more = toOwners([...after.flatMap(({ records }) => [...records]), ...add]);
        const packed = editPages(pages, apply(owners, more));
        assertSameOctets(octetsOfOwners([...readOwners(packed)]), octetsOfOwners(more));
        checkPageRules(packed, more);
        assertSameOctets(octetsOfOwners([...readOwners(pages)]), before); // as it was
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("pages: an owner more is where, and as, a page made anew has it", () => {
  const plain = record.filter(({ type }) => !COMPRESSED.has(type)).map((record) => ({
    ...record,
    owner: lowerName(record.owner),
  }));
  fc.assert(
    fc.property(
      fc.array(plain, { minLength: 1, maxLength: 60 }),
      fc.array(plain, { minLength: 1, maxLength: 8 }),
      (records, more) => {
        let owners = toOwners(records);
        let pages = versionOf(owners).pages;
        if (pages.length > 1) return;
        for (const added of more) {
          const after = toOwners([...owners.flatMap(({ records }) => [...records]), added]);
          pages = editPages(pages, apply(owners, after));
          owners = after;
          checkPageRules(pages, owners);
          if (pages.length > 1) return;
          const [{ block, owners: starts, ...rest }] = [...buildPages(owners, PAGE_CUT)];
          assertSameOctets(pages[0].block, block);
          assertEquals([...pages[0].owners], [...starts]);
          assertEquals({ ...pages[0], block, owners: starts }, { block, owners: starts, ...rest });
        }
      },
    ),
    { numRuns: 2 * RUNS },
  );
});
