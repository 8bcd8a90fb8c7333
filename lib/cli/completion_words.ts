/**
 * What may stand where on a command line, taken from the commands' own tables: the
 * one thing that the completions of every shell are made of. Pure.
 */
import type { Command } from "./command.ts";

/** What follows a flag, or stands in a positional's place. */
export type Completing =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "path" }
  /** Anything at all: there is nothing to offer. */
  | { readonly kind: "free" };

/** A flag as completions see it. */
export interface CompletedFlag {
  /** With its dashes. */
  readonly flag: string;
  readonly help: string;
  readonly repeatable: boolean;
  /** Undefined for a switch. */
  readonly value: Completing | undefined;
  /** What stands for its value in help. */
  readonly placeholder: string;
}

/** A command as completions see it. */
export interface CompletedCommand {
  /** One word or two. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  readonly positionals: readonly { readonly name: string; readonly value: Completing }[];
}

const HELP: CompletedFlag = {
  flag: "--help",
  help: "show help",
  repeatable: false,
  value: undefined,
  placeholder: "",
};

/** All commands, `help` among them. */
export function completedCommands(commands: readonly Command[]): CompletedCommand[] {
  const help: CompletedCommand = {
    words: ["help"],
    summary: "show help, or what --json prints",
    flags: [],
    positionals: [{
      name: "COMMAND",
      value: { kind: "words", words: firstWords(commands).concat("json") },
    }],
  };
  return [...commands.map(completedCommand), help];
}

/** The words that may stand first, each once. */
export function firstWords(commands: readonly Pick<Command, "name">[]): string[] {
  return [...new Set(commands.map(({ name }) => name.split(" ")[0]))];
}

function completedCommand({ name, summary, flags, positionals }: Command): CompletedCommand {
  return {
    words: name.split(" "),
    summary,
    flags: [
      ...Object.entries(flags).map(([flag, { help, repeatable, form }]) => ({
        flag: `--${flag}`,
        help,
        repeatable,
        value: form && completing(form),
        placeholder: form?.placeholder ?? "",
      })),
      HELP,
    ],
    positionals: positionals.map((positional) => ({
      name: positional.name,
      value: completing(positional),
    })),
  };
}

function completing(
  { words, isPath }: { readonly words?: readonly string[]; readonly isPath?: boolean },
): Completing {
  if (words) return { kind: "words", words };
  return { kind: isPath ? "path" : "free" };
}

/** Commands of one word, and the groups of two, by their first word. */
export function byFirstWord(
  commands: readonly CompletedCommand[],
): Map<string, CompletedCommand[]> {
  return Map.groupBy(commands, ({ words }) => words[0]);
}

/** The second words that a first word may have. */
export function secondWords(group: readonly CompletedCommand[]): string[] {
  return group.flatMap(({ words }) => words.slice(1));
}

/** A text in single quotes, as bash and zsh have it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
