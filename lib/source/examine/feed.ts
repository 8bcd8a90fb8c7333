/**
 * Whether the change feed works and goes on from where it was last read.
 *
 * Effects: a probe change, in a transaction that is rolled back: nobody sees it.
 */
import type { Finding } from "../../ops/mod.ts";
import { parseCursor, snapshotBounds } from "../feed_cursor.ts";
import type { Sql } from "../postgres_client.ts";
import { type Examined, found } from "./examination.ts";

/** Rows counted at most: how many there are beyond does not matter. */
const COUNTED = 1_000_000;
/** Pruning is given so much more time than it should need. */
const PRUNE_GRACE = 2;

export interface FeedOptions {
  /** The cursor that the state file keeps; undefined: it has none; null: it is not looked at. */
  readonly cursor: string | undefined | null;
  readonly retentionMs: number;
}

export async function* examineFeed(
  examined: Examined,
  options: FeedOptions,
): AsyncGenerator<Finding> {
  const { relations, standby, sql } = examined;
  if (!relations.has("changes") || !relations.has("feed_floor")) {
    yield found(
      "feed",
      "bad",
      "the schema has no change feed: each change makes zonecast read everything",
      "bring it up to date: zonecast schema apply",
    );
    return;
  }
  yield await probe(sql, standby);
  if (options.cursor !== null) yield await aboutCursor(sql, options.cursor);
  yield await aboutPruning(sql, options.retentionMs);
}

/** Says that an owner changed, looks whether the feed has it, and takes it back. */
async function probe(sql: Sql, standby: boolean): Promise<Finding> {
  if (standby) {
    return found("feed-probe", "unknown", "on a standby no change can be tried out");
  }
  await sql.unsafe("begin");
  try {
    // Of a zone that cannot be: should anybody see it, nothing is read for it.
    await sql`select zonecast.touch('zonecast-doctor.invalid', array['probe'])`;
    const [{ noted }] = await sql<{ noted: number }[]>`
      select count(*)::integer as noted from zonecast.changes
      where xid = pg_current_xact_id() and owner = 'probe.zonecast-doctor.invalid.'`;
    return noted === 1
      ? found("feed-probe", "good", "a change that is told is in the feed (rolled back)")
      : found(
        "feed-probe",
        "bad",
        `zonecast.touch wrote ${noted} rows into the feed, not 1`,
        "the schema's function was altered: zonecast schema apply on a fresh schema restores it",
      );
  } finally {
    await sql.unsafe("rollback");
  }
}

async function aboutCursor(sql: Sql, text: string | undefined): Promise<Finding> {
  if (text === undefined) {
    return found("feed-cursor", "good", "nothing was read yet: the first read is of everything");
  }
  const cursor = parseCursor(text);
  if (!cursor) {
    return found(
      "feed-cursor",
      "warning",
      "the state file was used with another source: the next read is of everything",
      "where that is not meant, look at --source and --state",
    );
  }
  const { xmin } = snapshotBounds(cursor.snapshot);
  const [{ floor, ahead, waiting }] = await sql<
    { floor: string; ahead: boolean; waiting: number }[]
  >`
    select (select xid::text from zonecast.feed_floor) as floor,
      pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(${cursor.snapshot}::pg_snapshot)
        as ahead,
      (select count(*)::integer from (
        select from zonecast.changes where xid >= ${String(xmin)}::xid8
          and not pg_visible_in_snapshot(xid, ${cursor.snapshot}::pg_snapshot)
        limit ${COUNTED}) as counted) as waiting`;
  const since = new Date(cursor.readAt).toISOString();
  if (ahead) {
    return found(
      "feed-cursor",
      "warning",
      `the database is older than what was last read from it (${since}): it is read anew`,
      "was it restored from a backup, or is it another one?",
    );
  }
  if (BigInt(floor ?? 0) > xmin) {
    return found(
      "feed-cursor",
      "warning",
      `the feed since the last read (${since}) was pruned: the next read is of everything`,
      "raise --feed-retention if zonecast is away for longer",
    );
  }
  return found(
    "feed-cursor",
    "good",
    `read up to ${since}, ${waiting} ${waiting === 1 ? "owner" : "owners"} noted since then`,
  );
}

async function aboutPruning(sql: Sql, retentionMs: number): Promise<Finding> {
  const [{ rows, oldest_ms }] = await sql<{ rows: number; oldest_ms: number | null }[]>`
    select (select count(*)::integer from (
        select from zonecast.changes limit ${COUNTED}) as counted) as rows,
      (select extract(epoch from clock_timestamp() - at) * 1000 from zonecast.changes
        order by xid limit 1)::float8 as oldest_ms`;
  const days = ((oldest_ms ?? 0) / 86_400_000).toFixed(1);
  const many = rows === COUNTED ? `${rows} rows and more` : `${rows} rows`;
  if ((oldest_ms ?? 0) <= retentionMs * PRUNE_GRACE) {
    return found("feed-size", "good", `the feed has ${many}, the oldest ${days} days old`);
  }
  return found(
    "feed-size",
    "warning",
    `the feed is not pruned: it has ${many}, the oldest ${days} days old`,
    "a running zonecast prunes it, if its role may delete from zonecast.changes and an old " +
      "transaction, or a prepared one, does not hold it up: see pg_prepared_xacts and " +
      "pg_stat_activity",
  );
}
