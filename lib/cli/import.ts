/** `zonecast import`. */
import {
  equalNames,
  equalOctets,
  formatName,
  formatRdata,
  formatRelative,
  isSubdomain,
  lowerName,
  type Name,
  type ResourceRecord,
  TYPE,
  typeName,
} from "../dns/mod.ts";
import type { RecordEdit, ZoneSettings } from "../source/mod.ts";
import { escapeControls } from "../ops/mod.ts";
import { type MasterFile, readMasterFile, ZoneBuild } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { type Context, defineCommand } from "./command.ts";
import { CommandError, EXIT } from "./errors.ts";
import { ZONE, type ZoneName } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { number, object, text } from "./json_shape.ts";
import { count } from "./table.ts";
import { readSoa } from "./soa.ts";
import { SOURCE_FLAGS, withEditor } from "./source_flags.ts";

export const importZone = defineCommand({
  name: "import",
  summary: "replace a zone's records by those of a master file",
  details: [
    "Reads an RFC 1035 master file and replaces the zone's settings and records in one " +
    "transaction; the zone is made if it is not there. Its SOA record gives the settings, and " +
    "its serial is one that published serials will lie above. Names are relative to the zone " +
    "until $ORIGIN says otherwise; $INCLUDE is followed.",
  ],
  positionals: [
    { name: "ZONE", help: ZONE.takes },
    { name: "FILE", help: "the master file; - for standard input", isPath: true },
  ],
  flags: { ...JSON_FLAG, ...SOURCE_FLAGS },
  json: object("what was imported", {
    zone: text("the zone"),
    records: number("its records beside the SOA"),
  }),
  examples: [
    "import example.org example.org.zone",
    "import example.org - < example.org.zone",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const content = await contentOf(args[1], context);
    const file = readMasterFile(content, {
      file: args[1] === "-" ? "standard input" : args[1],
      origin: zone.apex,
      open: (path) => Deno.readFileSync(path),
    });
    const soa = soleSoa(file, zone);
    const records = file.records.filter(({ type }) => type !== TYPE.SOA);
    refuseOutside(records, zone);
    const edits = records.map((record) => editOf(record, zone.apex));
    const settings = settingsOf(zone, soa, file.defaultTtl);
    checkServable(zone, settings, edits, context);
    await withEditor(
      flags.source,
      context,
      (editor) => editor.replaceZone(settings, edits),
    );
    if (flags.json) await printJson(context, { zone: zone.text, records: edits.length });
    else {
      await context.print(
        `imported zone ${zone.text}: ${count(edits.length, "record")} beside the SOA\n`,
      );
    }
    return EXIT.GOOD;
  },
});

async function contentOf(path: string, context: Context): Promise<string | Uint8Array> {
  if (path === "-") return await context.readInput();
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new CommandError(
      "import-unreadable",
      `Cannot read ${path}: ${error instanceof Error ? error.message : error}`,
      undefined,
      { cause: error },
    );
  }
}

/** The zone's SOA record. The closing one of a transfer's output is the same again. */
function soleSoa(file: MasterFile, zone: ZoneName): ResourceRecord {
  const [soa, ...others] = file.records.filter(({ type }) => type === TYPE.SOA);
  if (!soa) {
    throw new CommandError(
      "import-no-soa",
      `Cannot import ${zone.text}: the file has no SOA record`,
      "a zone begins with one; `zonecast zone add` makes a zone without a file",
    );
  }
  if (!equalNames(soa.owner, zone.apex)) {
    throw new CommandError(
      "import-other-zone",
      `Cannot import ${zone.text}: the file's SOA record is that of ${formatName(soa.owner)}`,
      "give the zone that the file holds",
    );
  }
  if (others.some((other) => !isSame(other, soa))) {
    throw new CommandError(
      "import-two-soas",
      `Cannot import ${zone.text}: the file has ${others.length + 1} SOA records`,
      "leave only the zone's own",
    );
  }
  return soa;
}

function isSame(a: ResourceRecord, b: ResourceRecord): boolean {
  return equalNames(a.owner, b.owner) && equalOctets(a.rdata, b.rdata);
}

/** Refuses records of other zones: nothing of the file is to vanish in silence. */
function refuseOutside(records: readonly ResourceRecord[], zone: ZoneName): void {
  const outside = records.filter(({ owner }) => !isSubdomain(owner, zone.apex));
  if (outside.length > 0) {
    throw new CommandError(
      "import-outside",
      `Cannot import ${zone.text}: ${count(outside.length, "record")} outside the zone, first ` +
        `${formatName(outside[0].owner)} ${typeName(outside[0].type)}`,
      "names without a last dot are relative to $ORIGIN",
    );
  }
}

/**
 * Judges the zone as the server will. What would not be served is refused; what
 * would be served otherwise than written is warned of.
 */
function checkServable(
  zone: ZoneName,
  settings: ZoneSettings,
  edits: readonly RecordEdit[],
  context: Context,
): void {
  const build = new ZoneBuild(settings);
  for (const edit of edits) build.add(edit);
  const steps = build.finish(undefined, { policy: "increment", nowMs: 0, floors: [] });
  while (!steps.next().done); // steps are places to pause; there is nobody to pause for
  const refused = build.problems.filter(({ scope }) => scope === "row" || scope === "owner");
  for (const { scope, name, type, reason } of build.problems) {
    const what = [name || zone.text, type].filter(Boolean).join(" ");
    const kind = scope === "row" || scope === "owner" ? "" : "warning: ";
    context.complain(escapeControls(`zonecast: ${kind}${what}: ${reason}`));
  }
  if (refused.length === 0) return;
  throw new CommandError(
    "import-unservable",
    `Cannot import ${zone.text}: ${count(refused.length, "problem")}, as above`,
    "mend the file; the zone is as it was",
  );
}

/** A record as the source is to have it. */
export function editOf({ owner, type, ttl, rdata }: ResourceRecord, apex: Name): RecordEdit {
  return {
    name: ownerText(owner, apex),
    type: typeName(type),
    content: formatRdata(type, rdata),
    ttl,
  };
}

/** An owner relative to the zone; absolute where that keeps the case it is written in. */
function ownerText(owner: Name, apex: Name): string {
  const sameCase = equalOctets(owner.subarray(owner.length - apex.length), lowerName(apex));
  return sameCase || owner.length === apex.length ? formatRelative(owner, apex) : formatName(owner);
}

function settingsOf(
  zone: ZoneName,
  soa: ResourceRecord,
  defaultTtl: number | undefined,
): ZoneSettings {
  const { mname, rname, serial, refresh, retry, expire, minimum } = readSoa(soa.rdata);
  return {
    name: zone.text,
    mname: formatName(mname),
    rname: formatName(rname),
    refresh,
    retry,
    expire,
    minimum,
    defaultTtl: defaultTtl ?? soa.ttl,
    soaTtl: soa.ttl,
    // What a source without a floor exports; published serials are above it anyway.
    serialFloor: serial === 0 ? null : serial,
  };
}
