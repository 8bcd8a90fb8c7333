/** Postgres has something else than it should have: nothing, half of it, or what was once there. */
import { printSchema } from "../../lib/source/schema/schema.ts";
import { assert } from "@std/assert";
import { passNumbers } from "../support/postgres.ts";
import { processFigures } from "../support/process_figures.ts";
import { mustRun } from "../support/processes.ts";
import { untilStatus } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import type { Fault } from "./fault.ts";
import { NAME, type Night } from "./night.ts";

/** What millions of rows may take, in ms. */
const LONG_MS = 600_000;

/** What a dump of the schema holds of zones and records. */
interface Dump {
  readonly zones: readonly Record<string, unknown>[];
  readonly records: readonly Record<string, unknown>[];
}

async function dump({ sql }: Night): Promise<Dump> {
  return {
    zones: await sql`select * from zonecast.zones`,
    records: await sql`select zone, name, type, ttl, content, disabled from zonecast.records`,
  };
}

/** As `pg_restore --clean --single-transaction` does. */
async function restore({ sql }: Night, { zones, records }: Dump): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`drop schema if exists zonecast cascade`;
    await tx.unsafe(printSchema()).simple();
    await tx`insert into zonecast.zones ${tx(zones)}`;
    await tx`insert into zonecast.records ${tx(records)}`;
  });
}

/** Has Postgres stopped, something done to its directory, and started again. */
async function whileStopped({ postgres }: Night, work: (dir: string) => Promise<unknown>) {
  await postgres.stop();
  await work(postgres.directory);
  await postgres.start();
}

/** The cluster as it was, and numbers of transactions given again, before zonecast looks. */
async function olderDisk(night: Night): Promise<void> {
  const { proxy, postgres, ground } = night;
  await ground.sql`update zonecast.changes set at = at - interval '1 day'`; // it was long ago
  const copy = `${ground.running.use(await tempDir()).path}/copy`;
  await whileStopped(night, (dir) => mustRun("cp", ["-a", dir, copy]));
  const lost = await night.change();
  await night.live(lost);
  await night.breaks(() => proxy.cut());
  await whileStopped(night, async (dir) => {
    await Deno.remove(dir, { recursive: true });
    await mustRun("mv", [copy, dir]);
  });
  await passNumbers(postgres, 1_000);
  await night.mends(() => proxy.mend());
  await night.gone(lost);
  await night.changeIsLive();
}

/** So many octets more memory may be taken meanwhile: by records up to the limit, 80 each. */
const MORE_MEMORY = 512 * 1024 * 1024;

/** Rows beyond `--max-records`: held, told of, and gone again. */
async function tooManyRows(night: Night): Promise<void> {
  const { sql, zonecast } = night;
  const count = night.full ? 10_000_000 : 20_000;
  const residentBefore = processFigures(zonecast.pid!).rss;
  await night.breaks(() =>
    sql`insert into zonecast.records (zone, name, type, content)
      select ${NAME}, 'mistake' || n, 'A', '192.0.2.1' from generate_series(1, ${count}::int) as n`
  );
  await night.says("problem", /zone-too-large/, LONG_MS);
  await untilStatus(
    zonecast,
    "the problem",
    ({ problems }) => problems.some(({ code }) => code === "zone-too-large"),
  );
  const more = processFigures(zonecast.pid!).peakRss - residentBefore;
  night.shows(`${Math.round(more / 2 ** 20)} MiB more memory at most`);
  assert(more < MORE_MEMORY, `${more} octets`);
  await night.mends(() => sql`delete from zonecast.records where name like 'mistake%'`);
  await night.changeIsLive(LONG_MS);
}

export const POSTGRES_CONTENT: readonly Fault[] = [
  {
    name: "postgres-schema-dropped",
    what: "`DROP SCHEMA zonecast CASCADE`, and the new one filled from what zonecast serves",
    also: "test",
    async run(night) {
      const { zonecast } = night;
      await night.breaks(() => night.sql`drop schema zonecast cascade`);
      await night.says("publish failed", /does not exist/);
      await night.lasts({ full: 10, short: 0 });
      await zonecast.mustCli(["schema", "apply"]); // an empty one: all zones seem to be removed
      await night.says("a change is held; the zone is served as before");
      const zone = await zonecast.mustCli(["export", NAME]);
      await night.mends(() => zonecast.mustCli(["import", NAME, "-"], zone));
      await night.changeIsLive();
    },
  },
  {
    name: "postgres-older-dump",
    what: "restored from an older dump: content goes back, the serial goes on",
    also: "test",
    async run(night) {
      const saved = await dump(night);
      const lost = await night.change();
      await night.live(lost);
      await night.breaks(() => restore(night, saved));
      await night.gone(lost);
      await night.changeIsLive();
    },
  },
  {
    name: "postgres-older-disk",
    what: "an older copy of Postgres' disk, and a thousand transactions before zonecast sees it",
    also: "test",
    night: { proxied: true },
    run: olderDisk,
  },
  {
    name: "postgres-too-many-rows",
    what: "ten million rows inserted by mistake, which takes minutes, then deleted",
    also: "test",
    night: { args: (full) => full ? [] : ["--max-records", "10000"] },
    run: tooManyRows,
  },
  {
    name: "postgres-migration",
    what: "a migration half done: a column renamed, then no `records` at all",
    also: "test",
    async run(night) {
      const { sql } = night;
      await night.breaks(() =>
        sql.unsafe(`alter table zonecast.records rename column content to rdata;
          insert into zonecast.records (zone, name, type, rdata)
            values ('${NAME}', 'migrated', 'A', '192.0.2.1')`)
      );
      await night.says("publish failed", /content/);
      await sql`alter table zonecast.records rename to own_records`;
      await night.says("publish failed", /relation .*records.* does not exist/);
      await night.lasts({ full: 10, short: 0 });
      await night.mends(() =>
        sql`create view zonecast.records as
          select zone, name, type, ttl, rdata as content, disabled, owner
          from zonecast.own_records`
      );
      await night.changeIsLive();
    },
  },
];
