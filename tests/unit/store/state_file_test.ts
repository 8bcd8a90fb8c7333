import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { parseName } from "../../../lib/dns/mod.ts";
import { openStateFile, StateError } from "../../../lib/store/mod.ts";
import { listRecords, packRecords, ZoneVersion } from "../../../lib/zone/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import {
  aRecord,
  firstVersion,
  hostPages,
  nextVersion,
  pageOf,
  plain,
  progress,
  PUBLISHED_AT,
  soaRecord,
} from "./zones.ts";

async function rejection(promise: Promise<unknown>): Promise<StateError> {
  return await assertRejects(() => promise, StateError);
}

Deno.test("a new state file is empty, has an identity that stays, and mode 0600", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const state = await store.load();
  assertEquals([state.zones, state.cursor], [[], undefined]);
  assert(/^[0-9a-f]{32}$/.test(state.instance));
  await store.publish([firstVersion("example.", 1, [])]);
  for (const name of [path, `${path}-wal`, `${path}-shm`, `${path}.lock`]) {
    assertEquals((await Deno.stat(name)).mode! & 0o777, 0o600, name);
  }
  await store.close();
  const again = await openStateFile(path);
  assertEquals((await again.load()).instance, state.instance);
  await again.close();
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), [
    "state.db",
    "state.db.lock",
  ]);
});

Deno.test("what was published comes back octet for octet, in canonical order", async (t) => {
  const odd = parseName("\\000\\001\\255.example.");
  const cases = {
    "no pages": firstVersion("example.", 7, []),
    "the root zone": firstVersion(".", 1, [pageOf([aRecord("example.", 1)])]),
    "pages": firstVersion("example.", 2 ** 32 - 1, hostPages("example.", 5)),
    "case of the apex": firstVersion("ExAmPlE.", 1, hostPages("ExAmPlE.", 2)),
    "octets 0, 1 and 255 in names": firstVersion(
      "example.",
      1,
      [
        pageOf([aRecord("a.example.", 1)]),
        pageOf([{ ...aRecord("b.example.", 1), owner: odd }]),
      ].sort((a, b) => a.firstKey < b.firstKey ? -1 : 1),
    ),
    "an owner that spans pages": firstVersion("example.", 1, [
      pageOf([aRecord("a.example.", 1)]),
      pageOf([aRecord("b.example.", 1)], 0),
      pageOf([aRecord("b.example.", 2)], 1),
      pageOf([aRecord("b.example.", 3)], 2),
      pageOf([aRecord("c.example.", 1)]),
    ]),
  };
  for (const [name, publication] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      const before = plain(publication.version);
      const store = await openStateFile(`${dir.path}/state.db`);
      await store.publish([publication], progress("cursor 1"));
      assertEquals(plain(publication.version), before, "the live version's octets are untouched");
      await store.close();
      const again = await openStateFile(`${dir.path}/state.db`);
      const { zones, cursor } = await again.load();
      await again.close();
      assertEquals(cursor, "cursor 1");
      assertEquals(zones.length, 1);
      assertEquals(zones[0].publishedAt, PUBLISHED_AT);
      assertEquals(plain(zones[0].version), before);
    });
  }
});

Deno.test("only changed pages are written, and removed ones go", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const pages = hostPages("example.", 10);
  const first = firstVersion("example.", 1, pages);
  await store.publish([first]);
  const rowids = () => {
    const db = new DatabaseSync(path, { readOnly: true });
    const rows = db.prepare("SELECT id, hex(block) AS block FROM page ORDER BY first_key").all();
    db.close();
    return new Map(rows.map(({ id, block }) => [id, block]));
  };
  const before = rowids();

  const replaced = pageOf([aRecord("h0000009.example.", 77), aRecord("h0000010.example.", 1)]);
  const added = pageOf([aRecord("z.example.", 1)]);
  const changed = [...pages.slice(0, 3), replaced, ...pages.slice(5), added];
  const second = nextVersion(first.version, 2, changed);
  await store.publish([second]);
  const after = rowids();
  assertEquals(after.size, 10);
  const kept = [...after].filter(([id, block]) => before.get(id) === block);
  assertEquals(kept.length, 8);

  await store.publish([nextVersion(second.version, 3, [])]);
  const third = (await store.load()).zones[0].version;
  assertEquals([third.serial, third.pages.length], [3, 0]);
  await store.close();
});

Deno.test("a loaded version can be published upon, its pages shared by identity", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  await store.publish([firstVersion("example.", 1, hostPages("example.", 4))]);
  for (let serial = 2; serial < 6; serial++) {
    await store.close();
    store = await openStateFile(path);
    const { version } = (await store.load()).zones[0];
    const pages = [...version.pages];
    pages[serial % 4] = pageOf([{ ...aRecord("x.example.", serial), owner: version.apex }]);
    pages.sort((a, b) => a.firstKey < b.firstKey ? -1 : 1);
    const unique = pages.filter((page, at) => pages[at - 1]?.firstKey !== page.firstKey);
    const next = nextVersion(version, serial, unique);
    await store.publish([next]);
    assertEquals(plain((await store.load()).zones[0].version), plain(next.version));
  }
  await store.close();
});

