/** Positional arguments read by the same forms as flags. Pure. */
import { ZonecastError } from "../dns/mod.ts";
import { UsageError } from "./errors.ts";
import { quote, type ValueForm } from "./flags.ts";

/**
 * An argument's value.
 *
 * @param name  as the usage line has it: "ZONE"
 * @throws {UsageError} one line: the argument, what is wrong, what it takes
 */
export function readArgument<T>(name: string, form: ValueForm<T>, text: string): T {
  try {
    return form.parse(text);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    const hint = error.hint ? ` (${error.hint})` : "";
    throw new UsageError(
      `${name} ${quote(text)}: ${error.message}${hint}; it takes ${form.takes}`,
    );
  }
}
