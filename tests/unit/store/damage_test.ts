import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStateFile, setAside, StateError } from "../../../lib/store/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import { aRecord, firstVersion, hostPages, nextVersion, pageOf, plain, progress } from "./zones.ts";

/** Pages big enough that damage to a stretch of the file must hit some. */
function bigPages() {
  return hostPages("example.", 30).map((page, n) => ({
    ...page,
    block: new Uint8Array(16_000).fill(n + 1),
  }));
}

/** The octets of a state file with a zone, made once. */
let stateOctets: Promise<Uint8Array> | undefined;

async function stateWithZone(path: string): Promise<void> {
  stateOctets ??= makeState();
  await Deno.writeFile(path, await stateOctets);
}

async function makeState(): Promise<Uint8Array> {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const first = firstVersion("example.", 1, bigPages());
  await store.publish([first], progress("cursor", new Map([["example", new Set(["a.example."])]])));
  const next = nextVersion(first.version, 2, first.version.pages, {
    added: [aRecord("x.example.", 1)],
  });
  await store.publish([next]);
  await store.close();
  return await Deno.readFile(path);
}

/** Opens and loads; the error there must be. */
async function failure(path: string): Promise<StateError> {
  return await assertRejects(async () => {
    const store = await openStateFile(path);
    try {
      await store.load();
    } finally {
      await store.close();
    }
  }, StateError);
}

Deno.test("damage to the file is noticed: garbage, cut off, zeroed, changed octets", async (t) => {
  const octets = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const cases: Record<string, (good: Uint8Array) => Uint8Array> = {
    "text instead of a database": () => new TextEncoder().encode("hello\n".repeat(2000)),
    "random octets": () => octets(50_000),
    "one octet": () => octets(1),
    "random octets in the header": (good) => (good.set(octets(100)), good),
    "the first page zeroed": (good) => good.fill(0, 0, 8192),
    "all zeroed": (good) => good.fill(0),
    "pages in the middle zeroed": (good) => good.fill(0, good.length / 4, good.length / 2),
    "the last quarter zeroed": (good) => good.fill(0, good.length * 3 / 4),
    "cut in half": (good) => good.subarray(0, good.length / 2),
    "cut by one database page": (good) => good.subarray(0, good.length - 8192),
    "cut by one octet": (good) => good.subarray(0, good.length - 1),
    "cut to the header": (good) => good.subarray(0, 100),
  };
  for (const [name, change] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      const path = `${dir.path}/state.db`;
      await stateWithZone(path);
      await Deno.writeFile(path, change(await Deno.readFile(path)));
      const error = await failure(path);
      assertEquals(error.code, "state-damaged", error.message);
      assert(error.message.includes(path) && error.hint);
    });
  }
});

Deno.test("an octet changed anywhere in a page's block is noticed", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await stateWithZone(path);
  const good = await Deno.readFile(path);
  for (let n = 1; n <= 30; n += 7) {
    // A long run lies in an overflow page in use; shorter ones may be remains of moved rows.
    const run = new Uint8Array(8000).fill(n).toString();
    const at = good.findIndex((octet, i) =>
      octet === n && good[i + 7999] === n && good.subarray(i, i + 8000).toString() === run
    );
    assert(at > 0);
    const bad = good.slice();
    bad[at + 42] ^= 1;
    await Deno.writeFile(path, bad);
    assertEquals((await failure(path)).code, "state-damaged");
  }
});

