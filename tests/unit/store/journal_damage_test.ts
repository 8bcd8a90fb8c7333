import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { parseName } from "../../../lib/dns/mod.ts";
import { openStateFile, type StateError, type StateStore } from "../../../lib/store/mod.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import { aRecord, firstVersion, hostPages, nextVersion } from "./zones.ts";

const APEX = parseName("example.");

/** The octets of a state file with {@link makeState}'s journal, made once. */
let stateOctets: Promise<Uint8Array> | undefined;

async function stateWithJournal(path: string): Promise<void> {
  stateOctets ??= makeState();
  await Deno.writeFile(path, await stateOctets);
}

/** Publishes serials 1 to 6: journal rows 1 (1 → 2) to 5 (5 → 6). */
async function makeState(): Promise<Uint8Array> {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const first = firstVersion("example.", 1, hostPages("example.", 2));
  await store.publish([first]);
  let { version } = first;
  for (let serial = 2; serial <= 6; serial++) version = await follow(store, version, serial);
  await store.close();
  return await Deno.readFile(path);
}

async function follow(store: StateStore, version: ZoneVersion, serial: number) {
  const next = nextVersion(version, serial, version.pages, {
    added: [aRecord(`n${serial}.example.`, serial)],
  });
  await store.publish([next]);
  return next.version;
}

/** Numbers of differences got from each serial, newest first, and codes of what was reported. */
async function kept(store: StateStore): Promise<(number | undefined)[]> {
  const lengths: (number | undefined)[] = [];
  for (let serial = 6; serial >= 1; serial--) {
    lengths.push((await store.differences(APEX, serial))?.length);
  }
  return lengths;
}

Deno.test("a broken journal row costs that row and those before it, and is reported once", async (t) => {
  const none = undefined;
  const cases: Record<string, [sql: string, kept: (number | undefined)[]]> = {
    "a record changed": [
      "UPDATE journal SET added = x'00' WHERE id = 3",
      [0, 1, 2, none, none, none],
    ],
    "the cause changed": [
      "UPDATE journal SET cause = 'x' WHERE id = 2",
      [0, 1, 2, 3, none, none],
    ],
    "a serial changed": [
      "UPDATE journal SET to_serial = 77 WHERE id = 1",
      [0, 1, 2, 3, 4, none],
    ],
    "a SOA changed": [
      "UPDATE journal SET from_soa = to_soa WHERE id = 4",
      [0, 1, none, none, none, none],
    ],
    "a row exchanged for another, hash and all": [
      `UPDATE journal SET (chain, previous_chain, added, from_soa, to_soa) =
         (SELECT chain, previous_chain, added, from_soa, to_soa FROM journal WHERE id = 2)
       WHERE id = 3`,
      [0, 1, 2, none, none, none],
    ],
    "a row missing in the middle": [
      "DELETE FROM journal WHERE id = 3",
      [0, 1, 2, none, none, none],
    ],
    "the oldest row missing, as by a purge": [
      "DELETE FROM journal WHERE id = 1",
      [0, 1, 2, 3, 4, none],
    ],
  };
  for (const [name, [sql, expected]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      const path = `${dir.path}/state.db`;
      await stateWithJournal(path);
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      const problems: StateError[] = [];
      const store = await openStateFile(path, { report: (problem) => problems.push(problem) });
      const { version } = (await store.load()).zones[0];
      assertEquals(version.serial, 6, "the zone is whole");
      assertEquals(await kept(store), expected);
      assertEquals(await kept(store), expected);
      const reported = name.startsWith("the oldest") ? 0 : 1;
      assertEquals(problems.map(({ code }) => code), Array(reported).fill("journal-damaged"));
      await follow(store, version, 7);
      const last = expected.indexOf(undefined);
      assertEquals((await store.differences(APEX, 7 - last))?.length, last);
      await store.close();
    });
  }
});

Deno.test("a journal that does not end at the zone's serial is dropped at load, and said so", async (t) => {
  const cases: Record<string, string> = {
    "the newest row missing": "DELETE FROM journal WHERE id = 5",
    "all rows missing": "DELETE FROM journal",
    "the newest row's hash changed": "UPDATE journal SET chain = zeroblob(32) WHERE id = 5",
    "the newest row leads elsewhere": "UPDATE journal SET to_serial = 9 WHERE id = 5",
    "the zone knows of no journal": "UPDATE zone SET journal_chain = zeroblob(32)",
  };
  for (const [name, sql] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      const path = `${dir.path}/state.db`;
      await stateWithJournal(path);
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      const problems: StateError[] = [];
      const report = (problem: StateError) => problems.push(problem);
      const reader = await openStateFile(path, { readOnly: true, report });
      await reader.load();
      await reader.close();
      const store = await openStateFile(path, { report });
      const { version } = (await store.load()).zones[0];
      await store.load();
      assertEquals(problems.map(({ code }) => code), ["journal-damaged", "journal-damaged"]);
      assertEquals(await store.journal(APEX), []);
      await follow(store, version, 7);
      assertEquals((await store.differences(APEX, 6))?.length, 1);
      await store.close();
    });
  }
});

Deno.test("a publication onto a journal that broke meanwhile starts a new one, and says so", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await stateWithJournal(path);
  const problems: StateError[] = [];
  const store = await openStateFile(path, { report: (problem) => problems.push(problem) });
  const { version } = (await store.load()).zones[0];
  const db = new DatabaseSync(path);
  db.exec("DELETE FROM journal WHERE id = 5");
  db.close();
  const next = await follow(store, version, 7);
  await follow(store, next, 8);
  assertEquals(problems.map(({ code }) => code), ["journal-damaged"]);
  assertEquals((await store.journal(APEX)).map(({ fromSerial }) => fromSerial), [6, 7]);
  assertEquals((await store.differences(APEX, 6))?.length, 2);
  await store.close();
});
