/**
 * Makes the release: all that is installed on a machine, in one folder.
 *
 *     .ci/deno run --allow-all .ci/dist.ts [--out=DIR] [--executable=FILE] [--twice]
 *
 * Two executables, their SHA-256 sums, completions, manual page, systemd unit with a flags file,
 * README, CHANGELOG and LICENSE. `--executable` takes one that is built already, for this machine
 * alone (the short form that the tests use); `--twice` compiles each a second time, and fails
 * where an octet differs.
 *
 * `deno compile` writes the time of each file it takes in into the executable, those of npm
 * packages in its cache too, and the cache's path. So it is given a copy of the sources and a cache
 * of its own, fetched for it, always at one path, all files of one time; then the octets depend on
 * the sources, the lock file and the pinned Deno alone.
 */
import { parseArgs } from "@std/cli/parse-args";
import { stageSources } from "./stage.ts";
import project from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url).pathname;
/** The machines there are executables for. */
const TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
/** Of every file that is compiled in: any time will do, if it is always the same. */
const FILE_TIME = new Date("2026-01-01T00:00:00Z");
/** Where they lie meanwhile: the path gets into the executable. */
const STAGE = "/tmp/zonecast-dist";
/** Files of the repository that go with it. */
const DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE"];
/** Where the unit looks for its flags. */
const FLAGS_PATH = "/etc/zonecast/flags";

/** What the flags file begins as: to be changed, and checked by `zonecast check-flags`. */
const FLAGS_EXAMPLE =
  `# Flags of zonecast serve, one a line; \`zonecast check-flags FILE\` checks them.
# \`zonecast serve --help\` and the manual page list them all.

source postgres://zonecast@127.0.0.1/app
listen 127.0.0.1:53
#listen 198.51.100.1:53
#secondary ns1=192.0.2.53,key=ns1.example.org
#preset he,key=he.example.org
#tsig-key-file /etc/zonecast/keys
#control-group adm

# Metrics, readiness and a status page, for this machine alone.
http 127.0.0.1:9153
`;

function executableName(target: string): string {
  return `zonecast-${target.split("-")[0]}-linux`;
}

async function run(
  program: string,
  args: string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout } = await new Deno.Command(program, {
    args,
    cwd,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

/** Compiles zonecast for a target from sources without a time; returns where it lies. */
async function compile(target: string): Promise<string> {
  try {
    await Deno.mkdir(STAGE); // never one that another is at work in
  } catch (cause) {
    throw new Error(`${STAGE} is there: another \`make dist\` runs, or one was ended; remove it`, {
      cause,
    });
  }
  try {
    const [sources, cache] = [`${STAGE}/zonecast`, `${STAGE}/cache`];
    await Deno.mkdir(sources);
    const env = { DENO_DIR: cache };
    await stageSources(sources, env);
    await setTimes(STAGE);
    const build = ["run", "--no-prompt", "--no-check", "--allow-all", "--config"];
    await run(Deno.execPath(), [
      ...[...build, `${ROOT}deno.json`, `${ROOT}.ci/build.ts`],
      ...[`--target=${target}`, `--sources=${sources}`],
    ], { env });
    return `${ROOT}dist/zonecast-${target}`;
  } finally {
    await Deno.remove(STAGE, { recursive: true });
  }
}

/** Gives every file below a directory the one time. */
async function setTimes(directory: string): Promise<void> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) await setTimes(path);
    else if (isFile) await Deno.utime(path, FILE_TIME, FILE_TIME);
  }
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

/** @throws {Error} a second compilation gives other octets */
async function compareWithSecond(target: string, first: string): Promise<void> {
  const sum = await sha256(first);
  const again = await sha256(await compile(target));
  if (again !== sum) throw new Error(`${target}: compiled twice, ${sum} and ${again} differ`);
  console.error(`zonecast: ${target} compiled twice: the same octets`);
}

async function copyAll(
  out: string,
  executable: string | undefined,
  twice: boolean,
): Promise<string> {
  if (executable !== undefined) {
    const name = executableName(Deno.build.target);
    await Deno.copyFile(executable, `${out}/${name}`);
    return `${out}/${name}`;
  }
  for (const target of TARGETS) {
    const built = await compile(target);
    const path = `${out}/${executableName(target)}`;
    await Deno.copyFile(built, path);
    if (twice) await compareWithSecond(target, path);
    await Deno.remove(built);
  }
  return `${out}/${executableName(Deno.build.target)}`;
}

/** What the executable says of itself, and the repository's own files. */
async function writeTexts(out: string, zonecast: string): Promise<void> {
  const texts: [name: string, args: string[]][] = [
    ["zonecast.bash", ["completions", "bash"]],
    ["_zonecast", ["completions", "zsh"]],
    ["zonecast.fish", ["completions", "fish"]],
    ["zonecast.8", ["man"]],
    ["zonecast.service", ["systemd-unit", "--flags-file", FLAGS_PATH]],
  ];
  for (const [name, args] of texts) {
    await Deno.writeTextFile(`${out}/${name}`, await run(zonecast, args));
  }
  await Deno.writeTextFile(`${out}/zonecast.flags`, FLAGS_EXAMPLE);
  for (const name of DOCUMENTS) await Deno.copyFile(ROOT + name, `${out}/${name}`);
}

/** The sums of all files, as `sha256sum -c` reads them. */
async function writeSums(out: string): Promise<void> {
  const names = Array.from(Deno.readDirSync(out), ({ name }) => name).sort();
  const lines: string[] = [];
  for (const name of names) {
    await Deno.chmod(`${out}/${name}`, name.endsWith("-linux") ? 0o755 : 0o644);
    lines.push(`${await sha256(`${out}/${name}`)}  ${name}\n`);
  }
  await Deno.writeTextFile(`${out}/SHA256SUMS`, lines.join(""));
  await Deno.chmod(`${out}/SHA256SUMS`, 0o644); // whatever the umask is
}

const { out, executable, twice } = parseArgs(Deno.args, {
  string: ["out", "executable"],
  boolean: ["twice"],
});
const folder = out ?? `${ROOT}dist/zonecast-${project.version}`;
await Deno.remove(folder, { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
await Deno.mkdir(folder, { recursive: true });
const zonecast = await copyAll(folder, executable, twice);
await writeTexts(folder, zonecast);
await writeSums(folder);
console.error(`zonecast: release in ${folder}`);
