/** Reads a zone from a master file, a provider's export among them. */
import { equalNames, formatName, type ResourceRecord, TYPE } from "../../dns/mod.ts";
import { readMasterFile } from "../../zone/mod.ts";
import type { Context } from "../command.ts";
import { CommandError } from "../errors.ts";
import type { ZoneName } from "../forms.ts";
import { editOf, type ImportedZone, isSame, refuseOutside, settingsOf } from "./imported.ts";
import { understandExport } from "./provider_export.ts";

/**
 * The zone that a master file holds.
 *
 * @param path  "-" for standard input
 * @throws {CommandError | MasterFileError} it cannot be read, or is no such zone
 */
export async function zoneFromFile(
  path: string,
  zone: ZoneName,
  context: Context,
): Promise<ImportedZone> {
  const given = understandExport(await contentOf(path, context), zone.apex);
  const from = path === "-" ? "standard input" : path;
  const file = readMasterFile(given.text, {
    file: from,
    origin: zone.apex,
    open: (path) => Deno.readFileSync(path),
  });
  const { records: all, notes } = given.mend(file.records);
  const soa = soleSoa(all, zone);
  const records = all.filter(({ type }) => type !== TYPE.SOA);
  refuseOutside(records, zone);
  return {
    settings: settingsOf(zone, soa, file.defaultTtl),
    edits: records.map((record) => editOf(record, zone.apex)),
    from,
    provider: given.provider,
    notes,
  };
}

async function contentOf(path: string, context: Context): Promise<string | Uint8Array> {
  if (path === "-") return await context.readInput();
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new CommandError(
      "import-unreadable",
      `Cannot read ${path}: ${error instanceof Error ? error.message : error}`,
      "check the path, and that you may read it; - is standard input",
      { cause: error },
    );
  }
}

/** The zone's SOA record. The closing one of a transfer's output is the same again. */
function soleSoa(records: readonly ResourceRecord[], zone: ZoneName): ResourceRecord {
  const [soa, ...others] = records.filter(({ type }) => type === TYPE.SOA);
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
