/** zonecast itself as a process: `serve` on a free port, and its other commands beside it. */
import type { Server } from "./dns_client.ts";
import { type DnsServer, launch } from "./dns_server.ts";
import { type Outcome, run } from "./processes.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BINARY = `${ROOT}dist/zonecast`;

/** The permissions `make build` bakes in. */
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys=statfs",
  "--allow-ffi",
];

export interface ZonecastOptions {
  /** `postgres://…` or `sqlite:FILE`; given by environment, so that commands share it. */
  readonly source: string;
  /**
   * Runs dist/zonecast instead of main.ts. Default: whether ZONECAST_TEST_BINARY is set, as
   * `make test` does; an old executable is then never tested by mistake.
   */
  readonly binary?: boolean;
  readonly secondaries?: readonly Server[];
  /** Further flags of `serve`. */
  readonly args?: readonly string[];
  /** Nothing is held: for tests that change much at random. */
  readonly unguarded?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** A state file to start with; it is copied. */
  readonly stateFrom?: string;
  /** Where its state file is; in its own directory by default. */
  readonly state?: string;
  /** As many file descriptors as it may have, by `ulimit -n`. */
  readonly descriptors?: number;
}

/** A running `zonecast serve`; stop and start keep its state file and its port. */
export interface Zonecast extends DnsServer {
  readonly stateFile: string;
  readonly controlSocket: string;
  /** Runs a command with this server's source and control socket in its environment. */
  cli(args: readonly string[], input?: string): Promise<Outcome>;
  /** A command that must succeed. Returns its standard output. */
  mustCli(args: readonly string[], input?: string): Promise<string>;
}

/** The program, and the arguments before its own, that run zonecast as these tests do. */
export function zonecastCommand(): [program: string, args: string[]] {
  return commandLine(undefined);
}

function commandLine(binary: boolean | undefined): [program: string, args: string[]] {
  if (binary ?? Deno.env.has("ZONECAST_TEST_BINARY")) return [BINARY, []];
  const args = ["run", "--quiet", "--no-prompt", "--no-check", "--config", `${ROOT}deno.json`];
  return [Deno.execPath(), [...args, ...PERMISSIONS, `${ROOT}main.ts`]];
}

/** A command line under a limit on open files; the process stays the one that is started. */
function limited(
  [program, args]: [program: string, args: string[]],
  descriptors: number | undefined,
): [program: string, args: string[]] {
  if (descriptors === undefined) return [program, args];
  return ["sh", ["-c", `ulimit -n ${descriptors} && exec "$@"`, "sh", program, ...args]];
}

/** Runs a zonecast command that needs no running server (`zone add`, `import`, `--help`). */
export function zonecastCli(
  args: readonly string[],
  options: { binary?: boolean; env?: Record<string, string>; input?: string } = {},
): Promise<Outcome> {
  const [program, first] = commandLine(options.binary);
  return run(program, [...first, ...args], { env: options.env, input: options.input });
}

/** Starts `zonecast serve` and waits until it answers over UDP. */
export async function startZonecast(options: ZonecastOptions): Promise<Zonecast> {
  const [program, first] = limited(commandLine(options.binary), options.descriptors);
  const env = { ZONECAST_SOURCE: options.source, NO_COLOR: "1", ...options.env };
  const server = await launch({
    name: "zonecast",
    program,
    port: options.port,
    env,
    async configure({ dir, addr, port }) {
      if (options.stateFrom) await Deno.copyFile(options.stateFrom, `${dir}/state.db`);
      const secondaries = (options.secondaries ?? []).flatMap(({ addr, port }, index) => [
        "--secondary",
        `secondary${index}=${addr}:${port}`,
      ]);
      return [
        ...first,
        "serve",
        ...["--listen", `${addr}:${port}`],
        ...["--state", options.state ?? `${dir}/state.db`],
        ...["--control", `${dir}/control.sock`],
        ...secondaries,
        ...options.unguarded ? ["--max-shrink", "off", "--max-change", "off"] : [],
        ...options.args ?? [],
      ];
    },
  });
  const controlSocket = `${server.dir}/control.sock`;
  const cliEnv = { ...env, ZONECAST_CONTROL: controlSocket };
  const cli = (args: readonly string[], input?: string) =>
    zonecastCli(args, { binary: options.binary, env: cliEnv, input });
  return Object.assign(server, {
    stateFile: options.state ?? `${server.dir}/state.db`,
    controlSocket,
    cli,
    async mustCli(args: readonly string[], input?: string) {
      const { code, stdout, stderr } = await cli(args, input);
      if (code === 0) return stdout;
      throw new Error(`zonecast ${args.join(" ")} exited with ${code}:\n${stderr}${stdout}`);
    },
  });
}
