/** The manual page, in mdoc(7), made from the commands' own tables. Pure. */
import { type Command, usageLine } from "./command.ts";
import { envName, type Flag } from "./flags.ts";
import { NAME_AND_PURPOSE, wrap } from "./help.ts";

/** When the manual last changed in more than its tables: mdoc wants a date. */
const DATED = "November 28, 2026";

/** Columns of a line of the source: mandoc minds more than 80. */
const LINE_COLUMNS = 78;
/** Columns of a command line: what is left of a page beside the indent. */
const COMMAND_COLUMNS = 64;

/** The whole page, `zonecast.8`. */
export function manualPage(commands: readonly Command[], version: string): string {
  return [
    ".\\\" Printed by `zonecast man`: made from the commands' own tables.",
    `.Dd ${DATED}`,
    ".Dt ZONECAST 8",
    ".Os",
    ".Sh NAME",
    ".Nm zonecast",
    `.Nd ${prose(NAME_AND_PURPOSE)}`,
    ".Sh SYNOPSIS",
    ".Nm",
    ".Ar command",
    ".Op Ar arguments",
    ".Op Ar flags",
    ".Sh DESCRIPTION",
    ".Nm",
    ...paragraph(
      "is a private authoritative DNS server, a hidden primary, whose zones live in Postgres or in " +
        "SQLite. A change committed there is published with a higher serial, announced to the " +
        "secondaries by NOTIFY, and transferred to them. It is one executable, configured by flags.",
    ),
    ".Pp",
    ...paragraph(`This is the manual of version ${version}.`),
    ".Sh COMMANDS",
    ...commands.flatMap(commandSection),
    ".Sh ENVIRONMENT",
    ...paragraph(
      "Most flags have a twin in the environment, named with them above: a flag on the command line " +
        "goes before it. A repeatable one holds its values with blanks between.",
    ),
    ".Bl -tag -width Ds",
    ...variable(
      "ZONECAST_DATABASE",
      "the source, where neither --source nor ZONECAST_SOURCE says it",
    ),
    ...variable("NO_COLOR", "no colours, also on a terminal"),
    ".El",
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ...exit(0, "good"),
    ...exit(1, "failed"),
    ...exit(2, "wrong usage or configuration: the same command would fail again"),
    ...exit(3, "checked and found different"),
    ".El",
    ".Sh SEE ALSO",
    ...paragraph("The README goes through installing, secondaries, keys and migration."),
  ].join("\n") + "\n";
}

function commandSection(command: Command): string[] {
  const { summary, details = [], positionals, flags, examples, json } = command;
  return [
    `.Ss zonecast ${command.name}`,
    ...paragraph(`${summary[0].toUpperCase()}${summary.slice(1)}.`),
    ...(positionals.length > 0 ? [".Pp", ...paragraph(`Usage: ${usageLine(command)}`)] : []),
    ...details.flatMap((detail) => [".Pp", ...paragraph(detail)]),
    ...(positionals.length > 0
      ? [
        ".Bl -tag -width Ds",
        ...positionals.flatMap(({ name, help }) => [`.It Ar ${prose(name)}`, ...paragraph(help)]),
        ".El",
      ]
      : []),
    ...(Object.keys(flags).length > 0
      ? [".Bl -tag -width Ds", ...Object.entries(flags).flatMap(flagItem), ".El"]
      : []),
    ...(json
      ? [".Pp", ...paragraph(`\`zonecast help json ${command.name}\` shows what --json prints.`)]
      : []),
    ".Pp",
    examples.length > 1 ? "Examples:" : "Example:",
    ".Bd -literal -offset indent",
    ...examples.flatMap((example) => commandLines(`zonecast ${example}`)),
    ".Ed",
  ];
}

function flagItem([name, flag]: [string, Flag<unknown>]): string[] {
  // A long list of words may be broken between them.
  const value = flag.form ? ` Ar ${prose(flag.form.placeholder).replaceAll("|", "|\\:")}` : "";
  const notes = [
    ...(flag.form ? [`It takes ${flag.form.takes}.`] : []),
    ...(flag.repeatable ? ["It may be repeated."] : []),
    ...(flag.defaultText === undefined ? [] : [`Default: ${flag.defaultText}.`]),
    ...(flag.env ? [`Environment: ${envName(name)}.`] : []),
  ];
  const [first, ...rest] = flag.help;
  const help = `${first.toUpperCase()}${rest.join("")}.`;
  return [`.It Fl -${name}${value}`, ...paragraph([help, ...notes].join(" "))];
}

function variable(name: string, help: string): string[] {
  return [`.It Ev ${name}`, ...paragraph(help)];
}

function exit(code: number, help: string): string[] {
  return [`.It ${code}`, ...paragraph(help)];
}

/** A text in lines of its own, each sentence on a new one, as mdoc wants it. */
function paragraph(text: string): string[] {
  return text.split(/(?<=[.:?!]) (?=[A-Z`-])/).flatMap((sentence) =>
    wrap(escaped(sentence), "", LINE_COLUMNS).map(guarded)
  );
}

/** A command line, in lines that a shell puts together again. */
function commandLines(text: string): string[] {
  const [first, ...rest] = wrap(text, "", COMMAND_COLUMNS);
  const lines = [first, ...rest.map((line) => `    ${line}`)];
  return lines.map((line, index) =>
    guarded(escaped(index < lines.length - 1 ? `${line} \\` : line))
  );
}

/** A line of text that is none of roff's. */
function guarded(line: string): string {
  return line.replace(/^[.']/, "\\&$&");
}

/** Words behind a macro: a dot or bracket alone would be taken for punctuation. */
function prose(text: string): string {
  return escaped(text).split(" ").map((word) =>
    /^[A-Z][a-z]$|^[.,:;()[\]?!|]/.test(word) ? `\\&${word}` : word
  )
    .join(" ");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("`", "\\(ga").replaceAll("'", "\\(aq")
    .replaceAll("…", "...").replaceAll("≥", ">=").replaceAll("§", "section ").replaceAll("×", "x")
    .replaceAll("^", "\\(ha").replaceAll("~", "\\(ti");
}
