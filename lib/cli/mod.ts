/**
 * The command line: finds the command, runs it, turns errors into exit codes.
 */
import type { Command, Context } from "./command.ts";
import { describeError, EXIT, exitCode, UsageError } from "./errors.ts";
import { commandHelp, inGroup, jsonHelp, overview } from "./help.ts";
import { nearest } from "./suggest.ts";

export type { Context } from "./command.ts";
export { processContext } from "./process.ts";

/**
 * Runs a command line.
 *
 * Effects: those of the command; errors go to standard error.
 *
 * @param args  without the program's name
 * @returns the exit code: 0 good, 1 failed, 2 usage or configuration, 3 different
 */
export async function runCommandLine(args: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(args, context, await commandsFor(args));
  } catch (error) {
    context.complain(describeError(error));
    return exitCode(error);
  }
}

/**
 * All commands. To one that is to serve it is the only one: a server runs for months, and need
 * not hold the code of the others in memory.
 */
async function commandsFor([name]: readonly string[]): Promise<readonly Command[]> {
  if (name === "serve") return [(await import("./serve.ts")).serve];
  return (await import("./commands.ts")).COMMANDS;
}

async function dispatch(
  args: readonly string[],
  context: Context,
  commands: readonly Command[],
): Promise<number> {
  const [first] = args;
  if (first === undefined) {
    context.complain(overview(commands).trimEnd());
    return EXIT.USAGE;
  }
  if (first === "help") return await printHelp(args.slice(1), context, commands);
  if (first === "--version") {
    return await dispatch(["version", ...args.slice(1)], context, commands);
  }
  const [command, rest] = findCommand(commands, args);
  if (wantsHelp(rest)) {
    await context.print(
      command ? commandHelp(command) : overview(commands, groupOf(commands, args)),
    );
    return EXIT.GOOD;
  }
  if (!command) throw unknownCommand(commands, args);
  return await command.invoke(rest, context);
}

async function printHelp(
  words: readonly string[],
  context: Context,
  commands: readonly Command[],
): Promise<number> {
  if (words[0] === "json") return await printJsonHelp(words.slice(1), context, commands);
  if (words.length > 0 && groupOf(commands, words) === undefined) {
    throw unknownCommand(commands, words);
  }
  const [command] = findCommand(commands, words);
  await context.print(
    command ? commandHelp(command) : overview(commands, groupOf(commands, words)),
  );
  return EXIT.GOOD;
}

async function printJsonHelp(
  words: readonly string[],
  context: Context,
  commands: readonly Command[],
): Promise<number> {
  const [command] = findCommand(commands, words);
  if (words.length > 0 && !command) throw unknownCommand(commands, words);
  if (command && !command.json) {
    throw new UsageError(`${command.name} has no --json`, "`zonecast help json` lists what has");
  }
  await context.print(jsonHelp(command ? [command] : commands));
  return EXIT.GOOD;
}

/** The command with the longest name that begins a command line, and what follows it. */
function findCommand(
  commands: readonly Command[],
  args: readonly string[],
): [Command | undefined, readonly string[]] {
  for (const words of [2, 1]) {
    const name = args.slice(0, words).join(" ");
    const command = commands.find((each) => each.name === name);
    if (command) return [command, args.slice(words)];
  }
  return [undefined, args];
}

/** The first word, when commands begin with it. */
function groupOf(commands: readonly Command[], args: readonly string[]): string | undefined {
  return commands.some(({ name }) => inGroup(name, args[0])) ? args[0] : undefined;
}

function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes("--help") || flags.includes("-h");
}

function unknownCommand(commands: readonly Command[], args: readonly string[]): UsageError {
  const [first, second] = args;
  if (first.startsWith("-")) {
    return new UsageError(`"${first}" is no command; \`zonecast --help\` lists them`);
  }
  const group = groupOf(commands, args);
  if (group) {
    const within = commands.map(({ name }) => name).filter((name) => inGroup(name, group));
    const meant = second ? nearest(`${first} ${second}`, within) : undefined;
    return new UsageError(
      second ? `unknown command "${first} ${second}"` : `"${first}" alone is no command`,
      meant ? `did you mean "${meant}"?` : `there are: ${within.join(", ")}`,
    );
  }
  const words = commands.map(({ name }) => name.split(" ")[0]);
  const meant = nearest(first, words);
  return new UsageError(
    `unknown command "${first}"`,
    meant ? `did you mean "${meant}"?` : "`zonecast --help` lists them",
  );
}
