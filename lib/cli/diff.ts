/** `zonecast diff`. */
import { formatName, type ResourceRecord } from "../dns/mod.ts";
import { differenceBetween } from "../store/mod.ts";
import { listRecords, type ZoneDiff } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { paintFor } from "./colour.ts";
import { defineCommand } from "./command.ts";
import { diffLines, paintedDiff } from "./diff_text.ts";
import { EXIT } from "./errors.ts";
import { SERIAL, ZONE } from "./forms.ts";
import { withHistory } from "./history.ts";
import { JSON_FLAG, recordJson, records } from "./json_output.ts";
import { number, object, text } from "./json_shape.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { inPieces } from "./zone_text.ts";

export const diff = defineCommand({
  name: "diff",
  summary: "print what changed in a zone from one serial to another",
  details: [
    "Prints records removed behind -, records added behind +, the SOA first. Changes between the " +
    "two that cancel each other out are not shown. FROM may be the later one: then it is what " +
    "leads back.",
  ],
  positionals: [
    { name: "ZONE", help: ZONE.takes },
    { name: "FROM", help: "a serial that `zonecast log` lists" },
    { name: "TO", help: "another; the one published now when left out", optional: true },
  ],
  flags: {
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: object("what changed", {
    zone: text("the zone"),
    from: number("the serial to start at"),
    to: number("the serial to end at"),
    removed: records("what went, the SOA first"),
    added: records("what came, the SOA first"),
  }),
  examples: ["diff example.org 1767225600", "diff example.org 1767225600 1767225660 --json"],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const from = readArgument("FROM", SERIAL, args[1]);
    const given = args[2] === undefined ? undefined : readArgument("TO", SERIAL, args[2]);
    const [to, found] = await withHistory(
      serverPaths(flags, context),
      zone,
      context,
      async (history) => {
        const to = given ?? history.serial;
        return [to, await differenceBetween(history, zone.apex, from, to)] as const;
      },
    );
    const lines = flags.json
      ? jsonLines(formatName(zone.apex), from, to, found)
      : found
      ? paintedDiff(diffLines(found), paintFor(context))
      : [];
    for (const piece of inPieces(lines)) await context.print(piece);
    return EXIT.GOOD;
  },
});

/** A JSON object in lines, a record on each. */
function* jsonLines(
  zone: string,
  from: number,
  to: number,
  diff: ZoneDiff | undefined,
): Generator<string> {
  yield `{"zone": ${JSON.stringify(zone)}, "from": ${from}, "to": ${to},`;
  yield* jsonList("removed", diff && [diff.fromSoa], diff && listRecords(diff.removed), ",");
  yield* jsonList("added", diff && [diff.toSoa], diff && listRecords(diff.added), "}");
}

function* jsonList(
  name: string,
  soa: Iterable<ResourceRecord> = [],
  records: Iterable<ResourceRecord> = [],
  end: string,
): Generator<string> {
  let line = `"${name}": [`;
  let before = "";
  for (const list of [soa, records]) {
    for (const record of list) {
      yield line + before;
      line = "  " + JSON.stringify(recordJson(record));
      before = ",";
    }
  }
  yield `${line}]${end}`;
}
