/** Help texts, rendered from the commands' own tables. Pure. */
import { type Command, usageLine } from "./command.ts";
import { envName, type Flag, type FlagTable } from "./flags.ts";
import { listFields } from "./json_shape.ts";

/** Columns a help text keeps within. */
const WIDTH = 88;
/** Widest left column of a list; a longer entry gets its own line. */
const MAX_LEFT = 34;

/** A text in lines of at most `width` characters, each behind an indent. */
export function wrap(text: string, indent: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}

/** Two columns. */
function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const left = Math.min(MAX_LEFT, Math.max(0, ...rows.map(([text]) => text.length)));
  const indent = " ".repeat(left + 4);
  return rows.flatMap(([text, right]) => {
    const lines = wrap(right, indent);
    if (text.length > left) return [`  ${text}`, ...lines];
    return [`  ${text.padEnd(left)}  ${lines[0].trimStart()}`, ...lines.slice(1)];
  });
}

function flagRow(name: string, flag: Flag<unknown>): [string, string] {
  const left = flag.form ? `--${name} ${flag.form.placeholder}` : `--${name}`;
  const notes = [
    ...(flag.repeatable ? ["repeatable"] : []),
    ...(flag.defaultText === undefined ? [] : [`default: ${flag.defaultText}`]),
    ...(flag.env ? [`environment: ${envName(name)}`] : []),
  ];
  return [left, notes.length === 0 ? flag.help : `${flag.help} (${notes.join("; ")})`];
}

function flagSection(flags: FlagTable): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => flagRow(name, flag));
  return ["", "Flags:", ...columns([...rows, ["--help", "this help"]])];
}

/** What each kind of value of a command's flags takes, said once. */
function valueSection(flags: FlagTable): string[] {
  const takes = new Map<string, string>();
  for (const { form } of Object.values(flags)) {
    if (form && !form.placeholder.includes("|")) takes.set(form.placeholder, form.takes);
  }
  return takes.size === 0 ? [] : ["", "Values:", ...columns([...takes])];
}

/** Help for one command. */
export function commandHelp(command: Command): string {
  const lines = [
    `zonecast ${command.name}: ${command.summary}`,
    "",
    `Usage: ${usageLine(command)} [flags]`,
  ];
  if (command.positionals.length > 0) {
    lines.push("", ...columns(command.positionals.map(({ name, help }) => [name, help])));
  }
  for (const paragraph of command.details ?? []) lines.push("", ...wrap(paragraph, ""));
  lines.push(...flagSection(command.flags), ...valueSection(command.flags));
  if (command.examples.length > 0) {
    lines.push("", "Examples:", ...command.examples.map((line) => `  zonecast ${line}`));
  }
  return lines.join("\n") + "\n";
}

/** What --json prints, of each command that has it. */
export function jsonHelp(commands: readonly Command[]): string {
  const sections = commands.flatMap(({ name, json, jsonLines }) => {
    if (!json) return [];
    const what = json.type === "list" ? "a list" : jsonLines ? "an object a line" : "an object";
    const fields = [...listFields(json)].filter(({ path }) => path !== "[]");
    const rows = fields.map(({ path, type, help }): [string, string] => [path, `${type}: ${help}`]);
    return [[`zonecast ${name} --json: ${what}: ${json.help}`, ...columns(rows)].join("\n")];
  });
  return `${sections.join("\n\n")}\n
Times are ISO 8601 in UTC. Fields may be added; those that are here keep name and meaning.
An error is no JSON: it is a line on standard error, with the exit code.
`;
}

/** What zonecast is, in a line. */
export const NAME_AND_PURPOSE = "a hidden primary whose zones live in Postgres, or in SQLite";

/** Help for a group of commands, or for all of them. */
export function overview(commands: readonly Command[], group?: string): string {
  const shown = group ? commands.filter(({ name }) => inGroup(name, group)) : commands;
  const head = group ? [`Usage: zonecast ${group} …`] : [
    `zonecast: ${NAME_AND_PURPOSE}`,
    "",
    "Usage: zonecast COMMAND [arguments] [flags]",
  ];
  const rows = shown.map((command): [string, string] => [
    usageLine(command).slice("zonecast ".length),
    command.summary,
  ]);
  return [
    ...head,
    "",
    "Commands:",
    ...columns(rows),
    "",
    ...wrap(
      "`zonecast COMMAND --help` shows a command's flags. Exit codes: 0 good, 1 failed, " +
        "2 wrong usage or configuration, 3 checked and found different. `zonecast help json` shows " +
        "what --json prints.",
      "",
    ),
    "",
  ].join("\n");
}

/** Whether a command is of a group: "zone add" and "zone" are of "zone". */
export function inGroup(name: string, group: string): boolean {
  return name === group || name.startsWith(`${group} `);
}
