/**
 * How commands end: exit codes, and errors as an operator sees them. Pure.
 */
import { ZonecastError } from "../dns/mod.ts";
import { escapeControls } from "../ops/mod.ts";
import { formatProblem, MasterFileError } from "../zone/mod.ts";

/** Exit codes of every command. */
export const EXIT = {
  GOOD: 0,
  FAILED: 1,
  /** Wrong flags, arguments or configuration: the same command would fail again. */
  USAGE: 2,
  /** What was compared is not equal. */
  DIFFERENT: 3,
} as const;

/** The command line or the environment is wrong; the message is one line. */
export class UsageError extends ZonecastError {
  override readonly name = "UsageError";

  constructor(message: string, hint?: string) {
    super("usage", message, hint);
  }
}

/** A command cannot do what it was asked to. */
export class CommandError extends ZonecastError {
  override readonly name = "CommandError";
}

/** A value of the wrong form; the message says what is wrong with it. */
export function wrongForm(message: string): CommandError {
  return new CommandError("value-form", message);
}

/** The error for a zone that no version is published of. */
export function notPublished(zone: { readonly text: string }): CommandError {
  return new CommandError(
    "zone-not-published",
    `The zone ${zone.text} is not published`,
    "`zonecast status` lists the zones that are, `zonecast zones` those of the source",
  );
}

/** Codes, beside {@link UsageError}'s, that trying again cannot mend: the configuration is wrong. */
const CONFIGURATION_CODES: ReadonlySet<string> = new Set([
  "control-path-taken",
  "control-path-too-long",
  "key-file-malformed",
  "key-file-open",
  "key-file-unreadable",
  "key-missing",
  "key-twice",
  "tls-certificate",
  "tls-file-malformed",
  "tls-file-unreadable",
  "tls-key-open",
  "tls-key-other",
  "source-password",
  "source-role",
  "source-url",
  "source-scheme",
  "state-foreign",
  "state-newer",
]);

/** The exit code of an error. */
export function exitCode(error: unknown): number {
  if (error instanceof UsageError) return EXIT.USAGE;
  if (error instanceof ZonecastError && CONFIGURATION_CODES.has(error.code)) return EXIT.USAGE;
  return EXIT.FAILED;
}

/**
 * An error as lines for standard error: what happened, and the next step where
 * there is one. Only what is our own bug shows where it arose.
 */
export function describeError(error: unknown): string {
  if (error instanceof UsageError) {
    return oneLine(`zonecast: ${error.message}${error.hint ? `; ${error.hint}` : ""}`);
  }
  if (error instanceof MasterFileError) {
    return error.problems.flatMap((problem) => [
      oneLine(`zonecast: ${formatProblem(problem)}`),
      ...(problem.hint ? [oneLine(`  hint: ${problem.hint}`)] : []),
    ]).join("\n");
  }
  if (error instanceof ZonecastError) {
    const first = oneLine(`zonecast: ${error.message}`);
    return error.hint ? `${first}\n${oneLine(`  hint: ${error.hint}`)}` : first;
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound) {
    return oneLine(`zonecast: ${error.message}`);
  }
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  return `zonecast: this is a bug in zonecast; please report it with these lines\n${
    stack.split("\n").map(escapeControls).join("\n")
  }`;
}

/** A text on one line, without what a terminal would take for a command. */
function oneLine(text: string): string {
  return escapeControls(text.replaceAll("\n", " "));
}
