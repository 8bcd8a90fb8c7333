/**
 * The change feed: what it says was touched since a cursor. Runs inside a read's
 * transaction, at its snapshot.
 *
 * A change counts as new when its transaction is visible now and was not at the
 * cursor's snapshot, whatever the order of beginnings and commits. A standby's
 * snapshots do not list running transactions, so there none is left out but
 * those this process has read; reading an owner twice is harmless, missing one
 * is not. For the same reason a new session looks back behind the cursor: a
 * server that crashed may give the numbers of its last, lost transactions again.
 */
import { type FeedCursor, formatCursor, parseCursor, snapshotBounds } from "./feed_cursor.ts";
import type { Sql } from "./postgres_client.ts";
import type { Present } from "./postgres_present.ts";
import { fetchAll } from "./postgres_rows.ts";
import type { PostgresSession } from "./postgres_session.ts";
import type { OwnerScope } from "./source.ts";

/** Transactions below a cursor's xmin in which a new session looks for changes made after it. */
const LOOK_BACK_XIDS = 10_000n;
/** How far the server's clock may have stepped back when it does, in ms. */
const LOOK_BACK_MS = 10_000;
/**
 * Owners touched that are asked for one by one, a hundred octets each; where more were, reading
 * everything costs less, and no memory.
 */
const MAX_OWNERS = 500_000;
/** Transactions of a standby remembered as read; owners of further ones are read again. */
const MAX_REMEMBERED = 10_000;

/** What was touched since a cursor. */
export interface Changes {
  /** Any owner of any zone. */
  readonly everything: boolean;
  /** Owners by zone; empty where only its settings changed. */
  readonly owners: ReadonlyMap<string, OwnerScope>;
  /** Whether a zone was added, removed or changed its settings, or may have. */
  readonly zones: boolean;
  /** When the newest was made, ms since the epoch; undefined when there is none. */
  readonly newestAt: number | undefined;
  /** The transactions that made them, where they must be remembered: on a standby. */
  readonly transactions: readonly string[];
}

/** Rows of the feed that come with the first answer of a read; more are fetched in batches. */
const FIRST_ROWS = 1000;

/** Follows the feed through one session. */
export class FeedFollower {
  /** The cursor of this session's last read; undefined before the first. */
  #last: string | undefined;
  /** Transactions read from a standby that the next read may find again. */
  #read: ReadonlySet<string> = new Set();

  constructor(readonly session: PostgresSession) {}

  /** Whether this session has read before. */
  get isFollowing(): boolean {
    return this.#last !== undefined;
  }

  /** Whether this session's last read ended at this cursor. */
  continues(cursor: string): boolean {
    return this.#last === cursor;
  }

  /** The query for the first of what was touched since a cursor: enough of it to see the end. */
  firstQuery(cursor: FeedCursor): string {
    return `${this.#query(cursor)} limit ${FIRST_ROWS + 1}`;
  }

  /**
   * What was touched between the cursor and the present.
   *
   * @param first  the rows of {@link firstQuery}, in the same transaction
   */
  async changes(
    sql: Sql,
    cursor: FeedCursor,
    present: Present,
    first: readonly ChangeRow[],
  ): Promise<Changes> {
    const owners = new Map<string, Set<string> | "all">();
    let count = 0;
    const found = { everything: false, zones: false, newestAt: undefined as number | undefined };
    const batches = first.length <= FIRST_ROWS
      ? [first]
      : fetchAll<ChangeRow>(sql, this.session, this.#query(cursor));
    for await (const rows of batches) {
      for (const { zone, owner, at } of rows) {
        found.newestAt = Math.max(found.newestAt ?? 0, at);
        if (zone === null || count === MAX_OWNERS) found.everything = true;
        if (found.everything || zone === null) continue;
        count++;
        if (addOwner(owners, zone, owner)) found.zones = true;
      }
    }
    if (found.everything) owners.clear();
    const transactions = present.standby && found.newestAt !== undefined
      ? await this.#transactions(sql, cursor)
      : [];
    return { ...found, zones: found.zones || found.everything, owners, transactions };
  }

  /** Notes that a read succeeded: the next may go on from its cursor. */
  ended(cursor: string, changes: Changes | undefined): void {
    const { xmin } = snapshotBounds(parseCursor(cursor)!.snapshot);
    const all = [...this.#read, ...changes?.transactions ?? []].filter((xid) =>
      BigInt(xid) >= xmin
    );
    this.#read = new Set(all.slice(-MAX_REMEMBERED));
    this.#last = cursor;
  }

  #query(cursor: FeedCursor): string {
    return `select zone, owner, extract(epoch from max(at))::float8 * 1000 as at
      from zonecast.changes where ${this.#condition(cursor)} group by zone, owner`;
  }

  #condition(cursor: FeedCursor): string {
    const { xmin } = snapshotBounds(cursor.snapshot);
    const goesOn = this.continues(formatCursor(cursor));
    let [from, unseen] = [xmin, `not pg_visible_in_snapshot(xid, '${cursor.snapshot}')`];
    if (this.session.identity.standby) {
      const read = goesOn ? [...this.#read] : [];
      unseen = `xid >= '${xmin}' and xid <> all ('{${read.join()}}'::xid8[])`;
    }
    if (!goesOn) {
      from = xmin > LOOK_BACK_XIDS ? xmin - LOOK_BACK_XIDS : 0n;
      unseen += ` or at >= to_timestamp(${(cursor.readAt - LOOK_BACK_MS) / 1000})`;
    }
    // What seems to come from the future came with a dump of another cluster.
    return `xid >= '${from}' and xid < pg_snapshot_xmax(pg_current_snapshot()) and (${unseen})`;
  }

  /** A transaction that is visible is so with all it changed: it need not be read again. */
  async #transactions(sql: Sql, cursor: FeedCursor): Promise<string[]> {
    const rows = await this.session.answer(sql.unsafe<{ xid: string }[]>(
      `select distinct xid::text from zonecast.changes where ${this.#condition(cursor)}
        limit ${MAX_REMEMBERED}`,
    ));
    return rows.map(({ xid }) => xid);
  }
}

export interface ChangeRow {
  readonly zone: string | null;
  readonly owner: string | null;
  readonly at: number;
}

/** Adds what a row of the feed names. Returns whether the zone's settings may have changed. */
function addOwner(
  owners: Map<string, Set<string> | "all">,
  zone: string,
  owner: string | null,
): boolean {
  const before = owners.get(zone);
  if (owner === null) owners.set(zone, "all");
  else if (before === undefined) owners.set(zone, new Set(owner === "" ? [] : [owner]));
  else if (before !== "all" && owner !== "") before.add(owner);
  return owner === null || owner === "";
}
