/** `zonecast completions` and `zonecast man`: what a package installs beside the executable. */
import { readArgument } from "./arguments.ts";
import { type Command, defineCommand } from "./command.ts";
import { completionScript, SHELLS } from "./completion_scripts.ts";
import { completedCommands } from "./completion_words.ts";
import { EXIT } from "./errors.ts";
import { oneOf } from "./forms.ts";
import { manualPage } from "./manual.ts";
import { VERSION } from "./version.ts";

const SHELL = oneOf(SHELLS);

/** @param commands  all there are, these two among them */
export function completionsCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: "completions",
    summary: "print a script that makes a shell complete zonecast's commands and flags",
    details: [
      "For one session: `source <(zonecast completions bash)`, the same for zsh, and " +
      "`zonecast completions fish | source`. For all: write it to " +
      "/usr/share/bash-completion/completions/zonecast, to a file _zonecast in a directory of " +
      "zsh's $fpath, or to ~/.config/fish/completions/zonecast.fish.",
    ],
    positionals: [{ name: "SHELL", help: SHELL.takes, words: SHELLS }],
    flags: {},
    examples: ["completions bash", "completions fish > ~/.config/fish/completions/zonecast.fish"],
    async run({ args }, context) {
      const shell = readArgument("SHELL", SHELL, args[0]);
      await context.print(completionScript(shell, completedCommands(commands())));
      return EXIT.GOOD;
    },
  });
}

/** @param commands  all there are, these two among them */
export function manCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: "man",
    summary: "print the manual page",
    details: ["To be read with man, or installed as /usr/local/share/man/man8/zonecast.8."],
    positionals: [],
    flags: {},
    examples: ["man | man -l -", "man > /usr/local/share/man/man8/zonecast.8"],
    async run(_input, context) {
      await context.print(manualPage(commands(), VERSION));
      return EXIT.GOOD;
    },
  });
}
