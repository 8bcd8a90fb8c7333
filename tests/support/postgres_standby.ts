/** A streaming standby of a real Postgres: a base backup of it while it runs, then its WAL. */
import { mustRun } from "./processes.ts";
import { type PostgresOptions, startPostgres, type TestPostgres } from "./postgres.ts";
import { postgresUser } from "./postgres_files.ts";
import { until } from "./wait.ts";

/**
 * Copies a running server's directory, as pg_basebackup does.
 *
 * Of Postgres 15 and newer: older ones spell the two functions otherwise.
 */
async function baseBackup(server: TestPostgres, directory: string): Promise<void> {
  const session = await server.sql.reserve();
  try {
    const [{ data_directory: from }] = await session`show data_directory`;
    await session`select pg_backup_start('standby', true)`;
    await mustRun("cp", ["-a", from, directory]);
    const [{ labelfile }] = await session`select labelfile from pg_backup_stop(false)`;
    await Deno.remove(`${directory}/postmaster.pid`);
    const { uid = null, gid = null } = postgresUser();
    for (const [name, text] of [["backup_label", labelfile], ["standby.signal", ""]]) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
      await Deno.chown(`${directory}/${name}`, uid, gid);
    }
  } finally {
    session.release();
  }
}

/** Starts a standby of `primary`, which must run; it follows by streaming replication. */
export function startStandby(
  primary: TestPostgres,
  options: PostgresOptions = {},
): Promise<TestPostgres> {
  return startPostgres({
    ...options,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres`,
      wal_retrieve_retry_interval: "100",
      ...options.settings,
    },
    fill: (directory) => baseBackup(primary, directory),
  });
}

/** Waits until a standby has replayed all that its primary has committed. */
export async function untilReplayed(primary: TestPostgres, standby: TestPostgres): Promise<void> {
  const [{ lsn }] = await primary.sql<{ lsn: string }[]>`
    select pg_current_wal_lsn()::text as lsn`;
  await until(async () => {
    const [{ there }] = await standby.sql<{ there: boolean }[]>`
      select pg_last_wal_replay_lsn() >= ${lsn}::text::pg_lsn as there`;
    return there;
  }, { what: "the standby has replayed" });
}
