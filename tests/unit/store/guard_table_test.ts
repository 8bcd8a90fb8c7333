/** What the guard remembers: kept with the progress or at once, forgotten with its zone. */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { canonicalKey, parseName } from "../../../lib/dns/mod.ts";
import { type GuardNote, openStateFile, StateError } from "../../../lib/store/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import { firstVersion, nextVersion } from "./zones.ts";

const KEY = canonicalKey(parseName("example."));
const OTHER = canonicalKey(parseName("\\000\\255.other."));

function sorted(notes: readonly GuardNote[]): GuardNote[] {
  return [...notes].sort((a, b) => a.apexKey + a.kind < b.apexKey + b.kind ? -1 : 1);
}

Deno.test("the guard's notes are kept, replaced, forgotten, and gone with their zone", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  const first = firstVersion("example.", 1, []);
  const peaks: GuardNote = { apexKey: KEY, kind: "peaks", value: "[1]" };
  const hold: GuardNote = { apexKey: KEY, kind: "hold", value: '{"id":"é"}' };
  const other: GuardNote = { apexKey: OTHER, kind: "approved", value: "a" };
  await store.publish([first], { cursor: "1", guard: [peaks, hold] });
  await store.keepGuard([other]);
  await store.close();
  store = await openStateFile(path);
  assertEquals(sorted((await store.load()).guard), sorted([peaks, hold, other]));

  const changed = { ...peaks, value: "[2]" };
  await store.keepProgress({ cursor: "2", guard: [changed, { ...hold, value: undefined }] });
  const state = await store.load();
  assertEquals(sorted(state.guard), sorted([changed, other]));
  assertEquals(state.cursor, "2");

  // One transaction: what is refused leaves nothing behind.
  const stale = nextVersion(nextVersion(first.version, 2).version, 3);
  await assertRejects(
    () => store.publish([stale], { cursor: "3", guard: [{ ...other, value: "b" }] }),
    StateError,
  );
  assertEquals(sorted((await store.load()).guard), sorted([changed, other]));
  await store.removeZone(parseName("example."));
  assertEquals((await store.load()).guard, [other]);
  await store.close();
});

Deno.test("a progress without pending owners leaves those that were kept", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const pending = new Map([["example", new Set(["a.example."])]]);
  await store.keepProgress({ cursor: "1", pending });
  await store.keepProgress({ cursor: "2" });
  const state = await store.load();
  assertEquals([state.cursor, state.pending], ["2", pending]);
  await store.close();
});

Deno.test("a note of the guard that was altered is damage", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  await store.keepGuard([{ apexKey: KEY, kind: "approved", value: "0123456789ab" }]);
  await store.close();
  const db = new DatabaseSync(path);
  db.exec("UPDATE guard SET value = '0123456789ac'");
  db.close();
  store = await openStateFile(path);
  const error = await assertRejects(() => store.load(), StateError);
  assertEquals(error.code, "state-damaged");
  await store.close();
});
