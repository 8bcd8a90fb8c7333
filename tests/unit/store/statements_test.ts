import { assertEquals } from "@std/assert";
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../../lib/source/sqlite_file.ts";
import { StateConnection } from "../../../lib/store/connection.ts";
import { tempDir } from "../../support/tempdir.ts";

/** Counts the statements prepared from now on. */
function counting(db: DatabaseSync): () => number {
  const prepare = db.prepare.bind(db);
  let count = 0;
  db.prepare = (sql) => (count++, prepare(sql));
  return () => count;
}

Deno.test("transactions prepare no statements anew: each would hold memory until there is garbage to collect", async () => {
  await using dir = await tempDir();
  const connection = new StateConnection(`${dir.path}/state.db`, false);
  try {
    const turn = () => {
      connection.transaction(() => {});
      connection.snapshot(() => {});
      transaction(connection.db, () => {});
      connection.tidy();
    };
    turn();
    const prepared = counting(connection.db);
    for (let i = 0; i < 50; i++) turn();
    assertEquals(prepared(), 0);
  } finally {
    connection.close();
  }
});
