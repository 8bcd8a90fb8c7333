/** What should have arrived: the sum of what stands in the database's table, to compare with. */
import type postgres from "postgres";
import { assertEquals } from "@std/assert";
import type { Sinks, ZoneSum } from "./sinks.ts";

/**
 * The sum of all records in the table, or of one zone's.
 *
 * Effects: Postgres writes them into a file, which the sinks read; it is removed.
 *
 * @param dir  a directory for the file
 */
export async function tableSum(
  sinks: Sinks,
  sql: postgres.Sql,
  dir: string,
): Promise<ZoneSum> {
  const place = await Deno.makeTempDir({ dir });
  await Deno.chmod(dir, 0o755);
  await Deno.chmod(place, 0o777); // Postgres may run as another user
  try {
    const file = `${place}/records`;
    await sql.unsafe(`copy (
      select record.owner || ' ' || coalesce(record.ttl, zone.default_ttl) || ' '
          || record.type || ' ' || record.content
        from zonecast.records as record join zonecast.zones as zone on zone.name = record.zone
        where not record.disabled) to '${file}'`);
    return await sinks.sumOf(file);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

/** Fails unless what arrived somewhere is what stands in the table. */
export function assertArrived(arrived: ZoneSum, table: ZoneSum, where: string): void {
  const only = ({ records, sum }: ZoneSum) => ({ records, sum });
  assertEquals(only(arrived), only(table), `What ${where} has is not what the table has`);
}
