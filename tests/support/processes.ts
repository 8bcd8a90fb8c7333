/**
 * Child processes of tests: started, listened to, and always ended.
 *
 * Owns: the list of processes started since {@link forgetProcesses}, so that a
 * failing test can show their logs (interop.ts). None outlives this process
 * (watchdog.ts).
 */
import { searchForSecrets } from "./secrets.ts";
import { DEADLINE_MS, until, within } from "./wait.ts";
import { unwatch, watch } from "./watchdog.ts";

/** As much of a process's output as is kept, in characters; the oldest goes first. */
const LOG_LIMIT = 1 << 20;
/** How long a process may take to end by SIGTERM before SIGKILL. */
const GRACE_MS = 20_000;
/** How long output may go on after the end: a grandchild can hold the pipe open. */
const DRAIN_MS = 3_000;

export interface SpawnOptions {
  /** For messages; default the command. */
  readonly name?: string;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Running extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** False once it has ended, however it did. */
  readonly alive: boolean;
  /** Resolves when it has ended and its output is read. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** What it wrote to stdout and stderr, the last megabyte. */
  log(): string;
  /** Waits until its log matches. @throws {Error} it ended first, or time ran out */
  logged(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  signal(signal: Deno.Signal): void;
  /** Ends it by `signal`, by SIGKILL if that takes over 20 s. A process that has ended is no error. */
  stop(signal?: Deno.Signal): Promise<Deno.CommandStatus>;
}

const started: Running[] = [];

/** The processes started since the last {@link forgetProcesses}, ended ones too. */
export function startedProcesses(): readonly Running[] {
  return started;
}

/** Empties the list of started processes, but for those that still run. */
export function forgetProcesses(): void {
  const alive = started.filter((process) => process.alive);
  started.splice(0, started.length, ...alive);
}

/** Starts a process with no input and its output kept. */
export function spawn(command: string, args: string[], options: SpawnOptions = {}): Running {
  const { name = command.replace(/.*\//, ""), ...rest } = options;
  const child = new Deno.Command(command, {
    args,
    ...rest,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const running = new ChildProcess(name, child);
  started.push(running);
  return running;
}

class ChildProcess implements Running {
  readonly pid: number;
  readonly ended: Promise<Deno.CommandStatus>;
  alive = true;
  #log = "";
  #readers: ReadableStreamDefaultReader<string>[] = [];

  constructor(readonly name: string, readonly child: Deno.ChildProcess) {
    this.pid = child.pid;
    watch(this.pid);
    const outputs = [this.#keep(child.stdout), this.#keep(child.stderr)];
    this.ended = this.#end(outputs);
  }

  async #keep(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    this.#readers.push(reader);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.#log = (this.#log + part.value).slice(-LOG_LIMIT);
    }
  }

  async #end(outputs: Promise<void>[]): Promise<Deno.CommandStatus> {
    const status = await this.child.status;
    this.alive = false;
    unwatch(this.pid);
    await within(Promise.all(outputs), DRAIN_MS, `end of ${this.name}'s output`)
      .catch(() => Promise.all(this.#readers.map((reader) => reader.cancel())));
    if (this.name.startsWith("zonecast")) searchForSecrets(this.name, this.#log);
    return status;
  }

  log(): string {
    return this.#log;
  }

  async logged(pattern: RegExp, timeoutMs = DEADLINE_MS): Promise<RegExpExecArray> {
    const match = await until(() => pattern.exec(this.#log) ?? (!this.alive && "ended"), {
      what: `${this.name} logs ${pattern}`,
      timeoutMs,
      seen: () => this.#log.slice(-4000),
    });
    if (match !== "ended") return match;
    throw new Error(`${this.name} ended before it logged ${pattern}:\n${this.#log.slice(-4000)}`);
  }

  signal(signal: Deno.Signal): void {
    try {
      this.child.kill(signal);
    } catch (error) {
      // Ended between the look and the kill.
      if (this.alive && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    if (this.alive) this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), GRACE_MS);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; one that takes over `timeoutMs` (default 60,000) is killed. */
export async function run(
  command: string,
  args: string[],
  options: Omit<SpawnOptions, "name"> & { timeoutMs?: number; input?: string } = {},
): Promise<Outcome> {
  const { timeoutMs = 60_000, input, ...rest } = options;
  const child = new Deno.Command(command, {
    args,
    ...rest,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(timeoutMs),
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    // A command may end without reading all of it: its exit code tells.
    await writer.write(new TextEncoder().encode(input)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  const outcome = { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  // keygen is there to show what it made.
  if (isZonecast(command, args) && !args.includes("keygen")) {
    searchForSecrets(`zonecast ${args.join(" ")}`, outcome.stdout + outcome.stderr);
  }
  return outcome;
}

function isZonecast(command: string, args: readonly string[]): boolean {
  return command.endsWith("/zonecast") || args.some((arg) => arg.endsWith("/main.ts"));
}

/** Runs a command that must succeed. Returns its standard output. @throws {Error} with its stderr */
export async function mustRun(
  command: string,
  args: string[],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")} exited with ${code}:\n${stderr || stdout}`);
  }
  return stdout;
}

/**
 * Where a program is: on PATH, or where Debian keeps servers; undefined when it is not there.
 * A path is looked at as it is.
 */
export function which(program: string): string | undefined {
  const dirs = [
    ...(Deno.env.get("PATH") ?? "").split(":"),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
  ];
  const candidates = program.includes("/")
    ? [program]
    : dirs.filter((dir) => dir !== "").map((dir) => `${dir}/${program}`);
  return candidates.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** The direct children of a process; none when it is gone. */
export function childrenOf(pid: number): number[] {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return text.split(" ").filter((part) => part !== "").map(Number);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Sends a signal to a process of ours that may have ended. */
export function killQuietly(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
