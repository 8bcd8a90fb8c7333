/**
 * zonecast's entry point: the command line does the rest.
 *
 * The system calls are taken before the command line is loaded: with that come packages of
 * others, which find the permission given back.
 */
import { takeSystemCalls } from "./lib/ops/mod.ts";

if (import.meta.main) {
  const systemCalls = takeSystemCalls();
  const { processContext, runCommandLine } = await import("./lib/cli/mod.ts");
  Deno.exit(await runCommandLine(Deno.args, processContext(systemCalls)));
}
