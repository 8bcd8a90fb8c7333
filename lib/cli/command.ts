/**
 * A command: its arguments, flags and what it does.
 *
 * Commands get all they touch of the process as a {@link Context}, so that
 * tests run them as they are.
 */
import type { SystemCalls } from "../ops/mod.ts";
import { UsageError } from "./errors.ts";
import { type FlagTable, type FlagValues, readArguments } from "./flags.ts";
import { withFlagsFile } from "./flags_file.ts";
import type { Shape } from "./json_shape.ts";

/** What a command may use of the process. */
export interface Context {
  env(name: string): string | undefined;
  /** The names of all variables in the environment. */
  envNames(): readonly string[];
  /** Writes to standard output. */
  print(text: string): Promise<void>;
  /** Writes a line to standard error. */
  complain(line: string): void;
  /** Writes to standard error as it is, for what is drawn over again on a terminal. */
  draw(text: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Whether standard output and standard error are terminals. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Undefined: there are none, see {@link takeSystemCalls}. */
  readonly systemCalls?: SystemCalls;
}

/** A positional argument. */
export interface Positional {
  /** As help shows it: "ZONE". */
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
  /** All that it takes, for completions. */
  readonly words?: readonly string[];
  /** It is a path, for completions. */
  readonly isPath?: boolean;
  /** The last one takes all words left, joined by blanks. */
  readonly rest?: boolean;
}

/** A command as its file declares it. */
export interface CommandSpec<T extends FlagTable> {
  /** What is typed behind `zonecast`: "zone add". */
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs for the command's own help. */
  readonly details?: readonly string[];
  readonly positionals: readonly Positional[];
  readonly flags: T;
  /** What it prints with --json; {@link jsonLines} of them when it prints a line each. */
  readonly json?: Shape;
  /** Whether --json prints an object a line, as they come. */
  readonly jsonLines?: boolean;
  /** Whether it reads --flags-file itself: a file that is wrong does not keep it from running. */
  readonly readsFlagsFile?: boolean;
  /** Command lines without their `zonecast`. */
  readonly examples: readonly string[];
  /** Returns the exit code. */
  run(input: CommandInput<T>, context: Context): Promise<number>;
}

/** What a command was given. */
export interface CommandInput<T extends FlagTable> {
  /** The command line as it was typed, behind the command's name. */
  readonly given: readonly string[];
  /** The flags read once more: those of a flags file may have changed. @throws {UsageError} */
  reread(): FlagValues<T>;
  readonly flags: FlagValues<T>;
  /** As many as were given, in the order of {@link CommandSpec.positionals}. */
  readonly args: readonly string[];
}

/** A command as the command line sees it. */
export interface Command extends Omit<CommandSpec<FlagTable>, "run"> {
  /**
   * Reads the arguments and runs.
   *
   * @throws {UsageError} the arguments are wrong
   */
  invoke(args: readonly string[], context: Context): Promise<number>;
}

/** A command whose flags have the types its table gives them. */
export function defineCommand<T extends FlagTable>(spec: CommandSpec<T>): Command {
  const { run, ...shape } = spec;
  return {
    ...shape,
    invoke: (args, context) => {
      const { name, flags: table } = spec;
      const read = () => {
        const { readsFlagsFile } = spec;
        const line = readsFlagsFile ? args : withFlagsFile(name, table, args, context.env);
        return readArguments(name, table, line, context.env);
      };
      const { flags, positionals } = read();
      const input = { flags, args: fitPositionals(shape, positionals), given: args };
      return run({ ...input, reread: () => read().flags }, context);
    },
  };
}

/** The command line without its flags: "zonecast set ZONE NAME TYPE CONTENT". */
export function usageLine(command: Pick<Command, "name" | "positionals">): string {
  const words = command.positionals.map((positional) => {
    const name = positional.rest ? `${positional.name}…` : positional.name;
    return positional.optional ? `[${name}]` : name;
  });
  return ["zonecast", command.name, ...words].join(" ");
}

function fitPositionals(
  command: Pick<Command, "name" | "positionals">,
  given: readonly string[],
): readonly string[] {
  const { positionals } = command;
  const missing = positionals[given.length];
  if (missing && !missing.optional) {
    throw new UsageError(
      `${command.name}: ${missing.name} is missing; usage: ${usageLine(command)}`,
    );
  }
  if (given.length <= positionals.length) return given;
  const last = positionals.length - 1;
  if (positionals[last]?.rest) return [...given.slice(0, last), given.slice(last).join(" ")];
  throw new UsageError(
    `${command.name}: unexpected "${given[positionals.length]}"; usage: ${usageLine(command)}`,
  );
}
