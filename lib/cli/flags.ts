/**
 * Flags: declared in tables, one per command, and read with their environment
 * twins. Pure.
 *
 * A message about a flag is one line: the flag, what is wrong, what it takes.
 * Values of secret forms are never shown.
 */
import { parseArgs } from "@std/cli/parse-args";
import { ZonecastError } from "../dns/mod.ts";
import { UsageError } from "./errors.ts";
import { nearest } from "./suggest.ts";

/** How a value is written and read. */
export interface ValueForm<T> {
  /** What stands for the value in help: "DURATION". */
  readonly placeholder: string;
  /** What it takes, as the end of a sentence: "a duration with its unit, such as 2s". */
  readonly takes: string;
  /** All that it takes, or begins with; for completions. */
  readonly words?: readonly string[];
  /** It is a path, for completions. */
  readonly isPath?: boolean;
  /** The value may hold a password: messages leave it out. */
  readonly secret?: boolean;
  /** @throws {ZonecastError} its message says what is wrong with the text */
  parse(text: string): T;
}

/** A text given for a flag, and the flag or environment variable it came by. */
interface GivenText {
  readonly text: string;
  readonly from: string;
}

/** One flag whose value in a command is a `V`. */
export interface Flag<V> {
  /** Undefined for a switch. */
  readonly form: ValueForm<unknown> | undefined;
  readonly repeatable: boolean;
  readonly help: string;
  /** The default, for help; undefined when there is none to show. */
  readonly defaultText: string | undefined;
  /** Whether the flag has a twin in the environment. */
  readonly env: boolean;
  /** The value of the texts given; empty when none was. */
  resolve(given: readonly GivenText[]): V;
}

/** The flags of a command, by name without its dashes. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** What a command gets: the value of each flag of its table. */
export type FlagValues<T extends FlagTable> = {
  readonly [K in keyof T]: T[K] extends Flag<infer V> ? V : never;
};

interface FlagOptions {
  readonly help: string;
  /** False for flags about one call of a command; true when not given. */
  readonly env?: boolean;
  readonly defaultText?: string;
}

function makeFlag<V>(
  form: ValueForm<unknown> | undefined,
  repeatable: boolean,
  { help, env = true, defaultText }: FlagOptions,
  resolve: (given: readonly GivenText[]) => V,
): Flag<V> {
  return { form, repeatable, help, defaultText, env, resolve };
}

/** A switch: false unless given. */
export function toggle(options: FlagOptions): Flag<boolean> {
  return makeFlag(undefined, false, options, (given) => given.length > 0 && readSwitch(given[0]));
}

/** A flag with a value, undefined when not given. */
export function optional<T>(form: ValueForm<T>, options: FlagOptions): Flag<T | undefined> {
  return makeFlag(
    form,
    false,
    options,
    (given) => given.length === 0 ? undefined : readValue(form, given[0]),
  );
}

/** A flag with a value and a default, which is written as the operator would. */
export function withDefault<T>(
  form: ValueForm<T>,
  defaultText: string,
  options: Omit<FlagOptions, "defaultText">,
): Flag<T> {
  return makeFlag(
    form,
    false,
    { ...options, defaultText },
    (given) => readValue(form, given[0] ?? { text: defaultText, from: "default" }),
  );
}

/** A flag that may be given several times; in the environment its values stand between blanks. */
export function repeated<T>(
  form: ValueForm<T>,
  options: FlagOptions & { readonly defaults?: readonly string[] },
): Flag<readonly T[]> {
  const defaults = options.defaults ?? [];
  const defaultText = options.defaultText ?? (defaults.join(", ") || undefined);
  return makeFlag(form, true, { ...options, defaultText }, (given) => {
    const texts = given.length > 0
      ? given
      : defaults.map((text): GivenText => ({ text, from: "default" }));
    return texts.map((text) => readValue(form, text));
  });
}

const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  1: true,
  true: true,
  yes: true,
  on: true,
  0: false,
  false: false,
  no: false,
  off: false,
};

/** A switch; on the command line its text is empty, in the environment it is yes or no. */
function readSwitch({ text, from }: GivenText): boolean {
  if (text === "") return true;
  const word = text.toLowerCase();
  if (Object.hasOwn(SWITCH_WORDS, word)) return SWITCH_WORDS[word];
  throw new UsageError(`${from} ${quote(text)}: it is neither yes nor no; it takes true or false`);
}

