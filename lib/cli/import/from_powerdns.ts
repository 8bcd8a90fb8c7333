/** Reads a zone from a PowerDNS database. */
import { readPowerdnsZone, type RecordEdit, type SourceRow } from "../../source/mod.ts";
import type { Context } from "../command.ts";
import type { ZoneName } from "../forms.ts";
import { Progress } from "../progress.ts";
import { count } from "../table.ts";
import type { ImportedZone } from "./imported.ts";

/** @throws {SourceError} the database cannot be read, or has no such zone */
export async function zoneFromPowerdns(
  url: string,
  zone: ZoneName,
  context: Context,
): Promise<ImportedZone> {
  using progress = new Progress(context);
  const { settings, rows, disabled } = await progress.during(
    "reading PowerDNS' tables",
    readPowerdnsZone(url, zone.text),
  );
  const notes = disabled > 0 ? [`${count(disabled, "row")} left out: disabled there`] : [];
  return {
    settings: { ...settings, name: zone.text },
    edits: rows.map((row) => editOfRow(row, zone)),
    from: "PowerDNS' database",
    provider: "PowerDNS",
    notes,
  };
}

/** PowerDNS' names are absolute; ours, in the zone, relative. */
function editOfRow({ name, type, ttl, content }: SourceRow, zone: ZoneName): RecordEdit {
  const suffix = `${zone.text}.`;
  const lower = name.toLowerCase();
  const relative = lower === suffix
    ? "@"
    : lower.endsWith(`.${suffix}`)
    ? name.slice(0, -suffix.length - 1)
    : name;
  return { name: relative, type, ttl, content };
}
