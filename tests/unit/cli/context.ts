/** A {@link Context} that keeps what a command writes. */
import { type Context, runCommandLine } from "../../../lib/cli/mod.ts";

/** How a command line ended. */
export interface Ending {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line as `main.ts` does, with nothing of this process but its files. */
export async function zonecast(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Ending> {
  let out = "";
  let err = "";
  const context: Context = {
    env: (name) => env[name],
    envNames: () => Object.keys(env),
    print: (text) => {
      out += text;
      return Promise.resolve();
    },
    complain: (line) => {
      err += line + "\n";
    },
    draw: (text) => {
      err += text;
    },
    readInput: () => Promise.resolve(input),
    outIsTerminal: false,
    errIsTerminal: false,
  };
  const code = await runCommandLine(args, context);
  return { code, out, err };
}
