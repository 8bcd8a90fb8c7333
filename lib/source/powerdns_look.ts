/**
 * PowerDNS' zones as the shell's commands see them: to look at, not to change.
 * All is empty where no PowerDNS tables are served.
 */
import { storedZoneName } from "./edit_rules.ts";
import { SourceError } from "./errors.ts";
import type { Sql } from "./postgres_client.ts";
import { type PowerdnsRecord, powerdnsRow, type PowerdnsZone, powerdnsZone } from "./powerdns.ts";
import type { SourceRow, ZoneSettings } from "./source.ts";

/** PowerDNS' zones that `zonecast.zones` has not, with the number of their records. */
export async function powerdnsZones(
  sql: Sql,
): Promise<{ settings: ZoneSettings; records: number }[]> {
  if (!await isServed(sql)) return [];
  const zones = await sql<(PowerdnsZone & { records: number })[]>`
    select zone.name, zone.content, zone.ttl, (
      select count(*) from zonecast.powerdns_records as record where record.zone = zone.name
    ) as records
    from zonecast.powerdns_zones as zone
    where not exists (select from zonecast.zones as own where own.name = zone.name)
    order by zone.name`;
  return zones.map(({ records, ...zone }) => ({ settings: powerdnsZone(zone), records }));
}

/** The enabled rows of a PowerDNS zone; undefined when it is none. */
export async function powerdnsRows(sql: Sql, zone: string): Promise<SourceRow[] | undefined> {
  if (!await isPowerdnsZone(sql, zone)) return undefined;
  const rows = await sql<PowerdnsRecord[]>`
    select zone, name, type, ttl, content, prio from zonecast.powerdns_records
    where zone = ${storedZoneName(zone)}`;
  return rows.map(powerdnsRow);
}

/** @throws {SourceError} code "source-view": the zone is PowerDNS' */
export async function refusePowerdns(sql: Sql, zone: string): Promise<void> {
  if (!await isPowerdnsZone(sql, zone)) return;
  throw new SourceError(
    "source-view",
    `Cannot change zone "${zone}": it lives in PowerDNS' tables`,
    "change it there: with pdnsutil, PowerDNS' API or SQL",
  );
}

async function isPowerdnsZone(sql: Sql, zone: string): Promise<boolean> {
  if (!await isServed(sql)) return false;
  const found = await sql`
    select from zonecast.powerdns_zones where name = ${storedZoneName(zone)}`;
  return found.count > 0;
}

async function isServed(sql: Sql): Promise<boolean> {
  const [{ served }] = await sql<{ served: boolean }[]>`
    select to_regclass('zonecast.powerdns_zones') is not null as served`;
  return served;
}
