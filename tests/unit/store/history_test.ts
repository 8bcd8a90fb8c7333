import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import {
  differenceBetween,
  HistoryError,
  type JournalSource,
  MAX_DIFFERENCES_OCTETS,
  openStateFile,
  StateError,
  versionAt,
} from "../../../lib/store/mod.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import { APEX, contentAfter, contentOf, RandomHistory } from "./random_history.ts";
import { aRecord, firstVersion, hostPages, nextVersion } from "./zones.ts";

const NAME = parseName(APEX);

Deno.test("every kept version is had back, and what lies between any two", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`, { journalMaxOctets: 30_000 });
  const history = new RandomHistory({ seed: 11, firstSerial: 2 ** 32 - 60 });
  const versions: ZoneVersion[] = [];
  for (let n = 0; n < 120; n++) {
    const publication = history.next();
    await store.publish([publication]);
    versions.push(publication.version);
  }
  const current = versions[versions.length - 1];
  const oldest = (await store.journal(NAME))[0].fromSerial;
  const first = versions.findIndex(({ serial }) => serial === oldest);
  assert(first > 5 && first < 100);
  for (const version of versions.slice(first)) {
    const past = await versionAt(store, current, version.serial);
    assertEquals(contentOf(past), contentOf(version));
  }
  for (let n = 0; n < 60; n++) {
    const pick = () => versions[first + Math.floor(history.random() * (versions.length - first))];
    const [from, to] = [pick(), pick()];
    const diff = await differenceBetween(store, NAME, from.serial, to.serial);
    assertEquals(contentAfter(from, diff ? [diff] : []), contentOf(to));
  }
  const reader = await openStateFile(`${dir.path}/state.db`, { readOnly: true });
  assertEquals(contentOf(await versionAt(reader, current, oldest)), contentOf(versions[first]));
  await reader.close();

  for (const { serial } of [versions[0], versions[first - 1]]) {
    const error = await assertRejects(() => versionAt(store, current, serial), HistoryError);
    assertEquals([error.code, error.oldestSerial], ["serial-not-kept", oldest]);
    assert(error.message.includes(`serial ${serial} of zone example.`), error.message);
    assert(error.hint?.includes(`the oldest serial kept is ${oldest}`), error.hint);
  }
  await store.close();
});

Deno.test("a zone without a journal has its current version only", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const { version } = firstVersion(APEX, 7, []);
  assertEquals(await versionAt(store, version, 7), version);
  const error = await assertRejects(() => versionAt(store, version, 6), HistoryError);
  assertEquals(error.hint, "only the current version is kept");
  assertEquals(error.oldestSerial, undefined);
  assertEquals(await differenceBetween(store, NAME, 3, 3), undefined);
  await store.close();
});

Deno.test("differences are read up to a serial that is no longer current", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const history = new RandomHistory({ seed: 2 });
  for (let n = 0; n < 6; n++) await store.publish([history.next()]);
  const lengths: (number | undefined)[] = [];
  for (const [from, to] of [[1, 4], [3, 4], [4, 4], [4, 3], [0, 3], [3, 9], [2, 6]]) {
    lengths.push((await store.differences(NAME, from, to))?.length);
  }
  assertEquals(lengths, [3, 1, 0, undefined, undefined, undefined, 4]);
  await store.close();
});

Deno.test("more than is read at once is refused, and read in parts for a past version", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`, { journalMaxOctets: 2 ** 40 });
  const first = firstVersion(APEX, 1, hostPages(APEX, 1));
  await store.publish([first]);
  const large = (n: number) => [
    { ...aRecord(`x${n}.${APEX}`, n), type: 65_280, rdata: new Uint8Array(60_000).fill(n) },
  ];
  // The journal does not look into pages, so these records need not be in them.
  let version = first.version;
  const count = Math.ceil(MAX_DIFFERENCES_OCTETS / 6_000_000) + 1;
  for (let n = 2; n < 2 + count; n++) {
    const added = Array.from({ length: 100 }, (_, i) => large(n * 100 + i)).flat();
    const next = nextVersion(version, n, version.pages, { added });
    await store.publish([next]);
    version = next.version;
  }
  const error = await assertRejects(() => store.differences(NAME, 1), StateError);
  assertEquals(error.code, "journal-too-long");
  assert(error.hint);
  let calls = 0;
  const counted: JournalSource = {
    journal: (apex) => store.journal(apex),
    differences: (...span) => (calls++, store.differences(...span)),
  };
  const diff = await differenceBetween(counted, NAME, 1, version.serial);
  assertEquals([diff?.added.count, calls], [count * 100, 2]);
  await store.close();
});
