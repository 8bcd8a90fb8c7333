/**
 * Most reads are of a few owners: those in one round trip, by one statement that
 * the server has parsed and planned before.
 *
 * It gives what there is, what was touched and the records of those owners, at
 * one snapshot, in a transaction of its own. Whatever is more than that is left
 * to an ordinary read.
 *
 * Owns: the statement prepared in the session.
 *
 * Limitations: not through a pooler that gives each transaction another
 * connection, not for views (a view of the user's is asked owner by owner as its
 * indexes serve it best), not for PowerDNS' tables, not from a standby.
 */
import { type FeedCursor, snapshotBounds } from "./feed_cursor.ts";
import { runAll } from "./postgres_client.ts";
import type { ChangeRow } from "./postgres_feed.ts";
import {
  type Inventory,
  type Present,
  presentOf,
  presentQuery,
  type PresentRow,
} from "./postgres_present.ts";
import { type RawRow, type RecordColumns, selectRecords, sourceRow } from "./postgres_rows.ts";
import type { PostgresSession } from "./postgres_session.ts";
import type { SourceRow } from "./source.ts";

/** Changes, and records of their owners, that are read so; more are read in batches. */
const MAX_CHANGES = 50;
const MAX_RECORDS = 500;
/** After so many failures in a row the session is not asked again so. */
const MAX_FAILURES = 3;
/** postgres.js keeps a shorter message back for a turn of the event loop. */
const SENT_AT_ONCE = 1024;
/** Another session keeps a table locked: an ordinary read waits for it. */
const LOCKED = "55P03";

/** What a quick read gives. */
export interface QuickReading {
  readonly present: Present;
  /** All that was touched. */
  readonly changes: readonly ChangeRow[];
  /** The enabled records of the owners touched. */
  readonly records: SourceRow[];
}

export class QuickReader {
  /** The columns that the statement reads; undefined while none is prepared. */
  #prepared: (RecordColumns & { readonly name: string }) | undefined;
  #preparing: Promise<void> | undefined;
  #statements = 0;
  #failures = 0;

  constructor(readonly session: PostgresSession) {}

  /**
   * Has the server plan the statement, in the background.
   *
   * @param present  what an ordinary read has just found
   */
  prepare(inventory: Inventory, present: Present): void {
    const { identity, hears } = this.session;
    const { columns, zonesTable } = present;
    const isPlain = !inventory.obstacle && !inventory.views && !inventory.powerdns &&
      columns.owner && zonesTable;
    // Where notifications are heard, there is no pooler that changes connections.
    if (!isPlain || identity.standby || !hears || this.#failures >= MAX_FAILURES) return;
    if (this.#prepared && isSame(this.#prepared, columns)) return;
    this.#prepared = undefined;
    this.#preparing = this.#prepare(quickQuery(inventory, columns), columns)
      .catch(() => {}) // the connection is gone, of which is told
      .finally(() => this.#preparing = undefined);
  }

  /** The statement being prepared, if it is: no read is to be begun meanwhile. Never rejects. */
  get preparing(): Promise<void> | undefined {
    return this.#preparing;
  }

  /**
   * What was touched since a cursor of this session; undefined where that needs an
   * ordinary read. No transaction is left open.
   *
   * @throws the session's end
   */
  async read(cursor: FeedCursor): Promise<QuickReading | undefined> {
    const prepared = this.#prepared;
    if (!prepared) return undefined;
    const { session } = this;
    const { xmin } = snapshotBounds(cursor.snapshot);
    const statements = [
      BEGIN,
      LOCK, // before the snapshot, as an ordinary read does; that one waits for it
      `execute ${prepared.name} ('${xmin}', '${cursor.snapshot}')`,
      "commit",
    ];
    let answer: string;
    try {
      const [[row]] = await session.answer(
        runAll(session.reader.sql, statements, SENT_AT_ONCE),
      );
      answer = String(row.reading);
    } catch (error) {
      if (!session.alive || session.reader.closed) throw error;
      await this.#failed(error);
      return undefined;
    }
    this.#failures = 0;
    const [row, changes, records]: [PresentRow, ChangeRow[], RawRow[]] = JSON.parse(answer);
    if (changes.length > MAX_CHANGES || records.length > MAX_RECORDS) return undefined;
    const present = presentOf(row, session);
    if (row.any_view || row.powerdns || !isSame(present.columns, prepared)) return undefined;
    return { present, changes, records: records.map(sourceRow) };
  }

  async #prepare(query: string, columns: RecordColumns): Promise<void> {
    const name = `zonecast_${++this.#statements}`;
    try {
      const prepare = `prepare ${name} (xid8, pg_snapshot) as ${query}`;
      // Locked: who drops or alters the tables is never waited for with some of them in hand.
      const statements = [BEGIN, LOCK, prepare, "commit"];
      await this.session.answer(runAll(this.session.reader.sql, statements));
      this.#prepared = { ...columns, name };
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** The ordinary read that follows finds out, and tells, what is wrong. */
  async #failed(error: unknown): Promise<void> {
    const { session } = this;
    if (session.reader.closed) return;
    await session.answer(session.reader.sql.unsafe("rollback"));
    if (error instanceof Error && "code" in error && error.code === LOCKED) return;
    this.#failures++;
    this.#prepared = undefined; // until an ordinary read has found what there is now
  }
}

function isSame(a: RecordColumns, b: RecordColumns): boolean {
  return a.owner === b.owner && a.disabled === b.disabled;
}

const BEGIN = "begin isolation level repeatable read read only";
/** What an ordinary read locks, and what else the statement reads of ours. */
const LOCK = `lock table zonecast.zones, zonecast.records, zonecast.changes, zonecast.feed_floor
  in access share mode nowait`;

/** One JSON text: reading it costs less than rows with a description of each column. */
function quickQuery(inventory: Inventory, columns: RecordColumns): string {
  return `
    with touched as materialized (
      select zone, owner, extract(epoch from at)::float8 * 1000 as at from zonecast.changes
        where xid >= $1 and xid < pg_snapshot_xmax(pg_current_snapshot())
          and not pg_visible_in_snapshot(xid, $2)
        limit ${MAX_CHANGES + 1}),
    record as (
      select found.* from (select distinct zone, owner from touched) as asked
        cross join lateral (
          ${selectRecords(columns, ["zone = asked.zone", "owner = asked.owner"])}
          offset 0) as found -- one owner after the other, by the index
        limit ${MAX_RECORDS + 1})
    select json_build_array(
      (select row_to_json(present) from (${presentQuery(inventory)}) as present),
      (select coalesce(json_agg(touched), '[]') from touched),
      (select coalesce(json_agg(record), '[]') from record))::text as reading`;
}
