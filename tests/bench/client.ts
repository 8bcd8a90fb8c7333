/**
 * The neutral measuring client: the C program in client/, compiled on the spot, one process per
 * measurement. Its modes and flags stand in client/main.c.
 *
 * It prints one JSON object a line. Times are seconds; points in time are seconds of the Unix
 * clock, to compare with {@link now}.
 */
import { tempDir } from "../support/tempdir.ts";
import { mustRun, type Running, spawn, which } from "../support/processes.ts";
import { until } from "../support/wait.ts";

const SOURCES = new URL("client/", import.meta.url).pathname;

/** How long one measurement may take: a slow peer sends sixteen large zones at once. */
const LONGEST_MS = 300_000;

/** The Unix clock in seconds, as fine as the client's. */
export function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/** Values by flag: `{ zone: "a.example." }` becomes `--zone a.example.`. */
export type ClientFlags = Readonly<Record<string, string | number | undefined>>;

export interface BenchClient extends AsyncDisposable {
  /** Runs one mode to its end. Returns the object it prints last. @throws {Error} with its stderr */
  run<T>(mode: string, flags: ClientFlags): Promise<T>;
  /** Starts a mode that goes on, as `wait` does. */
  start(mode: string, flags: ClientFlags): RunningClient;
}

export interface RunningClient extends AsyncDisposable {
  readonly process: Running;
  /** All objects printed so far. */
  lines<T>(): T[];
  /** The first object printed that fits. */
  line<T>(fits: (line: T) => boolean, what: string, timeoutMs?: number): Promise<T>;
}

/** What every mode says of itself. */
export interface Cost {
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** CPU ÷ wall: near 1 the client is what is measured. */
  readonly cpuShare: number;
}

/** Modes axfr and raw. */
export interface TransferResult extends Cost {
  /** Seconds from connecting to the first octet, and to the last, by client. */
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Seconds from the first client's connecting to the last client's end. */
  readonly all: number;
  /** Of all clients together. */
  readonly octets: number;
  readonly messages: number;
  /** All records sent, both SOA records included. */
  readonly records: number;
  /** With --content: what came, SOA records left out; equal sums are equal zones. */
  readonly content?: string;
  readonly contentRecords?: number;
}

/** Mode ixfr. */
export interface IxfrResult extends Cost {
  readonly kind: "current" | "differences" | "whole";
  /** Whether all came; over UDP a large answer does not. */
  readonly done: boolean;
  readonly serial: number;
  /** Of the last of the repeated ones; octets without the length in front of each message. */
  readonly octets: number;
  readonly messages: number;
  readonly records: number;
  /** Seconds, one each: to connect; from the question to the first message and to the last. */
  readonly connected: readonly number[];
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** Mode questions. */
export interface QuestionsResult extends Cost {
  readonly asked: number;
  readonly answered: number;
  /** Answers that were not authoritative, or an error, or empty. */
  readonly wrong: number;
  readonly lost: number;
  readonly perSecond: number;
  /** Latencies in seconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Mode wait; `{"ready":true}` comes first. */
export interface WaitResult extends Cost {
  /** The answer came: seconds of the Unix clock. */
  readonly at: number;
  readonly questions: number;
}

/** Mode content. */
export interface ContentResult {
  readonly content: string;
  readonly contentRecords: number;
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
  const files = Array.from(Deno.readDirSync(SOURCES), ({ name }) => `${SOURCES}${name}`)
    .filter((path) => path.endsWith(".c"));
  await mustRun(compiler, ["-O2", "-Wall", "-pthread", "-D_GNU_SOURCE", "-o", program, ...files]);
  return {
    async run<T>(mode: string, flags: ClientFlags) {
      const args = argumentsOf(mode, flags);
      const lines = linesOf<T>(await mustRun(program, args, { timeoutMs: LONGEST_MS }));
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
