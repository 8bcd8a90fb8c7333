import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { parseName, type ResourceRecord } from "../../../lib/dns/mod.ts";
import {
  choosePurge,
  journalLimits,
  MIN_JOURNAL_OCTETS,
  ROW_OCTETS,
} from "../../../lib/store/journal_bounds.ts";
import { openStateFile, type StateFileOptions, type StateStore } from "../../../lib/store/mod.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import { contentAfter, contentOf, RandomHistory } from "./random_history.ts";
import { firstVersion, hostPages, nextVersion, PUBLISHED_AT } from "./zones.ts";

const APEX = parseName("example.");
const DAY_MS = 24 * 3600 * 1000;

/** A record that takes this many octets in a list. */
function recordOf(octets: number, seed: number): ResourceRecord {
  const owner = parseName(`t${seed}.example.`);
  const rdata = new Uint8Array(octets - owner.length - 10).fill(seed);
  return { owner, type: 65_280, ttl: 1, rdata };
}

/** A store, and publications of one zone with differences of given octets, one after another. */
async function opened(path: string, options: StateFileOptions = {}, pages = 2) {
  const store = await openStateFile(path, options);
  let version: ZoneVersion = firstVersion("example.", 1, hostPages("example.", pages)).version;
  await store.publish([{
    version,
    previous: undefined,
    diff: undefined,
    cause: "start",
    publishedAt: PUBLISHED_AT,
  }]);
  return {
    store,
    zoneOctets: version.wireOctets,
    async grow(octets: number, publishedAt = PUBLISHED_AT) {
      const added = octets === 0 ? [] : [recordOf(octets, version.serial & 0xff)];
      const next = nextVersion(version, version.serial + 1, version.pages, { added });
      await store.publish([{ ...next, publishedAt }]);
      version = next.version;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
    },
  };
}

/** From serials of the rows kept. */
async function kept(store: StateStore): Promise<number[]> {
  const serials = (await store.journal(APEX)).map(({ fromSerial }) => fromSerial);
  for (const serial of serials) assert(await store.differences(APEX, serial), "verifiable");
  return serials;
}

Deno.test("the journal keeps within its size, oldest differences first", async () => {
  await using dir = await tempDir();
  const each = 1000;
  await using zone = await opened(`${dir.path}/state.db`, {
    journalMaxOctets: 3 * (each + ROW_OCTETS),
  });
  for (let n = 0; n < 3; n++) await zone.grow(each);
  assertEquals(await kept(zone.store), [1, 2, 3]);
  await zone.grow(each);
  assertEquals(await kept(zone.store), [2, 3, 4]);
  await zone.grow(2 * each);
  assertEquals(await kept(zone.store), [4, 5]);
  assertEquals(await zone.store.differences(APEX, 3), undefined);
});

Deno.test("without a size given a journal may grow to the zone's own, and to 10 MiB", () => {
  const bounds = { maxOctets: undefined, maxAgeMs: 1 };
  assertEquals(journalLimits(bounds, 1000, 5).maxOctets, MIN_JOURNAL_OCTETS);
  assertEquals(journalLimits(bounds, 2 ** 30, 5).maxOctets, 2 ** 30);
  assertEquals(MIN_JOURNAL_OCTETS, 10 * 1024 * 1024);
  assertEquals(journalLimits({ maxOctets: 0, maxAgeMs: 1 }, 2 ** 30, 5).maxOctets, 0);
});

Deno.test("the default size is kept in the file: 10 MiB for a small zone", async () => {
  await using dir = await tempDir();
  await using zone = await opened(`${dir.path}/state.db`);
  for (let n = 0; n < 200; n++) await zone.grow(60_000);
  const most = Math.floor(MIN_JOURNAL_OCTETS / (60_000 + ROW_OCTETS));
  assertEquals((await zone.store.journal(APEX)).length, most);
});

Deno.test("differences older than the age go when their zone is published, the newest stays", async () => {
  await using dir = await tempDir();
  await using zone = await opened(`${dir.path}/state.db`);
  await zone.grow(100, PUBLISHED_AT);
  await zone.grow(100, PUBLISHED_AT + 10 * DAY_MS);
  await zone.grow(100, PUBLISHED_AT + 30 * DAY_MS);
  assertEquals(await kept(zone.store), [1, 2, 3]);
  await zone.grow(100, PUBLISHED_AT + 30 * DAY_MS + 1);
  assertEquals(await kept(zone.store), [2, 3, 4]);
  await zone.store.close();
  const again = await openStateFile(`${dir.path}/state.db`, { journalMaxAgeMs: DAY_MS });
  assertEquals(await kept(again), [2, 3, 4], "not without a publication");
  await again.close();
});

Deno.test("after a long silence only the newest difference is left", async () => {
  await using dir = await tempDir();
  await using zone = await opened(`${dir.path}/state.db`, { journalMaxAgeMs: 1000 });
  for (let n = 0; n < 5; n++) await zone.grow(100);
  await zone.grow(100, PUBLISHED_AT + 1001);
  assertEquals(await kept(zone.store), [6]);
  // A clock that was set back makes nothing older than it is.
  await zone.grow(100, PUBLISHED_AT - 1_000_000);
  assertEquals(await kept(zone.store), [6, 7]);
});