function readValue<T>(form: ValueForm<T>, { text, from }: GivenText): T {
  if (text === "") throw new UsageError(`${from} has no value; it takes ${form.takes}`);
  try {
    return form.parse(text);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    const shown = form.secret ? "" : ` ${quote(text)}`;
    throw new UsageError(`${from}${shown}: ${error.message}; it takes ${form.takes}`);
  }
}

/** Longest part of a value shown in a message, in characters. */
const SHOWN_CHARACTERS = 80;

/** A value in quotes, cut when it is long. */
export function quote(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `"${text.slice(0, SHOWN_CHARACTERS)}…"` : `"${text}"`;
}

/** How every variable of ours begins. */
export const ENV_PREFIX = "ZONECAST_";

/** The environment twin of a flag. */
export function envName(flag: string): string {
  return ENV_PREFIX + flag.toUpperCase().replaceAll("-", "_");
}

/** A command line, read. */
export interface ReadArguments<T extends FlagTable> {
  readonly flags: FlagValues<T>;
  readonly positionals: readonly string[];
}

/**
 * The flags and positional arguments of a command line.
 *
 * A flag on the command line wins over its environment twin. A value that
 * begins with "-" is written `--flag=-value`; positional ones follow `--`.
 *
 * @param command  "zone add", for messages
 * @throws {UsageError} an unknown flag, a malformed value, one given twice
 */
export function readArguments<T extends FlagTable>(
  command: string,
  table: T,
  args: readonly string[],
  env: (name: string) => string | undefined,
): ReadArguments<T> {
  checkShape(command, table, args);
  const names = Object.keys(table);
  const values = names.filter((name) => table[name].form);
  const switches = names.filter((name) => !table[name].form);
  const parsed = parseArgs(args, {
    string: [...values, "_"],
    boolean: switches,
    collect: names,
    unknown: (arg, key) => {
      if (key !== undefined) throw unknownFlag(command, table, arg);
    },
  });
  const resolved = names.map((name) => {
    const given = givenTexts(name, table[name], parsed[name], env);
    return [name, table[name].resolve(given)] as const;
  });
  return {
    // Each value is what its own flag resolved to.
    flags: Object.fromEntries(resolved) as FlagValues<T>,
    positionals: parsed._.map(String),
  };
}

/** What parseArgs would take in silence: a switch with a value, a flag without one. */
function checkShape(command: string, table: FlagTable, args: readonly string[]): void {
  for (const [index, arg] of args.entries()) {
    if (arg === "--") return;
    if (!arg.startsWith("-") || arg === "-") continue;
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined || !Object.hasOwn(table, name)) throw unknownFlag(command, table, arg);
    const { form } = table[name];
    if (!form && value !== undefined) {
      throw new UsageError(`--${name} takes no value, but was given ${quote(value)}`);
    }
    const next = args[index + 1];
    if (form && value === undefined && (next === undefined || next.startsWith("-"))) {
      throw new UsageError(`--${name} has no value; it takes ${form.takes}`);
    }
  }
}

function unknownFlag(command: string, table: FlagTable, arg: string): UsageError {
  if (!arg.startsWith("--")) {
    return new UsageError(
      `${command}: ${quote(arg)} is no flag; a value that begins with "-" stands after "--"`,
    );
  }
  const name = arg.slice(2).split("=")[0];
  const meant = nearest(name, Object.keys(table));
  const hint = meant
    ? `did you mean --${meant}?`
    : `\`zonecast ${command} --help\` lists the flags`;
  return new UsageError(`${command}: unknown flag ${quote(`--${name}`)}; ${hint}`);
}

function givenTexts(
  name: string,
  flag: Flag<unknown>,
  values: unknown,
  env: (name: string) => string | undefined,
): GivenText[] {
  const given = Array.isArray(values) ? values : [];
  if (given.length > 1 && !flag.repeatable) {
    throw new UsageError(`--${name} is given ${given.length} times; it may be given once`);
  }
  if (given.length > 0) {
    return given.map((value) => ({ text: value === true ? "" : String(value), from: `--${name}` }));
  }
  const text = flag.env ? env(envName(name))?.trim() : undefined;
  if (!text) return [];
  const texts = flag.repeatable ? text.split(/\s+/) : [text];
  return texts.map((part) => ({ text: part, from: envName(name) }));
}
