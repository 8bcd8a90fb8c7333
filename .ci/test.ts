/**
 * Runs test files side by side, and ends with what failed: `make test`.
 *
 *     .ci/deno run --allow-all .ci/test.ts [PATH | FLAG OF DENO TEST]...
 *
 * Most tests wait: for a process, a timer, a secondary that paces itself. So a few files run at a
 * time, ZONECAST_TEST_LANES of them, each in a `deno test` process of its own: files share
 * nothing but the machine (free ports: tests/support/ports.ts). A file's output is printed whole
 * when it ends. The files in {@link ALONE} run last, one after another.
 *
 * Exits with 1 when a test failed, when a file did not end, or when there was none.
 */
import { type FileRun, incomplete, summary } from "./test_summary.ts";

/** Begun first, the longest at the head, so that none of them is left to run alone at the end. */
const FIRST = [
  "tests/property/ixfr_wire_test.ts",
  "tests/fault/postgres_link_test.ts",
  "tests/fault/postgres_away_test.ts",
  "tests/interop/ixfr_test.ts",
  "tests/interop/large_zones_test.ts",
  "tests/unit/source/",
  "tests/fault/",
  "tests/interop/",
  "tests/e2e/",
  "tests/property/",
  "tests/support/",
];

/** What measures time or load; a busy neighbour would be measured too. */
const ALONE = ["tests/unit/source/sqlite_source_test.ts", "tests/fault/abuse_test.ts"];

/** Two cores are kept busy by three lanes, since files wait as long as they work. */
const LANES = Number(Deno.env.get("ZONECAST_TEST_LANES")) ||
  Math.min(6, Math.max(2, Math.ceil(navigator.hardwareConcurrency * 1.5)));

/** A file that takes longer is ended and failed; the slowest takes half a minute. */
const FILE_LIMIT_MS = 400_000;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5_000;

const TEST_FILE = /(^|[/_.])test\.ts$/;

function filesIn(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  return Array.from(Deno.readDirSync(path)).flatMap(({ name, isDirectory }) => {
    const inner = `${path.replace(/\/+$/, "")}/${name}`;
    if (isDirectory) return filesIn(inner);
    return TEST_FILE.test(name) ? [inner] : [];
  });
}

function rank(path: string): number {
  const at = FIRST.findIndex((start) => path.startsWith(start));
  return at < 0 ? FIRST.length : at;
}

/** The files under `paths`, each once, in the order to begin them. */
function ordered(paths: readonly string[]): string[] {
  const files = paths.flatMap((path) => filesIn(path.replace(/^\.\//, "")));
  return [...new Set(files)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const running = new Set<Deno.ChildProcess>();

/** Ends a process that may have ended. */
function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  if (running.has(child)) child.kill(signal);
}

async function runFile(path: string, flags: readonly string[]): Promise<FileRun> {
  const began = performance.now();
  const test = ["test", "--no-prompt", "--no-check", "--allow-all", ...flags, path];
  // The shell only joins the two outputs, to keep their order.
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" 2>&1', "sh", Deno.execPath(), ...test],
    // A locale that is named and not installed has some programs complain.
    env: { NO_COLOR: "1", LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  running.add(child);
  let late = false;
  const timers = [
    setTimeout(() => (late = true, end(child, "SIGTERM")), FILE_LIMIT_MS),
    setTimeout(() => end(child, "SIGKILL"), FILE_LIMIT_MS + GRACE_MS),
  ];
  const ended = child.status.finally(() => running.delete(child));
  const [{ code, signal }, output] = await Promise.all([ended, new Response(child.stdout).text()]);
  timers.forEach(clearTimeout);
  const seconds = (performance.now() - began) / 1000;
  const stopped = late
    ? `did not end in ${FILE_LIMIT_MS / 1000} s`
    : signal && `ended by ${signal}`;
  return { path, output, code, seconds, stopped: stopped ?? undefined };
}

/** Runs files, `lanes` at a time, in their order. */
async function runAll(
  files: readonly string[],
  lanes: number,
  flags: readonly string[],
  done: (run: FileRun) => void,
): Promise<void> {
  const waiting = files.values();
  const lane = async () => {
    for (const path of waiting) done(await runFile(path, flags));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith("-"));
  const files = ordered(args.filter((arg) => !arg.startsWith("-")));
  if (files.length === 0) {
    console.error("zonecast: there is no test file in what was asked for");
    return 1;
  }
  const began = performance.now();
  const runs: FileRun[] = [];
  const finish = () => {
    const { text, good } = summary(runs, files, (performance.now() - began) / 1000);
    console.log(text);
    return good ? 0 : 1;
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      for (const child of running) end(child, "SIGTERM");
      Deno.exit(finish() || 1);
    });
  }
  const done = (run: FileRun) => {
    runs.push(run);
    console.log(`=== ${run.path} (${run.seconds.toFixed(1)} s)\n${run.output}`);
    const why = incomplete(run);
    // In the form of the other files' totals, which continuous integration adds up.
    if (why !== undefined) console.log(`FAILED | 0 passed | 1 failed (the file ${why})\n`);
  };
  const alone = files.filter((path) => ALONE.includes(path));
  await runAll(files.filter((path) => !alone.includes(path)), LANES, flags, done);
  await runAll(alone, 1, flags, done);
  return finish();
}

if (import.meta.main) Deno.exit(await main(Deno.args));
