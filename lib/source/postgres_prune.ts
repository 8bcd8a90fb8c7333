/**
 * Pruning: changes that every reader had time to read, versions published long
 * ago, and what a zonecast that is gone has left.
 *
 * A reader that was away for longer sees by the floor that changes are missing.
 */
import type { Sql } from "./postgres_client.ts";
import type { PostgresWriter } from "./postgres_write.ts";

/** Rows deleted in one transaction. */
const BATCH_ROWS = 5000;
/** Locks out others who prune; any constant that nobody else uses. */
const ADVISORY_LOCK = 0x7a6f6e66;

/**
 * Deletes what is older than the retention. Returns the number of rows.
 *
 * Effects: many short transactions.
 *
 * @param instance  who prunes, and therefore is not gone; undefined when it never wrote back
 * @throws {SourceError} Postgres refuses, or is away
 */
export async function prune(
  writer: PostgresWriter,
  retentionMs: number,
  instance: string | undefined,
): Promise<number> {
  let pruned = 0;
  for (const step of [pruneChanges, pruneForeign, prunePublished, pruneGone]) {
    let rows: number;
    do {
      rows = await writer.transaction(async (sql) => {
        const [{ alone }] = await sql<{ alone: boolean }[]>`
          select pg_try_advisory_xact_lock(${ADVISORY_LOCK}::bigint) as alone`;
        return alone ? await step(sql, retentionMs / 1000, instance) : 0;
      });
      pruned += rows;
    } while (rows >= BATCH_ROWS);
  }
  return pruned;
}

/**
 * Changes, the oldest transactions first; none that is not below every running
 * one, so that the floor lies below the snapshots of readers that keep up.
 */
async function pruneChanges(sql: Sql, seconds: number): Promise<number> {
  const [{ rows }] = await sql<{ rows: number }[]>`
    with head as (
      select ctid as place, xid, at from zonecast.changes order by xid limit ${BATCH_ROWS}
    ), gone as (
      delete from zonecast.changes where ctid = any (array(
        select place from head
        where at < clock_timestamp() - make_interval(secs => ${seconds})
          and xid < pg_snapshot_xmin(pg_current_snapshot())))
      returning xid
    ), floor as (
      update zonecast.feed_floor as floor
      set xid = greatest(floor.xid, (last.xid::text::numeric + 1)::text::xid8)
      from (select xid from gone order by xid desc limit 1) as last
    )
    select count(*)::integer as rows from gone`;
  return rows;
}

/** Changes that a dump of another cluster brought: their transactions are yet to come here. */
async function pruneForeign(sql: Sql, seconds: number): Promise<number> {
  const { count } = await sql`
    delete from zonecast.changes where xid >= pg_snapshot_xmax(pg_current_snapshot())
      and at < clock_timestamp() - make_interval(secs => ${seconds})`;
  return count > 0 ? 1 : 0;
}

/** Versions, but each zone's newest. */
async function prunePublished(sql: Sql, seconds: number): Promise<number> {
  const { count } = await sql`
    delete from zonecast.published where ctid = any (array(
      select old.ctid from zonecast.published as old
      where old.published_at < clock_timestamp() - make_interval(secs => ${seconds})
        and exists (select from zonecast.published as newer
          where newer.zone = old.zone and newer.published_at > old.published_at)
      limit ${BATCH_ROWS}))`;
  return count;
}

/** What is known of readers that are gone, of their secondaries, and of secondaries of no zone. */
async function pruneGone(
  sql: Sql,
  seconds: number,
  instance: string | undefined,
): Promise<number> {
  await sql`update zonecast.readers set read_at = clock_timestamp()
    where instance = ${instance ?? ""}`;
  await sql`delete from zonecast.readers
    where read_at < clock_timestamp() - make_interval(secs => ${seconds})`;
  await sql`delete from zonecast.secondaries as gone
    where zonecast.find_zone(gone.zone) is null
      or not exists (select from zonecast.readers as reader where reader.instance = gone.instance
        and (reader.secondaries is null or gone.secondary = any (reader.secondaries)))`;
  return 0;
}
