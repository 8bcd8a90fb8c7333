/**
 * The log: one line per event, to standard error.
 *
 * An event is a short constant phrase ("zone published"); what varies stands in
 * the fields, so that a line can be searched and counted. Control characters
 * are escaped in every format: a name from the net cannot forge a line.
 *
 * Pure but for the writer and the clock, which are passed in. Never log a
 * secret: nothing here can know one.
 */
import { ZonecastError } from "../dns/mod.ts";
import { standardErrorLines } from "./log_lines.ts";

/** What an event is about. Fields that are undefined or null are left out. */
export type Fields = Record<
  string,
  string | number | boolean | bigint | undefined | null | Error
>;

/** Where events go. */
export interface Logger {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** The same log with these fields in every line. */
  child(fields: Fields): Logger;
}

/** How a line is written: for eyes, as key=value, or as one JSON object. */
export const LOG_FORMATS = ["text", "logfmt", "json"] as const;
export type LogFormat = typeof LOG_FORMATS[number];

/** Severities, lowest first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

/** What {@link createLogger} takes. */
export interface LoggerOptions {
  readonly format: LogFormat;
  /** The lowest severity written; looked at for each event, so it may change. */
  readonly level: LogLevel;
  /** Takes each line without its newline, at once; by default they go to standard error, soon. */
  readonly write?: (line: string) => void;
  /** ms since the epoch; the clock by default. */
  readonly now?: () => number;
  /** Begin each line with `<N>`, the priority systemd's journal reads. Not with JSON. */
  readonly journal?: boolean;
}

/** Syslog priorities, as sd-daemon(3) has them. */
const JOURNAL_PRIORITY: Record<LogLevel, number> = {
  debug: 7,
  info: 6,
  warn: 4,
  error: 3,
};

/** A logger of one format and lowest severity. */
export function createLogger(options: LoggerOptions): Logger {
  const { write } = options;
  const lines = write ? undefined : standardErrorLines();
  const now = options.now ?? Date.now;
  const format = FORMATTERS[options.format];
  const journal = options.journal === true && options.format !== "json";

  function emit(
    level: LogLevel,
    inherited: Fields,
    event: string,
    fields?: Fields,
  ): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level)) return;
    const at = now();
    const line = () => {
      const text = format(new Date(at), level, event, presentFields({ ...inherited, ...fields }));
      return journal ? `<${JOURNAL_PRIORITY[level]}>${text}` : text;
    };
    if (write) write(line());
    else lines!.add(line, level === "warn" || level === "error");
  }
  function make(inherited: Fields): Logger {
    return {
      debug: (event, fields) => emit("debug", inherited, event, fields),
      info: (event, fields) => emit("info", inherited, event, fields),
      warn: (event, fields) => emit("warn", inherited, event, fields),
      error: (event, fields) => emit("error", inherited, event, fields),
      child: (fields) => make({ ...inherited, ...fields }),
    };
  }
  return make({});
}

/** A logger that drops everything; for tests. */
export const nullLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => nullLogger,
};

/** The format that suits where standard error goes. */
export function defaultLogFormat(terminal: boolean): LogFormat {
  return terminal ? "text" : "logfmt";
}

type FieldValue = string | number | boolean;

/** The fields that have a value; errors as their message, with code and hint beside it. */
function presentFields(fields: Fields): [string, FieldValue][] {
  const present: [string, FieldValue][] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    if (value instanceof Error) present.push(...errorFields(key, value));
    else if (typeof value === "bigint") present.push([key, value.toString()]);
    else present.push([key, value]);
  }
  return present;
}

function errorFields(key: string, error: Error): [string, FieldValue][] {
  if (!(error instanceof ZonecastError)) {
    // An error without a code may be our own bug: say where it arose.
    const bug = error instanceof TypeError || error instanceof RangeError ||
      error instanceof ReferenceError;
    return bug && error.stack
      ? [[key, `${error.name}: ${error.message}`], ["stack", error.stack]]
      : [[key, error.message]];
  }
  const fields: [string, FieldValue][] = [
    [key, error.message],
    ["code", error.code],
  ];
  if (error.hint) fields.push(["hint", error.hint]);
  return fields;
}

type Formatter = (
  at: Date,
  level: LogLevel,
  event: string,
  fields: [string, FieldValue][],
) => string;

const FORMATTERS: Record<LogFormat, Formatter> = {
  text: (at, level, event, fields) => {
    const time = at.toISOString().slice(11, 23);
    const head = `${time} ${level.toUpperCase().padEnd(5)} ${escapeControls(event)}`;
    return fields.length === 0 ? head : `${head}  ${keyValues(fields)}`;
  },
  logfmt: (at, level, event, fields) =>
    keyValues([
      ["time", at.toISOString()],
      ["level", level],
      ["event", event],
      ...fields,
    ]),
  json: (at, level, event, fields) =>
    escapeControls(JSON.stringify({
      ...Object.fromEntries(fields),
      time: at.toISOString(),
      level,
      event,
    })),
};

function keyValues(fields: [string, FieldValue][]): string {
  return fields.map(([key, value]) => `${key}=${quoteValue(String(value))}`)
    .join(" ");
}

/** A logfmt value: quoted when it is empty or has anything but plain characters. */
function quoteValue(value: string): string {
  if (/^[!#-<>-[\]-~]+$/.test(value)) return value;
  return escapeControls(JSON.stringify(value));
}

/**
 * A text in which every control character, and every character that a terminal
 * may take for one or that turns the direction of writing, is a \uXXXX escape.
 */
export function escapeControls(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
