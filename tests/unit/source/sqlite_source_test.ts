/** The embedded source: made when new, woken by any writer, through times its file is away. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openEditor, SourceError, type ZoneSettings } from "../../../lib/source/mod.ts";
import { spawn } from "../../support/processes.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { EVERYTHING, watchSource } from "./watched_source.ts";

const ZONE: ZoneSettings = {
  name: "example.com",
  mname: "ns1",
  rname: "hostmaster",
  refresh: 3600,
  retry: 600,
  expire: 1209600,
  minimum: 300,
  defaultTtl: 3600,
  soaTtl: 120,
  serialFloor: 4294967295,
};

/** A file with the zone and `count` records. */
async function fillFile(path: string, count: number): Promise<void> {
  const editor = await openEditor(`sqlite:${path}`);
  await editor.replaceZone(
    ZONE,
    Array.from({ length: count }, (_, n) => ({
      name: `h${n}`,
      type: "A",
      content: "192.0.2.1",
      ttl: n === 0 ? 60 : null,
    })),
  );
  await editor.close();
}

Deno.test("a new file is made with its tables, and read as empty", async () => {
  await using dir = await tempDir();
  await using watched = watchSource(`sqlite:${dir.path}/new.db`);
  await watched.woken(0, "start");
  const { reading, rows } = await watched.read();
  assertEquals([reading.zones, rows, reading.scope], [[], [], "everything"]);
});

Deno.test("rows written by SQL are read with whatever their columns hold", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/source.db`;
  await fillFile(path, 1);
  const db = new DatabaseSync(path);
  db.exec(`insert into records (zone, name, type, ttl, content, disabled) values
    ('example.com', 'off', 'A', 1, '192.0.2.2', 1),
    ('example.com', 'huge', 'A', 9223372036854775807, '192.0.2.3', 0),
    ('example.com', 'text', 'A', 'soon', 3.5, 0)`);
  db.close();
  await using watched = watchSource(`sqlite:${path}`);
  await watched.linkIs(true);
  const { reading, rows } = await watched.read();
  assertEquals(reading.zones, [ZONE]);
  assertEquals(rows, [
    "example.com h0 60 A 192.0.2.1",
    "example.com huge 9223372036854776000 A 192.0.2.3",
    "example.com text NaN A 3.5",
  ]);
});

Deno.test("a change by another process wakes within 100 ms", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/source.db`;
  await fillFile(path, 1);
  const script = await dir.write(
    "write.mjs",
    `import { DatabaseSync } from "node:sqlite";
    const db = new DatabaseSync(${JSON.stringify(path)}, { timeout: 5000 });
    for (let n = 0; n < 5; n++) {
      db.exec("insert into records (zone, name, type, content) values ('example.com', 'w', 'A', '192.0.2.9')");
      console.log("committed " + n + " at " + Date.now());
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    db.close();`,
  );
  await using watched = watchSource(`sqlite:${path}`);
  await watched.woken(0, "start");
  const wokenAt: number[] = [];
  const writer = spawn(Deno.execPath(), ["run", "-A", "--no-config", script]);
  for (let n = 0; n < 5; n++) {
    await watched.woken(1 + n, "notification");
    wokenAt.push(Date.now());
    await writer.logged(new RegExp(`committed ${n} at`));
  }
  await writer.ended;
  const latencies = [...writer.log().matchAll(/at (\d+)/g)].map((match, n) =>
    wokenAt[n] - Number(match[1])
  ).sort((a, b) => a - b);
  assert(latencies[2] <= 100, `wakes came after ${latencies} ms`);
  assertEquals((await watched.read()).rows.length, 6);
});

Deno.test("a slow consumer slows the read, which stays at its snapshot", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/source.db`;
  await fillFile(path, 20_000);
  await using watched = watchSource(`sqlite:${path}`);
  await watched.linkIs(true);
  let records = 0;
  await watched.source.read(EVERYTHING, async (rows) => {
    if (records === 0) await fillFile(path, 10); // everything is replaced meanwhile
    records += rows.length;
  });
  assertEquals(records, 20_000);
  assertEquals((await watched.read()).rows.length, 10);
});

Deno.test("a consumer that fails gets its own error back, and the next read works", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/source.db`;
  await fillFile(path, 20_000);
  await using watched = watchSource(`sqlite:${path}`);
  await watched.linkIs(true);
  let batches = 0;
  const read = watched.source.read(EVERYTHING, () => {
    batches++;
    throw new RangeError("mine");
  });
  await assertRejects(() => read, RangeError, "mine");
  assertEquals(batches, 1);
  assertEquals((await watched.read()).rows.length, 20_000);
});

Deno.test("a file removed or moved away is noticed, said, and taken up again when it is back", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/source.db`;
  await fillFile(path, 1);
  await using watched = watchSource(`sqlite:${path}`);
  await watched.woken(0, "start");

  await Deno.rename(path, `${path}.away`);
  await watched.linkIs(false);
  await until(() => watched.source.link.reason?.includes("There is no file"), {
    what: "the reason is told",
    seen: () => watched.source.link,
  });
  assertStringIncludes(watched.source.link.reason ?? "", path);
  assertEquals(
    (await assertRejects(() => watched.read(), SourceError)).code,
    "source-unreachable",
  );
  await Deno.rename(`${path}.away`, path);
  await watched.woken(1, "reconnect");
  assertEquals((await watched.read()).rows.length, 1);

  // Another file in its place, in one step: as a restored backup comes.
  await fillFile(`${path}.other`, 7);
  await Deno.rename(`${path}.other`, path);
  await watched.woken(2, "reconnect");
  assertEquals((await watched.read()).rows.length, 7);
});

Deno.test("a file that cannot be used is named with what is wrong", async (t) => {
  await using dir = await tempDir();
  const table: [what: string, file: string, reason: RegExp][] = [
    ["garbage", await dir.write("garbage.db", "no database".repeat(100)), /not a database/],
    ["in no directory", `${dir.path}/none/source.db`, /unable to open/],
    ["somebody else's", `${dir.path}/other.db`, /database of another program/],
  ];
  const db = new DatabaseSync(`${dir.path}/other.db`);
  db.exec("create table theirs (a)");
  db.close();
  for (const [what, file, reason] of table) {
    await t.step(what, async () => {
      await using watched = watchSource(`sqlite:${file}`);
      await until(() => reason.test(watched.source.link.reason ?? ""), {
        what: String(reason),
        seen: () => watched.source.link,
      });
      assertEquals(watched.wakes, []);
    });
  }
  await t.step("and taken up once it can be used", async () => {
    await using watched = watchSource(`sqlite:${dir.path}/none/source.db`);
    await until(() => watched.source.link.reason?.includes("unable"), { what: "it fails" });
    await Deno.mkdir(`${dir.path}/none`);
    await watched.woken(0, "start");
  });
});