Deno.test("a thousand zones are published in one transaction and come back", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const firsts = Array.from(
    { length: 1000 },
    (_, n) => firstVersion(`z${n}.example.`, n, hostPages(`z${n}.example.`, 2)),
  );
  await store.publish(firsts, progress("c"));
  const { zones } = await store.load();
  const byApex = new Map(zones.map(({ version }) => [version.apexKey, version]));
  for (const { version } of firsts) {
    assertEquals(byApex.get(version.apexKey)?.serial, version.serial);
  }
  assertEquals(zones.length, 1000);
  await store.close();
});

Deno.test("a large zone comes back whole", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const block = new Uint8Array(16_000);
  const pages = Array.from({ length: 1500 }, (_, n) => {
    crypto.getRandomValues(block);
    const [page] = [pageOf([aRecord(`h${String(n).padStart(6, "0")}.example.`, n)])];
    return {
      ...page,
      block: block.slice(),
      owners: Uint32Array.from({ length: 200 }, (_, i) => i),
      records: 400,
    };
  });
  const first = firstVersion("example.", 1, pages);
  await store.publish([first]);
  const { version } = (await store.load()).zones[0];
  await store.close();
  assertEquals(version.records, first.version.records);
  assertEquals(version.wireOctets, first.version.wireOctets);
  for (const [at, page] of pages.entries()) {
    assert(page.block.every((octet, i) => octet === version.pages[at].block[i]));
    assertEquals(version.pages[at].block.buffer.byteLength, page.block.length, "no foreign octets");
  }
});

Deno.test("a version that does not follow what is stored is refused and changes nothing", async (t) => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const first = firstVersion("example.", 5, hostPages("example.", 3));
  await store.publish([first], progress("before"));
  const stored = plain(first.version);
  const other = firstVersion("example.org.", 1, []);
  const stranger = new ZoneVersion(soaRecord("example.", 4), first.version.pages);
  const twin = new ZoneVersion({ ...first.version.soa, ttl: 1 }, first.version.pages);
  const good = nextVersion(first.version, 6);
  const cases = {
    "another previous serial": nextVersion(stranger, 6),
    "a zone that is not stored": nextVersion(new ZoneVersion(soaRecord("example.net.", 1), []), 2),
    "a difference from another SOA": nextVersion(twin, 6),
    "a difference to another SOA": { ...good, diff: { ...good.diff!, toSoa: first.version.soa } },
    "a previous version with pages that are not stored": nextVersion(
      new ZoneVersion(first.version.soa, [pageOf([aRecord("gone.example.", 1)])]),
      6,
    ),
    "a previous version with other pages": nextVersion(
      new ZoneVersion(first.version.soa, first.version.pages.slice(1)),
      6,
    ),
  };
  for (const [name, publication] of Object.entries(cases)) {
    await t.step(name, async () => {
      // The good one before it in the same call must not stay either.
      const error = await rejection(store.publish([other, publication], progress("after")));
      assertEquals(error.code, "state-diverged");
      const { zones, cursor } = await store.load();
      assertEquals(zones.map(({ version }) => plain(version)), [stored]);
      assertEquals(cursor, "before");
    });
  }
  await store.publish([good]);
  await store.close();
});

Deno.test("a first version replaces all that was stored of its zone", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const apex = parseName("example.");
  const first = firstVersion("example.", 5, hostPages("example.", 3));
  await store.publish([first]);
  await store.publish([nextVersion(first.version, 6)]);
  const anew = firstVersion("EXAMPLE.", 3, hostPages("example.", 2, 1));
  await store.publish([anew]);
  assertEquals(
    (await store.load()).zones.map(({ version }) => plain(version)),
    [plain(anew.version)],
  );
  assertEquals(await store.journal(apex), []);
  await store.close();
});

Deno.test("a removed zone is gone with its journal; others stay", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const first = firstVersion("example.", 1, hostPages("example.", 3));
  const other = firstVersion("example.org.", 1, hostPages("example.org.", 3));
  await store.publish([first, other]);
  await store.publish([nextVersion(first.version, 2)]);
  await store.removeZone(parseName("EXAMPLE."));
  await store.removeZone(parseName("never.there."));
  const { zones } = await store.load();
  assertEquals(zones.map(({ version }) => plain(version)), [plain(other.version)]);
  assertEquals(await store.journal(parseName("example.")), []);
  await store.close();
  const db = new DatabaseSync(path, { readOnly: true });
  assertEquals(db.prepare("SELECT count(*) AS n FROM page").get()?.n, 3);
  assertEquals(db.prepare("SELECT count(*) AS n FROM journal").get()?.n, 0);
  db.close();
});

