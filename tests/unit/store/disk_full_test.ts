import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { toStateError } from "../../../lib/store/errors.ts";
import { openStateFile, StateError, type StateStore } from "../../../lib/store/mod.ts";
import { fillDisk, smallDisk } from "../../support/small_disk.ts";
import { tempDir } from "../../support/tempdir.ts";
import { aRecord, firstVersion, hostPages, nextVersion, pageOf, plain, progress } from "./zones.ts";

/** A store that is closed before the disk below it goes. */
async function opened(path: string): Promise<StateStore & AsyncDisposable> {
  const store = await openStateFile(path);
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

Deno.test("a full disk: nothing is written, the old state stays, and it goes on when there is room", async () => {
  await using dir = await tempDir();
  await using disk = await smallDisk(dir.path);
  if (!disk) return;
  const path = `${dir.path}/state.db`;
  await using store = await opened(path);
  const first = firstVersion("example.", 1, hostPages("example.", 3));
  await store.publish([first], progress("before"));

  const big = { ...pageOf([aRecord("z.example.", 1)]), block: new Uint8Array(2_000_000) };
  const tooBig = nextVersion(first.version, 2, [...first.version.pages, big]);
  const error = await assertRejects(() => store.publish([tooBig], progress("after")), StateError);
  assertEquals(error.code, "state-disk-full");
  assert(error.message.includes(path) && error.hint);
  const state = await store.load();
  assertEquals([state.cursor, plain(state.zones[0].version)], ["before", plain(first.version)]);

  await fillDisk(`${dir.path}/filler`);
  let { version } = first;
  const failed = await assertRejects(async () => {
    while (true) {
      const pages = [...version.pages];
      pages[0] = { ...pages[0], block: new Uint8Array(50_000).fill(version.serial) };
      const next = nextVersion(version, version.serial + 1, pages);
      await store.publish([next]);
      version = next.version;
    }
  }, StateError);
  assertEquals(failed.code, "state-disk-full");
  assertEquals(plain((await store.load()).zones[0].version), plain(version));
  await Deno.remove(`${dir.path}/filler`);
  const next = nextVersion(version, version.serial + 1);
  await store.publish([next]);
  await store.close();
  await using again = await opened(path);
  assertEquals(plain((await again.load()).zones[0].version), plain(next.version));
  await again.close();
});

Deno.test("a disk full from the start leaves no half-made state file", async () => {
  await using dir = await tempDir();
  await using disk = await smallDisk(dir.path);
  if (!disk) return;
  await fillDisk(`${dir.path}/filler`);
  const error = await assertRejects(() => openStateFile(`${dir.path}/state.db`), StateError);
  assertEquals(error.code, "state-disk-full", error.message);
  const left = [...Deno.readDirSync(dir.path)].map(({ name }) => name).sort();
  assertEquals(left, ["filler", "state.db.lock"]);
});

Deno.test("SQLite's result codes become codes of ours", async (t) => {
  const db = new DatabaseSync(":memory:");
  db.exec("PRAGMA max_page_count = 3; CREATE TABLE t (b BLOB)");
  const errcodes: Record<number, string> = {
    5: "state-busy",
    8: "state-read-only",
    10: "state-io",
    778: "state-io", // SQLITE_IOERR_WRITE
    11: "state-damaged",
    13: "state-disk-full",
    14: "state-unopenable",
    26: "state-damaged",
    522: "state-damaged", // SQLITE_IOERR_SHORT_READ
    1: "state-failed",
  };
  for (const [errcode, code] of Object.entries(errcodes)) {
    await t.step(`${errcode} is ${code}`, () => {
      const cause = Object.assign(new Error("words of SQLite"), { errcode: Number(errcode) });
      const error = toStateError(cause, "/x.db", "open");
      assertEquals([error.code, error.errcode], [code, Number(errcode)] as unknown);
      assert(error.message.startsWith('Cannot open state file "/x.db": '));
      assert(error.message.includes("words of SQLite"));
    });
  }
  await t.step("a full database as SQLite reports it", () => {
    try {
      db.prepare("INSERT INTO t VALUES (zeroblob(100000))").run();
    } catch (cause) {
      assertEquals(toStateError(cause, "/x.db", "open").code, "state-disk-full");
      return;
    }
    throw new Error("it was not full");
  });
  db.close();
});
