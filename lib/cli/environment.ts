/**
 * Variables of the environment that look like ours and are not. Pure.
 */
import { ENV_PREFIX, envName, type FlagTable } from "./flags.ts";
import { DATABASE_VARIABLE } from "./source_flags.ts";
import { nearest } from "./suggest.ts";

/** A variable that no flag has for its twin. */
export interface StrayVariable {
  readonly name: string;
  /** The one that was probably meant. */
  readonly meant: string | undefined;
}

/** The variables among these that begin as ours do and say nothing, in their order. */
export function strayVariables(names: readonly string[], flags: FlagTable): StrayVariable[] {
  const known = [
    DATABASE_VARIABLE,
    ...Object.entries(flags).filter(([, { env }]) => env).map(([flag]) => envName(flag)),
  ];
  return names
    .filter((name) => name.startsWith(ENV_PREFIX) && !known.includes(name))
    .map((name) => ({ name, meant: nearestTo(name, known) }));
}

/** The prefix, the same in all, would make everything near to everything. */
function nearestTo(name: string, known: readonly string[]): string | undefined {
  const rest = (variable: string) => variable.slice(ENV_PREFIX.length);
  const meant = nearest(rest(name), known.map(rest));
  return meant && ENV_PREFIX + meant;
}
