/** `zonecast rollback`. */
import {
  canonicalKey,
  formatName,
  parseName,
  type ResourceRecord,
  TYPE,
  ZonecastError,
} from "../dns/mod.ts";
import type { RecordEdit, Restored, SourceEditor, ZoneSettings } from "../source/mod.ts";
import { versionAt } from "../store/mod.ts";
import { equalRecords, makeSoa, type ZoneVersion } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { paintFor } from "./colour.ts";
import { type Context, defineCommand } from "./command.ts";
import { paintedDiff } from "./diff_text.ts";
import { CommandError, EXIT, UsageError } from "./errors.ts";
import { toggle } from "./flags.ts";
import { SERIAL, ZONE, type ZoneName } from "./forms.ts";
import { withHistory } from "./history.ts";
import { editOf } from "./import/imported.ts";
import { readSoa } from "./soa.ts";
import { planLines, rowList } from "./source_plan.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { number, object, text, yesNo } from "./json_shape.ts";
import { SOURCE_FLAGS, withEditor } from "./source_flags.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { count } from "./table.ts";
import { inPieces, recordsOf } from "./zone_text.ts";

export const rollback = defineCommand({
  name: "rollback",
  summary: "make the source's records of a zone what they were with an earlier serial",
  details: [
    "Prints what changes in the source, records removed behind -, records added behind +; with " +
    "--yes it then does so, in one transaction. Records that are the same stay untouched, and " +
    "so do disabled ones. The fields of the SOA go back too, but for its serial: the zone is " +
    "published with a new one, as after any change.",
    "Much at once is held by the server until you approve it: see `zonecast held`.",
    "Works where `records` is a table. Where it is a view, its rows live in your own tables.",
  ],
  positionals: [
    { name: "ZONE", help: ZONE.takes },
    { name: "SERIAL", help: "a serial that `zonecast log` lists" },
  ],
  flags: {
    "dry-run": toggle({ help: "only print what would change", env: false }),
    yes: toggle({ help: "print it, and change the source", env: false }),
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
    ...SOURCE_FLAGS,
  },
  json: object("what changes, or changed", {
    zone: text("the zone"),
    serial: number("the serial gone back to"),
    written: yesNo("whether the source was changed; false with --dry-run"),
    soa: yesNo("whether the SOA's fields are among it"),
    removed: rowList("rows that go"),
    added: rowList("records that come"),
  }),
  examples: [
    "rollback example.org 1767225600 --dry-run",
    "rollback example.org 1767225600 --yes",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const serial = readArgument("SERIAL", SERIAL, args[1]);
    if (flags["dry-run"] === flags.yes) {
      throw new UsageError(
        "rollback: give --dry-run to see what would change, or --yes to change it",
      );
    }
    const target = await withHistory(
      serverPaths(flags, context),
      zone,
      context,
      async (history) => versionAt(history, await history.current(), serial),
    );
    const plan = await withEditor(
      flags.source,
      context,
      (editor) => restore(editor, zone, target, flags, context),
    );
    if (flags.json) {
      await printJson(context, { zone: zone.text, serial, written: flags.yes, ...plan });
    } else await context.print(summary(plan, zone, serial, flags.yes));
    return EXIT.GOOD;
  },
});

/** What was, or would be, changed. */
interface Outcome extends Restored {
  /** Whether the SOA's fields were among it. */
  readonly soa: boolean;
}

type Settings = Partial<Omit<ZoneSettings, "name">>;

/** Prints what changes, then changes it when it is to be. */
async function restore(
  editor: SourceEditor,
  zone: ZoneName,
  target: ZoneVersion,
  { yes, json }: { readonly yes: boolean; readonly json: boolean },
  context: Context,
): Promise<Outcome> {
  const existing = await settingsIn(editor, zone, target);
  const before = soaIn(existing, target);
  const soa = !before || !equalRecords(before, target.soa);
  const settings = soa ? soaSettings(target.soa, existing) : {};
  const records: RecordEdit[] = [];
  for (const record of recordsOf(target)) {
    if (record.type !== TYPE.SOA) records.push(editOf(record, zone.apex));
  }
  const change = async (dryRun: boolean): Promise<Outcome> => ({
    ...await editor.restoreZone(zone.text, settings, records, dryRun),
    soa,
  });
  const planned = await change(true);
  const soaChange = soa ? { before, after: target.soa } : undefined;
  const lines = json ? [] : planLines(planned, soaChange, existing, zone);
  for (const piece of inPieces(paintedDiff(lines, paintFor(context)))) await context.print(piece);
  return yes && isChange(planned) ? await change(false) : planned;
}

function isChange({ removed, added, soa }: Outcome): boolean {
  return soa || removed.length > 0 || added.length > 0;
}

async function settingsIn(
  editor: SourceEditor,
  zone: ZoneName,
  target: ZoneVersion,
): Promise<ZoneSettings> {
  const key = canonicalKey(zone.apex);
  const found = (await editor.zones()).find(({ settings }) =>
    canonicalKey(parseName(settings.name)) === key
  );
  if (found) return found.settings;
  const { text } = zone;
  throw new CommandError(
    "zone-unknown",
    `There is no zone ${text} in the source`,
    `\`zonecast export ${text} --serial ${target.serial} | zonecast import ${text} -\` makes it anew`,
  );
}

/** The SOA the source's settings make, with the target's serial; undefined when they make none. */
function soaIn(existing: ZoneSettings, { apex, serial }: ZoneVersion): ResourceRecord | undefined {
  try {
    return makeSoa(apex, existing, serial);
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}

/** Settings that make this SOA record; the serial and the default TTL stay the source's. */
function soaSettings(soa: ResourceRecord, existing: ZoneSettings): Settings {
  const { mname, rname, refresh, retry, expire, minimum } = readSoa(soa.rdata);
  return {
    mname: formatName(mname),
    rname: formatName(rname),
    refresh,
    retry,
    expire,
    minimum,
    soaTtl: existing.soaTtl === null && existing.defaultTtl === soa.ttl ? null : soa.ttl,
  };
}

function summary(outcome: Outcome, zone: ZoneName, serial: number, write: boolean): string {
  const { removed, added, soa } = outcome;
  const what = `zone ${zone.text} with serial ${serial}`;
  if (!isChange(outcome)) return `unchanged: the source has ${what} already\n`;
  const counts = `${count(removed.length, "record")} removed, ${added.length} added${
    soa ? ", SOA changed" : ""
  }`;
  return write
    ? `rolled back to ${what}: ${counts}\n`
    : `would roll back to ${what}: ${counts}; nothing was changed\n`;
}
