/**
 * Postgres refused, killed, frozen, restarted: noticed in time, survived, and
 * nothing committed meanwhile is missed.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createLogger } from "../../../lib/ops/mod.ts";
import { applySchema, openEditor, openSource, SourceError } from "../../../lib/source/mod.ts";
import { systemTest } from "../../support/interop.ts";
import { freePort } from "../../support/ports.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { DEFAULT_POSTGRES, postgresFiles, postgresUser } from "../../support/postgres_files.ts";
import { spawn } from "../../support/processes.ts";
import { until, within } from "../../support/wait.ts";
import { EVERYTHING, watchSource } from "./watched_source.ts";

/** What the project promises. */
const NOTICED_MS = 10_000;

const ZONE = `insert into zonecast.zones (name, mname, rname)
  values ('example.com', 'ns1', 'hostmaster')`;

async function withZone(server: TestPostgres): Promise<void> {
  await applySchema(server.url);
  await server.sql.unsafe(ZONE);
}

/** Commits a record by a client that connects anew as often as it must. */
async function commitRecord(server: TestPostgres, name: string): Promise<void> {
  await until(async () => {
    await server.sql`insert into zonecast.records (zone, name, type, content)
      values ('example.com', ${name}, 'A', '192.0.2.1')`;
    return true;
  }, { what: `${name} is committed` });
}

systemTest("Postgres goes away and comes back", async (t) => {
  await using server = await startPostgres();
  await withZone(server);
  await using watched = watchSource(server.url, { pollIntervalMs: 60_000 });
  await watched.woken(0, "start");
  const names: string[] = [];

  /** Takes Postgres away and gives it back; a record committed on its return must be seen. */
  async function goneAndBack(name: string, away: () => unknown, back: () => unknown) {
    const began = Date.now();
    await away();
    await watched.linkIs(false);
    const noticedMs = watched.source.link.since - began;
    assert(noticedMs < NOTICED_MS, `noticed after ${noticedMs} ms`);
    assertEquals(
      (await assertRejects(() => watched.source.read(EVERYTHING, () => {}), SourceError)).code,
      "source-unreachable",
    );
    assert(watched.source.link.reason, "the operator is told why");
    const seen = watched.wakes.length;
    await back();
    await commitRecord(server, name);
    await watched.woken(seen, "reconnect");
    names.push(`example.com ${name} - A 192.0.2.1`);
    // The commit may have come after this session's start: then it notified.
    await until(async () => (await watched.read()).rows.length === names.length, {
      what: "the record is read",
    });
    assertEquals((await watched.read()).rows, names.toSorted());
  }

  await t.step(
    "stopped and started",
    () => goneAndBack("stopped", () => server.stop(), () => server.start()),
  );
  await t.step(
    "killed and started",
    () => goneAndBack("killed", () => server.kill9(), () => server.start()),
  );
  await t.step(
    "frozen and thawed",
    () => goneAndBack("frozen", () => server.freeze(), () => server.thaw()),
  );
  await t.step("frozen during a read: the read ends with an error", async () => {
    let delivered = () => {};
    const first = new Promise<void>((resolve) => delivered = resolve);
    await server.sql`insert into zonecast.records (zone, name, type, content)
      select 'example.com', 'h' || n, 'A', '192.0.2.1' from generate_series(1, 20000) as n`;
    const read = watched.source.read(EVERYTHING, () => {
      server.freeze();
      delivered();
    });
    const failed = assertRejects(() => within(read, NOTICED_MS, "the read's end"), SourceError);
    await first;
    assertEquals((await failed).code, "source-unreachable");
    const seen = watched.wakes.length;
    server.thaw();
    await watched.woken(seen, "reconnect");
    assertEquals((await watched.read()).rows.length, names.length + 20000);
  });
  await t.step("a read whose backend is killed in the middle of a query fails alone", async () => {
    await server.sql.unsafe(`alter table zonecast.records rename to own_records;
      create view zonecast.records as
        select r.* from zonecast.own_records as r, pg_sleep(60) as slow where slow is null`);
    const read = watched.source.read(EVERYTHING, () => {});
    const failed = assertRejects(() => read, SourceError);
    await until(async () =>
      (await server.sql`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'zonecast' and wait_event = 'PgSleep'`).length > 0, {
      what: "the read is asleep in its query",
    });
    assertEquals((await failed).code, "source-unreachable");
    const seen = watched.wakes.length;
    await watched.woken(seen, "reconnect");
  });
});

