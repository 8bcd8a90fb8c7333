/** Reads a zone from a server, by AXFR. */
import { type ResourceRecord, TYPE } from "../../dns/mod.ts";
import { Asker, fetchZone } from "../../server/mod.ts";
import type { Context } from "../command.ts";
import type { ZoneName } from "../forms.ts";
import { Progress } from "../progress.ts";
import { type AskFlags, AskSetup, serverName, type ServerText } from "../server_form.ts";
import { editOf, type ImportedZone, refuseOutside, settingsOf } from "./imported.ts";

/**
 * The zone that a server transfers.
 *
 * @throws {TransferError | AskError} it refuses, falls silent, or is not believed
 * @throws {KeyFileError | UsageError | CommandError} a key or the server is not to be had
 */
export async function zoneFromServer(
  written: ServerText,
  flags: AskFlags,
  zone: ZoneName,
  context: Context,
): Promise<ImportedZone> {
  const setup = await AskSetup.read(flags, context);
  const server = await setup.server(written);
  const from = serverName(written, server);
  using asker = new Asker({ ca: setup.authorities });
  using progress = new Progress(context);
  const records: ResourceRecord[] = [];
  let soa: ResourceRecord | undefined;
  for await (const part of fetchZone(asker, server, zone.apex)) {
    soa = part.soa;
    for (const record of part.records) records.push(record);
    progress.show(`${from}: records`, records.length);
  }
  const others = records.filter(({ type }) => type !== TYPE.SOA);
  refuseOutside(others, zone);
  return {
    settings: settingsOf(zone, soa!, undefined),
    edits: others.map((record) => editOf(record, zone.apex)),
    from,
    notes: [],
  };
}
