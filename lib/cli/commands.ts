/** All commands, in the order help lists them. */
import type { Command } from "./command.ts";
import { version } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  version,
];
