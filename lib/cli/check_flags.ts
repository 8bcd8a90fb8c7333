/** `zonecast check-flags`: what `serve` would say of its flags, without serving. */
import { ZonecastError } from "../dns/mod.ts";
import { type Fields, type Logger, nullLogger } from "../ops/mod.ts";
import type { Context } from "./command.ts";
import { defineCommand } from "./command.ts";
import { EXIT, UsageError } from "./errors.ts";
import { envName, type FlagValues, readArguments } from "./flags.ts";
import { FLAGS_FILE, flagsFileProblems, withFlagsFile } from "./flags_file.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, number, object, orNull, text, yesNo } from "./json_shape.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { prepareServing, warnOfRisks } from "./serve_prepare.ts";
import { count } from "./table.ts";

const FLAGS = { ...SERVE_FLAGS, ...JSON_FLAG };

export const checkFlags = defineCommand({
  name: "check-flags",
  summary: "check the flags of the server, a flags file among them, without serving",
  details: [
    "Takes the flags of `zonecast serve`, from the command line, a flags file and the " +
    "environment, reads the key files and certificates they name, and says all that is wrong " +
    "with them: exit code 2. What is right and may yet be a mistake is said, too. It connects to " +
    "nothing, and neither server nor source is needed.",
  ],
  positionals: [{
    name: "FILE",
    help: "a flags file, as --flags-file names it",
    optional: true,
    isPath: true,
  }],
  flags: FLAGS,
  readsFlagsFile: true,
  json: object("what was found", {
    good: yesNo("whether serve would take the flags"),
    file: orNull(text("the flags file; null without one")),
    flags: number("how many flags are set, wherever"),
    problems: list("what is wrong", text("a sentence, with its line where it is in the file")),
    warnings: list("what may be a mistake", text("a sentence")),
  }),
  examples: [
    "check-flags /etc/zonecast/flags",
    "check-flags --flags-file /etc/zonecast/flags --listen 198.51.100.1:53 --json",
  ],
  async run({ flags, args, given }, context) {
    const file = args[0] ?? flags[FLAGS_FILE];
    if (args[0] !== undefined && flags[FLAGS_FILE] !== undefined) {
      throw new UsageError("check-flags: FILE and --flags-file name two files; give one");
    }
    const line = args[0] === undefined
      ? given
      : [...given.filter((word) => word !== args[0]), `--${FLAGS_FILE}=${args[0]}`];
    const problems = file === undefined ? [] : flagsFileProblems("serve", SERVE_FLAGS, file);
    const warnings: string[] = [];
    let set = 0;
    if (problems.length === 0) {
      try {
        const read = readMerged(line, context);
        set = read.set;
        await prepareServing(read.flags, context, nullLogger);
        warnOfRisks(read.flags, context, warningsInto(warnings));
      } catch (error) {
        if (!(error instanceof ZonecastError)) throw error;
        problems.push(error.hint ? `${error.message}; ${error.hint}` : error.message);
      }
    }
    const good = problems.length === 0;
    if (flags.json) {
      await printJson(context, { good, file: file ?? null, flags: set, problems, warnings });
    } else {
      for (const problem of problems) context.complain(`zonecast: ${problem}`);
      for (const warning of warnings) context.complain(`zonecast: warning: ${warning}`);
      if (good) await context.print(`good: ${count(set, "flag")} set\n`);
    }
    return good ? EXIT.GOOD : EXIT.USAGE;
  },
});

/** The flags as serve reads them, and how many are set. */
function readMerged(
  line: readonly string[],
  context: Context,
): { flags: FlagValues<typeof FLAGS>; set: number } {
  const merged = withFlagsFile("serve", FLAGS, line, context.env);
  const { flags } = readArguments("serve", FLAGS, merged, context.env);
  const named = new Set(merged.map((word) => /^--([^=]+)/.exec(word)?.[1]));
  const set = Object.keys(SERVE_FLAGS).filter((name) =>
    name !== FLAGS_FILE && (named.has(name) || context.env(envName(name)))
  );
  return { flags, set: set.length };
}

/** A log whose warnings become sentences. */
function warningsInto(sentences: string[]): Logger {
  const warn = (event: string, { hint, ...fields }: Fields = {}) => {
    const said = Object.values(fields).filter((value) => value !== undefined).join(" ");
    sentences.push([event, said && `: ${said}`, hint && `; ${hint}`].filter(Boolean).join(""));
  };
  return { ...nullLogger, warn };
}
