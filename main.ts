/** zonecast's entry point: the command line does the rest. */
import { processContext, runCommandLine } from "./lib/cli/mod.ts";

if (import.meta.main) Deno.exit(await runCommandLine(Deno.args, processContext()));
