/**
 * The neutral measuring client: client.c, compiled on the spot, one process per measurement.
 *
 * It prints one JSON object a line. Times are seconds; points in time are seconds of the Unix
 * clock, to compare with {@link now}.
 */
import { tempDir } from "../support/tempdir.ts";
import { mustRun, type Running, spawn, which } from "../support/processes.ts";
import { until } from "../support/wait.ts";

const SOURCE = new URL("client.c", import.meta.url).pathname;

/** The Unix clock in seconds, as fine as the client's. */
export function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/** Values by flag: `{ zone: "a.example." }` becomes `--zone a.example.`. */
export type ClientFlags = Readonly<Record<string, string | number | undefined>>;

export interface BenchClient extends AsyncDisposable {
  /** Runs one mode to its end. Returns the object it prints last. @throws {Error} with its stderr */
  run<T>(mode: string, flags: ClientFlags): Promise<T>;
  /** Starts a mode that goes on, as the notify sink does. */
  start(mode: string, flags: ClientFlags): RunningClient;
}

export interface RunningClient extends AsyncDisposable {
  readonly process: Running;
  /** All objects printed so far. */
  lines<T>(): T[];
  /** The first object printed that fits. */
  line<T>(fits: (line: T) => boolean, what: string, timeoutMs?: number): Promise<T>;
}

function argumentsOf(mode: string, flags: ClientFlags): string[] {
  return [
    mode,
    ...Object.entries(flags).flatMap(([flag, value]) =>
      value === undefined ? [] : [`--${flag}`, String(value)]
    ),
  ];
}

function linesOf<T>(log: string): T[] {
  // The last line may not be whole yet.
  return log.split("\n").slice(0, -1).filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as T);
}

/** Compiles the client. @throws {Error} there is no C compiler, or it finds fault */
export async function compileClient(): Promise<BenchClient> {
  const compiler = ["gcc", "cc", "clang"].map(which).find((path) => path !== undefined);
  if (!compiler) {
    throw new Error("Cannot compile the measuring client: no C compiler (Debian: gcc, libc6-dev)");
  }
  const dir = await tempDir("zonecast-bench-client-");
  const program = `${dir.path}/client`;
  await mustRun(compiler, ["-O2", "-Wall", "-pthread", "-o", program, SOURCE]);
  return {
    async run<T>(mode: string, flags: ClientFlags) {
      const lines = linesOf<T>(await mustRun(program, argumentsOf(mode, flags)));
      const last = lines.at(-1);
      if (last === undefined) throw new Error(`The client printed nothing for ${mode}`);
      return last;
    },
    start(mode, flags) {
      const process = spawn(program, argumentsOf(mode, flags), { name: `client ${mode}` });
      return {
        process,
        lines: <T>() => linesOf<T>(process.log()),
        async line<T>(fits: (line: T) => boolean, what: string, timeoutMs?: number) {
          return await until(() => linesOf<T>(process.log()).find(fits), {
            what,
            timeoutMs,
            intervalMs: 2,
            seen: () => process.log().slice(-2000),
          });
        },
        async [Symbol.asyncDispose]() {
          await process.stop();
        },
      };
    },
    [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose](),
  };
}