Deno.test("the cursor is kept with and without a publication", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const first = firstVersion("example.", 1, []);
  await store.publish([first], progress("one"));
  await store.publish([nextVersion(first.version, 2)]);
  assertEquals((await store.load()).cursor, "one");
  await store.keepProgress(progress("two"));
  await store.publish([], progress("three"));
  await store.keepProgress(progress("four é"));
  await store.close();
  const again = await openStateFile(path);
  assertEquals((await again.load()).cursor, "four é");
  await again.close();
});

Deno.test("a reader beside the server sees what is committed and can change nothing", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const reader = await openStateFile(path, { readOnly: true });
  assertEquals((await reader.load()).zones, []);
  const first = firstVersion("example.", 1, hostPages("example.", 3));
  await store.publish([first]);
  assertEquals(plain((await reader.load()).zones[0].version), plain(first.version));
  const second = nextVersion(first.version, 2, first.version.pages, {
    added: [aRecord("new.example.", 1)],
  });
  await store.publish([second]);
  assertEquals((await reader.journal(parseName("example."))).length, 1);
  assertEquals((await reader.differences(parseName("example."), 1))?.length, 1);
  assertEquals((await rejection(reader.keepProgress(progress("x")))).code, "state-read-only");
  assertEquals((await rejection(reader.publish([second]))).code, "state-read-only");
  await reader.close();
  await store.close();
  const late = await openStateFile(path, { readOnly: true });
  assertEquals((await late.load()).zones[0].version.serial, 2);
  await late.close();
});

Deno.test("a reader without a state file is told so, and makes none", async () => {
  await using dir = await tempDir();
  const error = await rejection(openStateFile(`${dir.path}/state.db`, { readOnly: true }));
  assertEquals(error.code, "state-missing");
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("a state file whose directory is missing cannot be opened", async () => {
  await using dir = await tempDir();
  const error = await rejection(openStateFile(`${dir.path}/none/state.db`));
  assertEquals(error.code, "state-unopenable");
  assert(error.message.includes(`${dir.path}/none/state.db`));
  assert(error.hint);
});

Deno.test("a closed store rejects, and closing twice is no error", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const cursor = store.keepProgress(progress("asked before closing"));
  await store.close();
  await cursor;
  await store.close();
  assertEquals((await rejection(store.load())).code, "state-closed");
});

Deno.test("differences lead from any kept serial to the current one", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const apex = parseName("example.");
  const first = firstVersion("example.", 10, hostPages("example.", 2));
  await store.publish([first]);
  let { version } = first;
  for (const serial of [11, 15, 20]) {
    const next = nextVersion(version, serial, version.pages, {
      removed: serial === 15 ? [aRecord("n11.example.", 11)] : [],
      added: [aRecord(`n${serial}.example.`, serial)],
    });
    await store.publish([next]);
    version = next.version;
  }
  const path = (from: number) =>
    store.differences(apex, from).then((diffs) =>
      diffs?.map(({ fromSoa, toSoa, removed, added }) => [
        new ZoneVersion(fromSoa, []).serial,
        new ZoneVersion(toSoa, []).serial,
        [...listRecords(removed)].length,
        [...listRecords(added)].length,
      ])
    );
  assertEquals(await path(10), [[10, 11, 0, 1], [11, 15, 1, 1], [15, 20, 0, 1]]);
  assertEquals(await path(15), [[15, 20, 0, 1]]);
  assertEquals(await path(20), []);
  assertEquals(await path(12), undefined);
  assertEquals(await path(21), undefined);
  assertEquals(await store.differences(parseName("example.org."), 20), undefined);
  const octets = packRecords([aRecord("n11.example.", 1)]).octets.length;
  assertEquals(
    await store.journal(parseName("EXAMPLE.")),
    [
      [10, 11, 1, 0],
      [11, 15, 1, 1],
      [15, 20, 1, 0],
    ].map(([fromSerial, toSerial, added, removed]) => ({
      fromSerial,
      toSerial,
      publishedAt: PUBLISHED_AT,
      cause: "poll",
      added,
      removed,
      octets: octets * (added + removed),
    })),
  );
  await store.close();
});

Deno.test("a step without a difference cuts the journal", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const apex = parseName("example.");
  const first = firstVersion("example.", 1, []);
  const second = nextVersion(first.version, 2);
  const third = { ...nextVersion(second.version, 3), diff: undefined };
  const fourth = nextVersion(third.version, 4);
  for (const publication of [first, second, third, fourth]) await store.publish([publication]);
  assertEquals(await store.differences(apex, 1), undefined);
  assertEquals((await store.differences(apex, 3))?.length, 1);
  assertEquals((await store.journal(apex)).length, 1);
  await store.close();
});
