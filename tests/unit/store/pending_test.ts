import { assertEquals, assertRejects } from "@std/assert";
import * as fc from "fast-check";
import { openStateFile, type PendingOwners, StateError } from "../../../lib/store/mod.ts";
import { SCHEMA_VERSION } from "../../../lib/store/state_schema.ts";
import { makeOlder } from "../../support/older_state.ts";
import { tempDir } from "../../support/tempdir.ts";
import { firstVersion, hostPages, nextVersion, plain, progress } from "./zones.ts";

function pending(zones: Record<string, string[] | "all">): PendingOwners {
  return new Map(
    Object.entries(zones).map(([zone, owners]) => [
      zone,
      owners === "all" ? owners : new Set(owners),
    ]),
  );
}

Deno.test("pending owners are kept with the cursor, replaced wholly, and come back", async (t) => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  const steps: Record<string, PendingOwners> = {
    "some owners": pending({ "example": ["a.example.", "b.example."], "other.org": ["."] }),
    "one more, one less, another zone": pending({ "example": ["b.example.", "c"], "z": ["q"] }),
    "a whole zone": pending({ "example": "all", "z": ["q"] }),
    "owners again": pending({ "example": ["b.example."], "z": "all" }),
    "an owner called all, spellings, octets": pending({
      "all": ["all", "", "ALL", "\\000.\\255", "é\u{1f600}", "a'b\"", "x y"],
    }),
    "none": pending({}),
    "none again": pending({}),
    "a zone named like an object's own": pending({ "constructor": ["toString"] }),
  };
  let serial = 0;
  for (const [name, wanted] of Object.entries(steps)) {
    await t.step(name, async () => {
      serial++;
      const cursor = `cursor ${serial}`;
      if (serial % 2 === 0) await store.keepProgress(progress(cursor, wanted));
      else await store.publish([firstVersion("example.", serial, [])], progress(cursor, wanted));
      const state = await store.load();
      assertEquals([state.cursor, state.pending], [cursor, wanted]);
      if (serial % 3 !== 0) return;
      await store.close();
      store = await openStateFile(path);
      assertEquals((await store.load()).pending, wanted);
    });
  }
  await store.close();
});

Deno.test("a zone with an empty set of pending owners is not kept", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  await store.keepProgress(progress("1", pending({ a: [], b: ["x"] })));
  assertEquals((await store.load()).pending, pending({ b: ["x"] }));
  await store.close();
});

Deno.test("a publication that is refused leaves cursor and pending owners as they were", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const first = firstVersion("example.", 1, []);
  const before = progress("before", pending({ example: ["a", "b"], z: "all" }));
  await store.publish([first], before);
  const stale = nextVersion(nextVersion(first.version, 2).version, 3);
  const after = progress("after", pending({ example: ["b", "c"] }));
  await assertRejects(() => store.publish([stale], after), StateError);
  const { cursor, pending: kept } = await store.load();
  assertEquals([cursor, kept], [before.cursor, before.pending]);
  await store.publish([nextVersion(first.version, 2)], after);
  assertEquals((await store.load()).pending, after.pending);
  await store.close();
});

Deno.test("any sequence of pending owners leaves the last one kept", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  const name = fc.constantFrom("", "a", "b", "c", "d.e", "all");
  const owners = fc.oneof(
    { weight: 3, arbitrary: fc.uniqueArray(name, { minLength: 1 }).map((n) => new Set(n)) },
    { weight: 1, arbitrary: fc.constant("all" as const) },
  );
  const zones = fc.array(fc.tuple(name, owners)).map((entries) => new Map(entries));
  await fc.assert(
    fc.asyncProperty(fc.array(zones, { minLength: 1, maxLength: 5 }), async (steps) => {
      for (const step of steps) await store.keepProgress(progress("c", step));
      await store.close();
      store = await openStateFile(path);
      assertEquals((await store.load()).pending, steps.at(-1));
    }),
    { numRuns: 15 },
  );
  await store.close();
});

for (let version = 1; version < SCHEMA_VERSION; version++) {
  Deno.test(`a file of schema ${version} is migrated and loses nothing; read-only it is told to be older`, async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/state.db`;
    let store = await openStateFile(path);
    const first = firstVersion("example.", 1, hostPages("example.", 2));
    const next = nextVersion(first.version, 2);
    const waits = pending(version < 2 ? {} : { example: "all" });
    await store.publish([first], progress("cursor", waits));
    await store.publish([next]);
    await store.close();
    makeOlder(path, version);

    const error = await assertRejects(() => openStateFile(path, { readOnly: true }), StateError);
    assertEquals(error.code, "state-older");
    store = await openStateFile(path);
    const state = await store.load();
    assertEquals([state.cursor, state.pending, state.guard], ["cursor", waits, []]);
    assertEquals(state.problems, undefined); // not known: the source is to be read whole
    assertEquals(plain(state.zones[0].version), plain(next.version));
    assertEquals((await store.differences(first.version.apex, 1))?.length, 1);
    await store.publish([nextVersion(next.version, 3)], progress("next", pending({ a: "all" })));
    await store.keepGuard([{ apexKey: first.version.apexKey, kind: "peaks", value: "[1]" }]);
    await store.close();
  });
}