Deno.test("rows that contradict each other are noticed", async (t) => {
  const cases: Record<string, string> = {
    "a page is missing": "DELETE FROM page WHERE id = 7",
    "a page's key is another":
      "UPDATE page SET first_key = CAST(first_key || x'41' AS BLOB) WHERE id = 7",
    "a page's key is outside the zone": "UPDATE page SET first_key = x'410042' WHERE id = 7",
    "a page's part is another": "UPDATE page SET part = 1 WHERE id = 7",
    "a page's number of records is another": "UPDATE page SET records = 2 WHERE id = 7",
    "a page's owners are others": "UPDATE page SET owners = zeroblob(12) WHERE id = 7",
    "a page's owners are no u32": "UPDATE page SET owners = x'00' WHERE id = 7",
    "a page's block is another": "UPDATE page SET block = x'00' WHERE id = 7",
    "two pages have exchanged keys": `UPDATE page SET part = 9 WHERE id = 8;
      UPDATE page SET first_key = (SELECT first_key FROM page WHERE id = 8) WHERE id = 9;
      UPDATE page SET first_key = CAST(first_key || x'41' AS BLOB), part = 0 WHERE id = 8`,
    "a page too many": `INSERT INTO page (zone, first_key, part, records, checksum, owners, block)
      SELECT zone, first_key, 1, records, checksum, owners, block FROM page WHERE id = 7`,
    "the SOA is no record": "UPDATE zone SET soa = x'0102'",
    "the SOA is empty": "UPDATE zone SET soa = x''",
    "the SOA has another serial": "UPDATE zone SET serial = 9",
    "the SOA has other timers":
      "UPDATE zone SET soa = CAST(substr(soa, 1, length(soa) - 4) || x'00000007' AS BLOB)",
    "the apex is another": "UPDATE zone SET apex_key = x'4100'",
    "the checksum is another": "UPDATE zone SET checksum = checksum + 1",
    "the identity is lost": "DELETE FROM meta WHERE name = 'instance'",
    "the cursor is another": "UPDATE meta SET value = 'x' WHERE name = 'cursor'",
    "a pending owner is another": "UPDATE pending SET owner = 'b.example.'",
    "a pending owner is missing": "DELETE FROM pending",
    "a pending owner too many":
      "INSERT INTO pending (zone, owner, checksum) SELECT 'x', owner, checksum FROM pending",
    "the sum of the pending owners is lost": "DELETE FROM meta WHERE name = 'pending'",
    "the pending owners are lost": "DROP TABLE pending",
    "a zone is missing": "DELETE FROM zone",
    "the version is lost": "PRAGMA user_version = 0",
    "a table is lost": "DROP TABLE journal",
  };
  for (const [name, sql] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      const path = `${dir.path}/state.db`;
      await stateWithZone(path);
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      const error = await failure(path);
      assertEquals(error.code, "state-damaged", error.message);
    });
  }
});

Deno.test("a database of another program is refused and left as it is", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/other.db`;
  const db = new DatabaseSync(path);
  db.exec("CREATE TABLE records (name TEXT); INSERT INTO records VALUES ('x')");
  db.close();
  const before = await Deno.readFile(path);
  for (const readOnly of [false, true]) {
    const error = await assertRejects(() => openStateFile(path, { readOnly }), StateError);
    assertEquals(error.code, "state-foreign");
    assert(error.hint?.includes("--state"));
  }
  assertEquals(await Deno.readFile(path), before);
});

Deno.test("a file of a newer zonecast is refused and left as it is", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await stateWithZone(path);
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 1000");
  db.close();
  const before = await Deno.readFile(path);
  for (const readOnly of [false, true]) {
    const error = await assertRejects(() => openStateFile(path, { readOnly }), StateError);
    assertEquals(error.code, "state-newer");
    assert(error.message.includes("1000") && error.message.includes(path));
  }
  assertEquals(await Deno.readFile(path), before);
});

Deno.test("an empty file becomes a state file; one that was cut to nothing beside its log is damaged", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await Deno.writeFile(path, new Uint8Array(0));
  await (await openStateFile(path)).close();
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  await Deno.truncate(path);
  await Deno.writeFile(`${path}-wal`, new Uint8Array(100));
  assertEquals((await failure(path)).code, "state-damaged");
});

Deno.test("a damaged file is set aside with its logs, and a new one takes its place", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await stateWithZone(path);
  for (const suffix of ["", "-wal", "-shm"]) await Deno.writeTextFile(path + suffix, `x${suffix}`);
  const first = setAside(path);
  assert(first.startsWith(`${path}.damaged-`));
  for (const suffix of ["", "-wal", "-shm"]) {
    assertEquals(await Deno.readTextFile(first + suffix), `x${suffix}`);
  }
  await Deno.writeTextFile(path, "y");
  const second = setAside(path);
  assertEquals([await Deno.readTextFile(first), await Deno.readTextFile(second)], ["x", "y"]);

  const store = await openStateFile(path);
  const anew = firstVersion("example.", 3, [pageOf([aRecord("a.example.", 1)])]);
  await store.publish([anew]);
  assertEquals(plain((await store.load()).zones[0].version), plain(anew.version));
  await store.close();
});

Deno.test("a log left without its file is not taken for that of a new file", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  await store.publish([firstVersion("example.", 1, bigPages())]);
  const log = await Deno.readFile(`${path}-wal`);
  assert(log.length > 100_000);
  await store.close();
  await Deno.remove(path);
  await Deno.writeFile(`${path}-wal`, log);
  const anew = await openStateFile(path);
  assertEquals((await anew.load()).zones, []);
  await anew.close();
});

Deno.test("a file removed while open takes no more publications", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const store = await openStateFile(path);
  const first = firstVersion("example.", 1, []);
  await store.publish([first]);
  await Deno.remove(path);
  const next = nextVersion(first.version, 2);
  const error = await assertRejects(() => store.publish([next]), StateError);
  assertEquals(error.code, "state-moved");
  await store.close();
});

Deno.test("setting aside what is not there is no error", async () => {
  await using dir = await tempDir();
  setAside(`${dir.path}/state.db`);
  assertThrows(() => setAside(`${dir.path}/none/state.db`), StateError);
});