systemTest("a source started while Postgres is down comes up with it", async () => {
  await using server = await startPostgres();
  await withZone(server);
  await server.stop();
  await using watched = watchSource(server.url);
  await until(() => watched.source.link.reason?.includes("ECONNREFUSED"), {
    what: "the link says that the connection is refused",
    seen: () => watched.source.link,
  });
  assertEquals(watched.wakes, []);
  await server.start();
  await watched.woken(0, "start");
  assertEquals((await watched.read()).reading.zones.length, 1);
});

systemTest("a standby is polled every 200 ms, and said once; promoted, it notifies", async () => {
  await using server = await startPostgres();
  await withZone(server);
  const [{ data_directory: directory }] = await server.sql`show data_directory`;
  await server.stop();
  await Deno.writeTextFile(`${directory}/standby.signal`, "");
  const { bin } = await postgresFiles(DEFAULT_POSTGRES);
  const port = freePort();
  await using standby = spawn(`${bin}/postgres`, [
    ...["-D", directory, "-p", String(port), "-c", "listen_addresses=127.0.0.1"],
    ...["-c", `unix_socket_directories=${directory}`, "-c", "max_prepared_transactions=10"],
  ], { cwd: "/", ...postgresUser() });
  await standby.logged(/ready to accept read-only connections/);

  const lines: string[] = [];
  const log = createLogger({ format: "text", level: "info", write: (line) => lines.push(line) });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await using watched = watchSource(url, { log });
  await watched.woken(0, "start");
  await until(() => watched.wakes.length >= 6, { what: "five polls" });
  assertEquals((await watched.read()).reading.zones.length, 1);
  assertEquals(lines.filter((line) => line.includes("source cannot notify")).length, 1);

  const seen = watched.wakes.length;
  const sql = server.connect(url);
  await sql`select pg_promote()`;
  await watched.woken(seen, "reconnect");
  await until(() => lines.some((line) => line.includes("source notifies again")), {
    what: "notifications are heard",
  });
});

systemTest("the password is shown nowhere", async () => {
  await using server = await startPostgres();
  await server.sql`create role zc login password 'ge/he:im@#?'`;
  const secret = encodeURIComponent("ge/he:im@#?");
  const port = freePort();
  const urls = [
    `postgres://zc:${secret}@127.0.0.1:${port}/app`, // refused
    `postgres://zc:${secret}@127.0.0.1:${server.port}/no_such_database`,
    `postgres://nobody:${secret}@127.0.0.1:${server.port}/postgres`,
    `postgres://zc:${secret}@127.0.0.1:${server.port}/postgres`, // no schema
    `postgres://zc:ge/he:im@#?@127.0.0.1/app`, // not escaped
    `postgres://zc:ge%@127.0.0.1/app`,
    `postgres://zc:1234/he:im@127.0.0.1/app`,
    `sqlite://zc:geheim@host/app`.replace("sqlite", "mysql"),
  ];
  const shown: string[] = [];
  const show = (error: unknown) => shown.push(Deno.inspect(error, { depth: 10, showHidden: true }));
  for (const url of urls) {
    await openEditor(url).then((editor) => editor.close(), show);
    try {
      const source = openSource(url, {
        log: createLogger({ format: "json", level: "debug", write: (line) => shown.push(line) }),
      });
      shown.push(source.description);
      source.start(() => {}, (link) => shown.push(JSON.stringify(link)));
      await until(() => source.link.up || source.link.reason !== "not connected yet", {
        what: "a first attempt",
      });
      await source.read(EVERYTHING, () => {}).catch(show);
      await source.close();
    } catch (error) {
      show(error);
    }
  }
  const text = shown.join("\n");
  assertStringIncludes(text, "postgres 127.0.0.1");
  for (const part of [secret, "ge/he", "ge%", "1234", "geheim", "im@"]) {
    assert(!text.includes(part), `"${part}" is shown: ${text.slice(text.indexOf(part) - 300)}`);
  }
});
