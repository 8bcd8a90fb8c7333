/** A state file that is full, read-only, gone, damaged or another's, under a server that goes on. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLogger, type Logger } from "../../../lib/ops/mod.ts";
import {
  type GuardNote,
  openMendingStore,
  openStateFile,
  StateError,
  type StateStore,
} from "../../../lib/store/mod.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { fillDisk, smallDisk } from "../../support/small_disk.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { firstVersion, hostPages, nextVersion, plain, progress } from "./zones.ts";

const RETRY_MS = 20;

interface Opened extends AsyncDisposable {
  readonly store: StateStore;
  readonly stored: readonly ZoneVersion[];
  readonly lines: string[];
}

async function opened(path: string): Promise<Opened> {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log: Logger = createLogger({ format: "logfmt", level: "info", write });
  const { store, state } = await openMendingStore(path, { log, retryMs: RETRY_MS });
  return {
    store,
    stored: state.zones.map(({ version }) => version),
    lines,
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** What a start from the file as it is would find. */
async function found(path: string) {
  const store = await openStateFile(path);
  try {
    const { instance, zones, cursor, pending, guard } = await store.load();
    return { instance, zones: zones.map(({ version }) => plain(version)), cursor, pending, guard };
  } finally {
    await store.close();
  }
}

const first = firstVersion("example.", 1, hostPages("example.", 3));
const other = firstVersion("other.example.", 5, hostPages("other.example.", 2));
const WAITS = new Map([["example", new Set(["a.example."])]]);
const waiting = progress("one", WAITS);
const NOTES: GuardNote[] = [{ apexKey: first.version.apexKey, kind: "peaks", value: "[3]" }];

/** A file with two zones and something that waits. */
async function makeState(path: string): Promise<void> {
  const store = await openStateFile(path);
  await store.publish([first, other], waiting);
  await store.keepGuard(NOTES);
  await store.close();
}

Deno.test("a file removed while open is written again from memory with all zones, and goes on", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await makeState(path);
  const { instance } = await found(path);
  const next = nextVersion(first.version, 2);
  {
    await using server = await opened(path);
    for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
    await server.store.publish([next]);
    assert(server.lines.some((line) => line.includes("written again from memory")));
    assertEquals(server.store.trouble, undefined);
    assertEquals((await server.store.load()).zones.length, 2);
  }
  const after = await found(path);
  assertEquals(after, {
    instance, // it goes on telling of what it told before
    zones: [plain(next.version), plain(other.version)],
    cursor: "one",
    pending: WAITS,
    guard: NOTES,
  });
});

Deno.test("a file that another has taken the place of is not written over, until that is removed", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await makeState(path);
  const next = nextVersion(first.version, 2);
  await using server = await opened(path);
  for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
  await Deno.writeTextFile(path, "a copy put back by hand");
  const error = await assertRejects(() => server.store.publish([next]), StateError);
  assertEquals(error.code, "state-moved");
  assert(error.hint?.includes("restart") && error.hint.includes("remove"));
  assertEquals(await Deno.readTextFile(path), "a copy put back by hand");
  await Deno.remove(path);
  await server.store.publish([next]);
});

Deno.test("a file damaged while open is set aside, and a new one written from memory", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await makeState(path);
  const { instance } = await found(path);
  let { version } = first;
  {
    await using server = await opened(path);
    const file = await Deno.open(path, { write: true });
    await file.write(crypto.getRandomValues(new Uint8Array(60_000)));
    file.close();
    // What SQLite still has in memory it may go on with for a while.
    for (let n = 0; n < 50 && server.lines.length === 0; n++) {
      const next = nextVersion(version, version.serial + 1, hostPages("example.", 3 + n));
      await server.store.publish([next], progress(`at ${n}`));
      version = next.version;
    }
    assert(server.lines.some((line) => line.includes("damaged")), server.lines.join("\n"));
  }
  const after = await found(path);
  assertEquals(after.zones, [plain(version), plain(other.version)]);
  assertEquals(after.instance, instance);
  const aside = [...Deno.readDirSync(dir.path)].filter(({ name }) => name.includes(".damaged-"));
  assert(aside.length > 0);
});

Deno.test("a start on a full disk serves what was kept, with its log, and goes on when there is room", async () => {
  await using dir = await tempDir();
  await using disk = await smallDisk(dir.path);
  if (!disk) return;
  const path = `${dir.path}/state.db`;
  const next = nextVersion(first.version, 2);
  {
    const server = await openStateFile(path);
    await server.publish([first, other], waiting);
    await server.publish([next]);
    // As kill -9 leaves it: the last version is in the log alone.
    for (const suffix of ["", "-wal"]) await Deno.copyFile(path + suffix, `${path}.kept${suffix}`);
    await server.close();
  }
  for (const suffix of ["", "-wal"]) await Deno.rename(`${path}.kept${suffix}`, path + suffix);
  await fillDisk(`${dir.path}/filler`);
  await using server = await opened(path);
  assertEquals(server.stored.map(plain), [plain(next.version), plain(other.version)]);
  const last = nextVersion(next.version, 3, hostPages("example.", 40));
  if (server.store.trouble) {
    assertEquals(server.store.trouble.error.code, "state-disk-full");
    assert(server.lines.some((line) => line.includes("served, nothing is published")));
  }
  const error = await assertRejects(() => server.store.publish([last]), StateError);
  assertEquals(error.code, "state-disk-full");
  assert(error.hint?.includes("free some space"));
  await Deno.remove(`${dir.path}/filler`);
  await until(() => !server.store.trouble, { what: "the file is open again, by itself" });
  await server.store.publish([last]);
  await server.store.close();
  assertEquals((await found(path)).zones, [plain(last.version), plain(other.version)]);
});

Deno.test("a start on a read-only disk serves what was kept, and goes on when it may be written", async () => {
  await using dir = await tempDir();
  await using disk = await smallDisk(dir.path);
  if (!disk) return;
  const path = `${dir.path}/state.db`;
  await makeState(path);
  await disk.remount("ro");
  await using server = await opened(path);
  assertEquals(server.stored.map(plain), [plain(first.version), plain(other.version)]);
  const error = server.store.trouble?.error;
  assertEquals(error?.code, "state-read-only");
  assert(error?.hint?.includes("writable"));
  const next = nextVersion(first.version, 2);
  await assertRejects(() => server.store.publish([next]), StateError, error?.message);
  await assertRejects(() => server.store.journal(first.version.apex), StateError);
  await disk.remount("rw");
  await until(() => !server.store.trouble, { what: "the file is open again, by itself" });
  await server.store.publish([next]);
  assertEquals((await server.store.journal(first.version.apex)).length, 1);
  await server.store.close();
});

Deno.test("what is not there, another's, or a newer zonecast's is no state to serve from", async (t) => {
  const cases: Record<string, (path: string) => Promise<void>> = {
    "state-unopenable": async () => {},
    "state-foreign": async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      const db = new DatabaseSync(path);
      db.exec("CREATE TABLE theirs (x)");
      db.close();
    },
    "state-newer": async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      await makeState(path);
      const db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 1000");
      db.close();
    },
  };
  for (const [code, make] of Object.entries(cases)) {
    await t.step(code, async () => {
      await using dir = await tempDir();
      const place = code === "state-unopenable" ? `${dir.path}/none` : dir.path;
      await make(`${place}/state.db`);
      const error = await assertRejects(() => opened(`${place}/state.db`), StateError);
      assertEquals(error.code, code);
      assert(error.hint);
    });
  }
});
