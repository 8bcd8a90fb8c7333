/**
 * A file of flags: one a line, `--` before it or not, `#` before a comment.
 *
 * A flag on the command line goes before the file's, the file's before the
 * environment's. Reads the file, anew at each call.
 */
import { UsageError } from "./errors.ts";
import { envName, type FlagTable, readArguments } from "./flags.ts";

/** The flag that names the file. */
export const FLAGS_FILE = "flags-file";

/** A line that sets a flag. */
interface FlagLine {
  /** As it would stand on the command line. */
  readonly flag: string;
  /** The flag's name, without dashes. */
  readonly name: string;
  /** "/etc/zonecast/flags:3". */
  readonly place: string;
}

/**
 * A command line with the flags of the file it names, those it gives itself left out.
 *
 * @throws {UsageError} the file cannot be read, or one of its lines: then it names the line
 */
export function withFlagsFile(
  command: string,
  table: FlagTable,
  args: readonly string[],
  env: (name: string) => string | undefined,
): readonly string[] {
  if (!Object.hasOwn(table, FLAGS_FILE)) return args;
  const path = fileOf(args) ?? env(envName(FLAGS_FILE));
  if (!path) return args;
  const given = new Set(args.map((arg) => /^--([^=]+)/.exec(arg)?.[1]));
  const found = linesOf(path).flatMap((line) => {
    check(command, table, line);
    return given.has(line.name) ? [] : [line.flag];
  });
  return [...found, ...args];
}

/**
 * Everything that is wrong with the lines of a file, each by itself; empty when all are good.
 *
 * @throws {UsageError} the file cannot be read
 */
export function flagsFileProblems(command: string, table: FlagTable, path: string): string[] {
  const lines = linesOf(path);
  const twice = lines.filter(({ name }, index) =>
    Object.hasOwn(table, name) && !table[name].repeatable &&
    lines.findIndex((other) => other.name === name) < index
  );
  return [
    ...lines.flatMap((line) => {
      try {
        check(command, table, line);
        return [];
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        return [error.hint ? `${error.message}; ${error.hint}` : error.message];
      }
    }),
    ...twice.map(({ name, place }) => `${place}: --${name} stands there a second time`),
  ];
}

function linesOf(path: string): FlagLine[] {
  const lines = readText(path).split("\n").map((line) => line.trim());
  return lines.flatMap((line, index) => {
    if (line === "" || line.startsWith("#")) return [];
    const [, name, value] = /^(?:--)?([^\s=]+)(?:[\s=]\s*(.*))?$/.exec(line) ?? [];
    const flag = value === undefined ? `--${name}` : `--${name}=${value}`;
    return [{ flag, name, place: `${path}:${index + 1}` }];
  });
}

function check(command: string, table: FlagTable, { flag, name, place }: FlagLine): void {
  try {
    if (name === FLAGS_FILE) throw new UsageError(`--${FLAGS_FILE} stands in no such file`);
    readArguments(command, table, [flag], () => undefined);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${place}: ${error.message}`, error.hint);
  }
}

function fileOf(args: readonly string[]): string | undefined {
  const at = args.indexOf(`--${FLAGS_FILE}`);
  if (at >= 0) return args[at + 1];
  const prefix = `--${FLAGS_FILE}=`;
  return args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length);
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--${FLAGS_FILE}: cannot read ${path}: ${why}`);
  }
}
