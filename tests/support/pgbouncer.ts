/** PgBouncer before a Postgres, in transaction mode. */
import { freePort } from "./ports.ts";
import { postgresUser } from "./postgres_files.ts";
import { spawn, which } from "./processes.ts";
import { tempDir } from "./tempdir.ts";

export interface Pooler extends AsyncDisposable {
  /** The same database, through it. */
  through(url: string): string;
}

/** Starts it on a free port; it takes every user of every database, as the test's Postgres does. */
export async function startPgbouncer(postgresPort: number): Promise<Pooler> {
  const dir = await tempDir("zonecast-pgbouncer-");
  await Deno.chmod(dir.path, 0o755);
  const port = freePort();
  const users = await dir.write("users", `"postgres" ""\n`);
  const config = await dir.write(
    "pgbouncer.ini",
    `[databases]
* = host=127.0.0.1 port=${postgresPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
auth_file = ${users}
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
`.replace("* = host=127.0.0.1", "* = user=postgres host=127.0.0.1"),
  );
  const { uid, gid } = postgresUser();
  const process = spawn(which("pgbouncer")!, [config], { name: "pgbouncer", uid, gid, cwd: "/" });
  try {
    await process.logged(/listening on 127\.0\.0\.1/);
  } catch (error) {
    await process.stop();
    await dir[Symbol.asyncDispose]();
    throw error;
  }
  return {
    through: (url) => url.replace(/:\d+\//, `:${port}/`),
    async [Symbol.asyncDispose]() {
      await process.stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}
