/** Completion scripts for bash, zsh and fish. Pure. */
import { bashScript } from "./completion_bash.ts";
import { fishScript } from "./completion_fish.ts";
import type { CompletedCommand } from "./completion_words.ts";
import { zshScript } from "./completion_zsh.ts";

/** The shells there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** Makes a shell complete zonecast's command line. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}
