/** `zonecast export`. */
import {
  canonicalKey,
  formatName,
  isSubdomain,
  parseName,
  parseRdata,
  type ResourceRecord,
  TYPE,
  typeCode,
  ZonecastError,
} from "../dns/mod.ts";
import type { SourceEditor, SourceRow, ZoneSettings } from "../source/mod.ts";
import { type StateStore, versionAt } from "../store/mod.ts";
import { printMasterFile } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { type Context, defineCommand } from "./command.ts";
import { CommandError, EXIT, notPublished, UsageError } from "./errors.ts";
import { optional, toggle } from "./flags.ts";
import { SERIAL, ZONE, type ZoneName } from "./forms.ts";
import { withHistory } from "./history.ts";
import { JSON_FLAG, records as recordList } from "./json_output.ts";
import { number, object, text } from "./json_shape.ts";
import { askOrRead } from "./live.ts";
import { SOURCE_FLAGS, withEditor } from "./source_flags.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { count } from "./table.ts";
import { inPieces, versionJson, versionText, zoneJson } from "./zone_text.ts";

export const exportZone = defineCommand({
  name: "export",
  summary: "print a zone as a master file that `zonecast import` reads back",
  details: [
    "Prints the version now published: from the running server, or, when none is running, from " +
    "its state file. With --serial it prints an earlier version that the journal still leads " +
    "to: `zonecast log` lists them. With --from-source it prints what the source holds instead, " +
    "whether it is published or not.",
  ],
  positionals: [{ name: "ZONE", help: ZONE.takes }],
  flags: {
    serial: optional(SERIAL, { help: "print the zone as it was with this serial", env: false }),
    "from-source": toggle({ help: "print the source's records instead", env: false }),
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
    ...SOURCE_FLAGS,
  },
  json: object("the zone", {
    zone: text("its name"),
    serial: number("its serial; with --from-source the floor of the next, 0 for none"),
    records: recordList("its records, the SOA first"),
  }),
  examples: [
    "export example.org",
    "export example.org --json",
    "export example.org --from-source > example.org.zone",
    "export example.org --serial 1767225600",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const { serial } = flags;
    if (flags["from-source"]) {
      if (serial !== undefined) {
        throw new UsageError("export: --serial and --from-source exclude each other");
      }
      return await withEditor(
        flags.source,
        context,
        (editor) => printSourceZone(editor, zone, flags.json, context),
      );
    }
    const paths = serverPaths(flags, context);
    if (serial !== undefined) {
      const version = await withHistory(
        paths,
        zone,
        context,
        async (history) => versionAt(history, await history.current(), serial),
      );
      const pieces = flags.json ? versionJson(version) : versionText(version);
      for (const piece of pieces) await context.print(piece);
      return EXIT.GOOD;
    }
    if (flags.json) {
      const version = await withHistory(paths, zone, context, (history) => history.current());
      for (const piece of versionJson(version)) await context.print(piece);
      return EXIT.GOOD;
    }
    const request = { command: "export", zone: zone.text };
    const pieces = askOrRead(paths, request, (store) => storedText(store, zone), context);
    for await (const piece of pieces) await context.print(String(piece));
    return EXIT.GOOD;
  },
});

async function* storedText(store: StateStore, zone: ZoneName): AsyncGenerator<string> {
  const { zones } = await store.load();
  const key = canonicalKey(zone.apex);
  const stored = zones.find(({ version }) => version.apexKey === key);
  if (!stored) throw notPublished(zone);
  yield* versionText(stored.version);
}

/** Prints a zone as its source has it; rows that are no records of it as comments. */
async function printSourceZone(
  editor: SourceEditor,
  zone: ZoneName,
  json: boolean,
  context: Context,
): Promise<number> {
  const settings = (await editor.zones())
    .map((found) => found.settings)
    .find(({ name }) => canonicalKey(parseName(name)) === canonicalKey(zone.apex));
  if (!settings) {
    throw new CommandError(
      "zone-unknown",
      `There is no zone ${zone.text} in the source`,
      "`zonecast zones` lists those there are",
    );
  }
  const records: ResourceRecord[] = [soaOf(settings, zone)];
  const bad: string[] = [];
  for (const row of await editor.rows(zone.text)) {
    try {
      records.push(recordOf(row, settings, zone));
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      bad.push(`bad row: ${row.name} ${row.type} ${row.content}: ${error.message}`);
    }
  }
  const comments = [`${formatName(zone.apex)} as its source has it`, ...bad];
  const { defaultTtl, serialFloor } = settings;
  const lines = json
    ? zoneJson(zone.apex, serialFloor ?? 0, records)
    : printMasterFile(zone.apex, records, { comments, defaultTtl });
  for (const piece of inPieces(lines)) await context.print(piece);
  if (bad.length === 0) return EXIT.GOOD;
  for (const line of bad) context.complain(`zonecast: ${line}`);
  throw new CommandError(
    "bad-rows",
    `${count(bad.length, "row")} of ${zone.text} cannot be records${
      json ? "" : "; the output has them as comments"
    }`,
    "mend or remove them in the source",
  );
}

/** The zone's SOA record; its serial is the floor, since only publishing gives one. */
function soaOf(settings: ZoneSettings, zone: ZoneName): ResourceRecord {
  const { mname, rname, serialFloor, refresh, retry, expire, minimum } = settings;
  const content = [mname, rname, serialFloor ?? 0, refresh, retry, expire, minimum].join(" ");
  return {
    owner: zone.apex,
    type: TYPE.SOA,
    ttl: settings.soaTtl ?? settings.defaultTtl,
    rdata: parseRdata(TYPE.SOA, content, zone.apex),
  };
}

/** A source's row as a record. @throws {ZonecastError} it is none of the zone */
export function recordOf(row: SourceRow, settings: ZoneSettings, zone: ZoneName): ResourceRecord {
  const owner = parseName(row.name, zone.apex);
  if (!isSubdomain(owner, zone.apex)) {
    throw new CommandError("record-outside", "it lies outside the zone");
  }
  const type = typeCode(row.type);
  const rdata = parseRdata(type, row.content, zone.apex);
  return { owner, type, ttl: row.ttl ?? settings.defaultTtl, rdata };
}
