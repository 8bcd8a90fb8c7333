/** `zonecast serve` as a process beside commands on its source and state file. */
import { assertEquals } from "@std/assert";
import { freePort } from "../../support/ports.ts";
import { type Running, spawn } from "../../support/processes.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { type Ending, zonecast } from "./context.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Runs `zonecast serve` with these arguments. */
export function spawnServe(args: readonly string[], env: Record<string, string> = {}): Running {
  return spawn(Deno.execPath(), [
    ...["run", "--quiet", "--no-prompt", "--no-check", "--config", `${ROOT}deno.json`],
    ...[
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys=statfs",
      `${ROOT}main.ts`,
      "serve",
    ],
    ...args,
  ], { name: "zonecast", env });
}

/** A directory with a source, a state file and a control socket. */
export interface Site extends AsyncDisposable {
  readonly path: string;
  /** Writes a file there. Returns its path. */
  write(name: string, text: string): Promise<string>;
  /** Runs a command there. */
  run(args: readonly string[], input?: string): Promise<Ending>;
  /** Runs a command that must succeed in silence; returns what it printed. */
  must(...args: string[]): Promise<string>;
  /** Starts a server there, on a free port unless the arguments name one. */
  serve(args?: readonly string[], env?: Record<string, string>): Running;
  /** The serial published once `export` matches. */
  published(pattern: RegExp): Promise<number>;
}

export async function makeSite(): Promise<Site> {
  const dir = await tempDir();
  const source = `sqlite:${dir.path}/zones.db`;
  const state = `${dir.path}/state.db`;
  const run = (args: readonly string[], input?: string) =>
    zonecast(args, { ZONECAST_SOURCE: source, ZONECAST_STATE: state }, input);
  const must = async (...args: string[]) => {
    const { code, out, err } = await run(args);
    assertEquals([code, err], [0, ""], args.join(" "));
    return out;
  };
  return {
    path: dir.path,
    write: (name, text) => dir.write(name, text),
    run,
    must,
    serve: (args = [], env) =>
      spawnServe([
        ...["--source", source, "--state", state, "--log-format", "logfmt"],
        ...(args.includes("--listen") ? [] : ["--listen", `127.0.0.1:${freePort()}`]),
        ...args,
      ], env),
    published: async (pattern) => {
      let text = "";
      await until(async () => {
        const { code, out } = await run(["export", "example.org"]);
        text = out;
        return code === 0 && pattern.test(out);
      }, { what: `published: ${pattern}` });
      return Number(/with serial (\d+)/.exec(text)?.[1]);
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}
