/** The store with pages and differences as lib/zone makes them. */
import { assertEquals } from "@std/assert";
import { canonicalKey, parseName, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import {
  applyDiff,
  firstVersion,
  getOwner,
  nextVersion,
  normalizeOwner,
  type OwnerChange,
  type OwnerRecords,
  packRecords,
  readOwners,
  type ZoneVersion,
} from "../../../lib/zone/mod.ts";
import { openStateFile } from "../../../lib/store/mod.ts";
import { randomOf } from "../../support/random.ts";
import { drain } from "../../support/random_zones.ts";
import { tempDir } from "../../support/tempdir.ts";
import { aRecord, octetText, plain, soaRecord } from "./zones.ts";

const APEX = "example.";
const OWNERS = 600;
const CHANGES = 12;
/** Another one each time; SEED of the environment repeats one. */
const SEED = Number(Deno.env.get("SEED") ?? Math.floor(Math.random() * 2 ** 31));
const random = randomOf(SEED);

function textRecord(owner: string, octets: number, seed: number): ResourceRecord {
  const rdata = new Uint8Array(octets).fill(seed);
  for (let at = 0; at < octets; at += 256) rdata[at] = Math.min(255, octets - at - 1);
  return { owner: parseName(owner), type: TYPE.TXT, ttl: 60, rdata };
}

function ownerOf(records: ResourceRecord[]): OwnerRecords {
  const normal = normalizeOwner(records).records;
  return { key: canonicalKey(normal[0].owner), owner: normal[0].owner, records: normal };
}

/** An owner of some records; now and then one too big for a page, or for a message. */
function randomOwner(n: number): OwnerRecords {
  const name = `h${n}.${APEX}`;
  const size = random() < 0.01 ? 2500 : 1 + Math.floor(random() * 4);
  const records = Array.from(
    { length: size },
    () => aRecord(name, Math.floor(random() * 2 ** 32)),
  );
  if (random() < 0.1) {
    records.push(textRecord(name, 1 + Math.floor(random() * 20_000), n & 0xff));
  }
  return ownerOf(records);
}

function inOrder<T extends { key: string }>(items: T[]): T[] {
  return items.sort((a, b) => a.key < b.key ? -1 : 1);
}

function randomChanges(version: ZoneVersion): OwnerChange[] {
  const numbers = new Set<number>();
  const wanted = random() < 0.2 ? 500 : 5;
  while (numbers.size < wanted) numbers.add(Math.floor(random() * OWNERS * 1.2));
  return inOrder([...numbers].map((n) => {
    const key = canonicalKey(parseName(`h${n}.${APEX}`));
    const before = getOwner(version.pages, key);
    return { key, before, after: before && random() < 0.4 ? undefined : randomOwner(n) };
  }));
}

function allRecords(version: ZoneVersion): string {
  const records = [...readOwners(version.pages)].flatMap((owner) => owner.records);
  return octetText(packRecords(records).octets);
}

Deno.test(`edited versions come back from the file, and the journal leads from each to the last, seed ${SEED}`, async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  const owners = inOrder(Array.from({ length: OWNERS }, (_, n) => randomOwner(n)));
  const build = firstVersion(soaRecord(APEX, 1), owners);
  let step = build.next();
  while (!step.done) step = build.next();
  let version = step.value;
  const publishedAt = 1;
  await store.publish([{
    version,
    previous: undefined,
    diff: undefined,
    cause: "start",
    publishedAt,
  }]);
  const versions = [version];
  for (let serial = 2; serial < 2 + CHANGES; serial++) {
    const next = drain(nextVersion(version, randomChanges(version), soaRecord(APEX, serial)));
    await store.publish([{ ...next, previous: version, cause: "poll", publishedAt }]);
    version = next.version;
    if (serial % 3 === 0) {
      await store.close();
      store = await openStateFile(path);
      const loaded = (await store.load()).zones[0].version;
      assertEquals(plain(loaded), plain(version));
      version = loaded;
    }
    versions.push(version);
  }
  for (const from of versions) {
    const diffs = await store.differences(parseName(APEX), from.serial);
    const reached = diffs!.reduce(applyDiff, from);
    assertEquals(reached.serial, version.serial);
    assertEquals(allRecords(reached), allRecords(version));
  }
  await store.close();
});