Deno.test("the last difference stays beyond the size, unless it alone exceeds the zone", async () => {
  await using dir = await tempDir();
  await using zone = await opened(`${dir.path}/state.db`, { journalMaxOctets: 1 }, 50);
  await zone.grow(zone.zoneOctets);
  assertEquals(await kept(zone.store), [1]);
  await zone.grow(100);
  assertEquals(await kept(zone.store), [2]);
  await zone.grow(zone.zoneOctets + 1);
  assertEquals(await kept(zone.store), []);
  await zone.grow(100);
  assertEquals(await kept(zone.store), [4], "a new chain begins");
  assertEquals(await zone.store.differences(APEX, 3), undefined);
});

Deno.test("zones are purged each by their own journal", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`, {
    journalMaxOctets: 2 * (100 + ROW_OCTETS),
  });
  const names = ["example.", "example.org."];
  let versions = names.map((apex) => firstVersion(apex, 1, hostPages(apex, 1)).version);
  await store.publish(names.map((apex) => firstVersion(apex, 1, hostPages(apex, 1))));
  for (let serial = 2; serial < 8; serial++) {
    const only = serial % 3 === 0 ? [0, 1] : [0];
    const loaded = (await store.load()).zones.map(({ version }) => version);
    const next = only.map((at) =>
      nextVersion(loaded[at], loaded[at].serial + 1, loaded[at].pages, {
        added: [recordOf(100, serial)],
      })
    );
    await store.publish(next);
    versions = loaded;
  }
  assertEquals(versions.length, 2);
  const lengths = await Promise.all(
    names.map(async (apex) => (await store.journal(parseName(apex))).map((e) => e.fromSerial)),
  );
  assertEquals(lengths, [[5, 6], [1, 2]]);
  await store.close();
});

Deno.test("what a zone says of its journal is what the rows take, after any purge", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path, { journalMaxOctets: 20_000 });
  const history = new RandomHistory({ seed: 5 });
  const said = () => {
    const db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare(
      `SELECT journal_octets AS said, (SELECT sum(length(removed) + length(added) + ${ROW_OCTETS})
       FROM journal) AS takes FROM zone`,
    ).get();
    db.close();
    return row!;
  };
  const versions: ZoneVersion[] = [];
  for (let n = 0; n < 150; n++) {
    const publication = history.next();
    versions.push(publication.version);
    await store.publish([publication]);
    if (n === 70) {
      await store.close();
      store = await openStateFile(path, { journalMaxOctets: 20_000 });
      history.current = (await store.load()).zones[0].version;
    }
    const { said: octets, takes } = said();
    assertEquals(octets, takes ?? 0);
    assert(Number(octets) <= 20_000);
  }
  const entries = await store.journal(APEX);
  assert(entries.length > 5 && entries.length < 149);
  for (const { fromSerial } of entries) {
    const diffs = await store.differences(APEX, fromSerial);
    const from = versions.find(({ serial }) => serial === fromSerial)!;
    assertEquals(contentAfter(from, diffs!), contentOf(history.current!));
  }
  await store.close();
});

Deno.test("a count of octets that was damaged keeps at most twice the bound, and is put right", async (t) => {
  for (const octets of [2 ** 40, 0, -5, -(2 ** 40)]) {
    await t.step(String(octets), async () => {
      await using dir = await tempDir();
      const path = `${dir.path}/state.db`;
      await using zone = await opened(path, { journalMaxOctets: 3000 });
      for (let n = 0; n < 10; n++) await zone.grow(100);
      const db = new DatabaseSync(path);
      db.prepare("UPDATE zone SET journal_octets = ?").run(octets);
      db.close();
      for (let n = 0; n < 30; n++) await zone.grow(100);
      const length = (await zone.store.journal(APEX)).length;
      assert(length >= 7 && length <= 15, String(length));
    });
  }
});

Deno.test("choosing what to purge: any rows, any bounds", () => {
  const row = fc.record({ octets: fc.nat(1000), publishedAt: fc.nat(100) });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 12 }),
      fc.nat(6000),
      fc.nat(100),
      fc.nat(1500),
      (sizes, maxOctets, oldestAt, zoneOctets) => {
        const rows = sizes.map((size, at) => ({ ...size, id: at + 1 }));
        const take = (of: typeof rows) =>
          of.reduce((sum, { octets }) => sum + octets + ROW_OCTETS, 0);
        const limits = { maxOctets, oldestAt, zoneOctets };
        const newest = rows.length;
        const purge = choosePurge(rows, take(rows), newest, limits);
        const left = rows.filter(({ id }) => id > (purge.upTo ?? 0));
        assertEquals(purge.octets, take(left));
        if (left.length > 1) {
          assert(take(left) <= maxOctets && left[0].publishedAt >= oldestAt);
        } else if (left.length === 1) {
          assert(take(left) <= maxOctets || left[0].octets <= zoneOctets);
        } else assert(take(rows.slice(-1)) > maxOctets && rows.at(-1)!.octets > zoneOctets);
        const last = rows[(purge.upTo ?? 0) - 1]; // nothing went that might have stayed
        if (last && last.id !== newest) {
          assert(take(left) + last.octets + ROW_OCTETS > maxOctets || last.publishedAt < oldestAt);
        }
      },
    ),
    { numRuns: 500 },
  );
});
