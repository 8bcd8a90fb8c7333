/** The write-ahead log of a state file: bounded, and moved into the file now and then, not always. */
import { assert } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { StateConnection } from "../../../lib/store/connection.ts";
import { tempDir } from "../../support/tempdir.ts";

const BLOB_OCTETS = 16 * 1024;
/** Beyond what is let come together, a log that grows for ever would be longer. */
const MOST_OCTETS = 16 * 1024 * 1024;

Deno.test("the log is moved into the file again and again, but not at each commit", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const connection = new StateConnection(path, false);
  try {
    connection.db.exec("CREATE TABLE blobs (id INTEGER PRIMARY KEY, octets BLOB)");
    const insert = connection.db.prepare("INSERT OR REPLACE INTO blobs VALUES (?, ?)");
    const prepared = connection.db.prepare.bind(connection.db);
    let checkpoints = 0;
    connection.db.prepare = (sql) => {
      const statement = prepared(sql);
      if (!sql.includes("wal_checkpoint")) return statement;
      const get = statement.get.bind(statement);
      statement.get = () => (checkpoints++, get());
      return statement;
    };
    const commit = (id: number) => {
      const octets = new Uint8Array(BLOB_OCTETS).fill(id);
      connection.transaction(() => insert.run(id % 100, octets), BLOB_OCTETS);
      connection.tidy();
    };
    const seen: number[] = [];
    for (let id = 0; id < 1000; id++) {
      commit(id);
      if (checkpoints > seen.length) seen.push(id);
    }
    assert(seen.length >= 5, `${seen.length} checkpoints`);
    const gaps = seen.slice(1).map((id, at) => id - seen[at]);
    assert(Math.min(...gaps) >= 10, `checkpoints after ${gaps} commits`);
    const { size } = await Deno.stat(`${path}-wal`);
    assert(size < MOST_OCTETS, `the log has ${size} octets`);
  } finally {
    connection.close();
  }
});

Deno.test("a log that a reader keeps from being moved is moved when the reader is done", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const connection = new StateConnection(path, false);
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    connection.db.exec("CREATE TABLE blobs (id INTEGER PRIMARY KEY, octets BLOB)");
    const insert = connection.db.prepare("INSERT OR REPLACE INTO blobs VALUES (?, ?)");
    const commit = (id: number) => {
      const octets = new Uint8Array(BLOB_OCTETS).fill(id);
      connection.transaction(() => insert.run(id % 100, octets), BLOB_OCTETS);
      connection.tidy();
    };
    reader.exec("BEGIN; SELECT count(*) FROM blobs");
    reader.prepare("SELECT count(*) FROM blobs").get();
    for (let id = 0; id < 200; id++) commit(id);
    const held = (await Deno.stat(`${path}-wal`)).size;
    reader.exec("COMMIT");
    for (let id = 0; id < 200; id++) commit(id);
    const { size } = await Deno.stat(`${path}-wal`);
    assert(size < 1.2 * held, `the log went on growing, from ${held} to ${size} octets`);
  } finally {
    reader.close();
    connection.close();
  }
});
