/** The Postgres launcher: what it starts survives what tests do to it. */
import { assertEquals, assertRejects } from "@std/assert";
import { systemTest } from "./interop.ts";
import { startPostgres } from "./postgres.ts";
import { within } from "./wait.ts";

systemTest("Postgres keeps committed rows over stop, crash and freeze", async () => {
  await using server = await startPostgres();
  const { sql } = server;
  await sql`create table t (n int)`;
  await sql`insert into t values (1)`;

  await server.stop();
  await assertRejects(() => server.sql`select 1`);
  await server.start();
  assertEquals((await sql`select n from t`).map((row) => row.n), [1]);

  await sql`insert into t values (2)`;
  await server.kill9();
  await server.start();
  assertEquals((await sql`select n from t order by n`).map((row) => row.n), [1, 2]);

  server.freeze();
  const answer = sql`select count(*)::int as n from t`;
  await assertRejects(() => within(answer, 300, "answer of a frozen server"));
  server.thaw();
  assertEquals((await answer)[0].n, 2);
});

systemTest("a further database has its own URL", async () => {
  await using server = await startPostgres();
  const other = server.connect(await server.createDatabase("other"));
  assertEquals((await other`select current_database() as name`)[0].name, "other");
});
