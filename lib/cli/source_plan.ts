/** What a command is about to change in the source, as people and programs read it. Pure. */
import { compareNames, type ResourceRecord, ZonecastError } from "../dns/mod.ts";
import { escapeControls } from "../ops/mod.ts";
import type { RecordEdit, Restored, ZoneSettings } from "../source/mod.ts";
import { mergedLines, recordLine } from "./diff_text.ts";
import { recordOf } from "./export.ts";
import type { ZoneName } from "./forms.ts";
import { list, number, object, orNull, type Shape, text } from "./json_shape.ts";

/** A row of the source, as it stands there. */
const ROW = object("a row", {
  name: text("relative to the zone, @ for the zone itself, or absolute"),
  type: text("the RR type"),
  content: text("the data"),
  ttl: orNull(number("seconds; null for the zone's default")),
});

/** Rows, for the shape of what a command prints. */
export function rowList(help: string): Shape {
  return list(help, ROW);
}

/**
 * The lines of what changes: the SOA, the records, then rows that are no records.
 *
 * @param soa  before and after, where it changes; `before` undefined where there is none
 * @param settings  the zone's, which say what a row without a TTL has
 */
export function* planLines(
  { removed, added }: Restored,
  soa: { readonly before: ResourceRecord | undefined; readonly after: ResourceRecord } | undefined,
  settings: ZoneSettings,
  zone: ZoneName,
): Generator<string> {
  if (soa?.before) yield `- ${recordLine(soa.before)}`;
  if (soa) yield `+ ${recordLine(soa.after)}`;
  const records: ResourceRecord[] = [];
  const others: RecordEdit[] = [];
  for (const row of removed) {
    const record = readRow(row, settings, zone);
    if (record) records.push(record);
    else others.push(row);
  }
  const inOrder = (a: ResourceRecord, b: ResourceRecord) =>
    compareNames(a.owner, b.owner) || a.type - b.type;
  records.sort(inOrder);
  const come = added.flatMap((row) => readRow(row, settings, zone) ?? []).sort(inOrder);
  yield* mergedLines(records, come);
  for (const { name, ttl, type, content } of others) {
    const words = [name, ttl ?? settings.defaultTtl, "IN", type, content];
    yield `- ${words.map((word) => escapeControls(String(word))).join("\t")}`;
  }
}

function readRow(
  row: RecordEdit,
  settings: ZoneSettings,
  zone: ZoneName,
): ResourceRecord | undefined {
  try {
    return recordOf({ ...row, zone: zone.text }, settings, zone);
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}
