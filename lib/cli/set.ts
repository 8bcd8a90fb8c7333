/** `zonecast set` and `zonecast unset`. */
import { formatName, isSubdomain, parseName, parseRdata, TYPE, typeName } from "../dns/mod.ts";
import { refuseOwner } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { CommandError, EXIT } from "./errors.ts";
import { optional } from "./flags.ts";
import { NAME, RR_TYPE, TTL, ZONE, type ZoneName } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { maybe, number, object, orNull, text, yesNo } from "./json_shape.ts";
import { SOURCE_FLAGS, withEditor } from "./source_flags.ts";
import { count } from "./table.ts";
import { warnIfDoubled } from "./zone.ts";

const ZONE_ARGUMENT = { name: "ZONE", help: "the zone" };
const NAME_ARGUMENT = { name: "NAME", help: NAME.takes };

export const set = defineCommand({
  name: "set",
  summary: "add a record, or give one its new TTL",
  details: [
    "Other records of the same name and type stay: to replace a value, unset the old one. The " +
    "record is checked first, and a malformed one is refused.",
    "Names are relative to the zone unless they end in a dot. Text of a TXT record wants its own " +
    `quotes, inside the shell's: '"v=spf1 -all"'.`,
  ],
  positionals: [
    ZONE_ARGUMENT,
    NAME_ARGUMENT,
    { name: "TYPE", help: RR_TYPE.takes },
    { name: "CONTENT", help: "the record's data as in a master file", rest: true },
  ],
  flags: {
    ttl: optional(TTL, {
      help: "the record's TTL; without it, that of its zone",
      env: false,
    }),
    ...JSON_FLAG,
    ...SOURCE_FLAGS,
  },
  json: object("the record", {
    zone: text("the zone"),
    name: text("the owner, absolute"),
    type: text("the RR type"),
    content: text("the data as given"),
    ttl: orNull(number("seconds; null for the zone's default")),
    changed: yesNo("whether the source changed"),
  }),
  examples: [
    "set example.org www A 192.0.2.1",
    "set example.org @ MX '10 mail.example.org.' --ttl 1h",
    `set example.org @ TXT '"v=spf1 -all"'`,
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const name = readArgument("NAME", NAME, args[1]);
    const type = readArgument("TYPE", RR_TYPE, args[2]);
    const content = args[3];
    parseRdata(type, content, zone.apex);
    refuseOutside(name, zone);
    refuseOwner(parseName(name, zone.apex), type);
    warnIfDoubled(name, zone, "NAME", context.complain);
    warnOfUnquoted(type, content, context.complain);
    const changed = await withEditor(
      flags.source,
      context,
      (editor) =>
        editor.setRecord(zone.text, {
          name,
          type: typeName(type),
          content,
          ttl: flags.ttl ?? null,
        }),
    );
    const owner = formatName(parseName(name, zone.apex));
    if (flags.json) {
      const ttl = flags.ttl ?? null;
      const record = { name: owner, type: typeName(type), content, ttl };
      await printJson(context, { zone: zone.text, ...record, changed });
    } else {
      await context.print(
        `${changed ? "set" : "unchanged:"} ${owner} ${typeName(type)} ${content}\n`,
      );
    }
    return EXIT.GOOD;
  },
});

export const unset = defineCommand({
  name: "unset",
  summary: "remove a record, a type of records, or all records of a name",
  positionals: [
    ZONE_ARGUMENT,
    NAME_ARGUMENT,
    { name: "TYPE", help: "only this type", optional: true },
    { name: "CONTENT", help: "only this record", optional: true, rest: true },
  ],
  flags: { ...JSON_FLAG, ...SOURCE_FLAGS },
  json: object("what went", {
    zone: text("the zone"),
    name: text("the owner, absolute"),
    type: maybe(text("the RR type, where one was given")),
    content: maybe(text("the data, where it was given")),
    removed: number("records removed"),
  }),
  examples: [
    "unset example.org www A 192.0.2.1",
    "unset example.org www A",
    "unset example.org www",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const name = readArgument("NAME", NAME, args[1]);
    const type = args[2] === undefined
      ? undefined
      : typeName(readArgument("TYPE", RR_TYPE, args[2]));
    const content = args[3];
    const removed = await withEditor(
      flags.source,
      context,
      (editor) => editor.unsetRecords(zone.text, name, type, content),
    );
    const what = [formatName(parseName(name, zone.apex)), type, content]
      .filter((part) => part !== undefined).join(" ");
    if (removed === 0) {
      throw new CommandError(
        "record-unknown",
        `There is no record ${what} in the zone ${zone.text}`,
        `\`zonecast export ${zone.text} --from-source\` shows what there is`,
      );
    }
    if (flags.json) {
      const owner = formatName(parseName(name, zone.apex));
      await printJson(context, { zone: zone.text, name: owner, type, content, removed });
    } else await context.print(`removed ${count(removed, "record")} of ${what}\n`);
    return EXIT.GOOD;
  },
});

function refuseOutside(name: string, zone: ZoneName): void {
  const owner = parseName(name, zone.apex);
  if (isSubdomain(owner, zone.apex)) return;
  throw new CommandError(
    "record-outside",
    `Cannot set ${formatName(owner)}: it lies outside the zone ${zone.text}`,
    "a name without its last dot is relative to the zone",
  );
}

/** Says when text of several words was given without quotes: each word becomes a string of its own. */
function warnOfUnquoted(type: number, content: string, complain: (line: string) => void): void {
  const isText = type === TYPE.TXT || type === TYPE.SPF;
  if (!isText || content.includes('"') || !/\S\s+\S/.test(content)) return;
  complain(
    `zonecast: warning: each word of ${content} becomes a string of its own; ` +
      `for one string write '"${content}"'`,
  );
}
