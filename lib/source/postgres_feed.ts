/**
 * The change feed: what it says was touched since a cursor, and whether it can
 * be followed at all. Runs inside a read's transaction, at its snapshot.
 *
 * A change counts as new when its transaction is visible now and was not at the
 * cursor's snapshot, whatever the order of beginnings and commits. A standby's
 * snapshots do not list running transactions, so there none is left out but
 * those this process has read; reading an owner twice is harmless, missing one
 * is not. For the same reason a new session looks back behind the cursor: a
 * server that crashed may give the numbers of its last, lost transactions again.
 */
import {
  type FeedCursor,
  type FeedPresent,
  formatCursor,
  parseCursor,
  snapshotBounds,
} from "./feed_cursor.ts";
import type { Sql } from "./postgres_client.ts";
import { fetchAll, type Shape } from "./postgres_rows.ts";
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

/** What a read finds at its snapshot. */
export interface Present extends FeedPresent, Shape {
  /** The server's clock, in ms since the epoch. */
  readonly readAt: number;
  /** When it showed that, by this process's monotonic clock, in ms. */
  readonly readTick: number;
  /** Whether zones is a table, whose triggers tell of every change. */
  readonly zonesTable: boolean;
  /** Whether what was written back can be read. */
  readonly told: boolean;
}

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

/** Why the feed cannot be followed, and what to do; undefined when it can be. */
export interface FeedObstacle {
  readonly reason: string;
  readonly hint: string;
}

/** What there is to read, as far as it must be known before anything is locked. */
export interface Inventory {
  /** Why there is no feed that the role may read; undefined when there is one. */
  readonly obstacle: FeedObstacle | undefined;
  /** Whether tables of PowerDNS are served too. */
  readonly powerdns: boolean;
  /** Whether anything read is a view, whose definition is to be looked at. */
  readonly views: boolean;
  /** Whether approvals of what is held can be read. */
  readonly approvals: boolean;
}

/** The relations read, as far as they are there. */
const RELATIONS = `'zonecast.records'::regclass, 'zonecast.zones'::regclass,
            to_regclass('zonecast.powerdns_zones'), to_regclass('zonecast.powerdns_records')`;

/** Whether one of them is a view. */
const ANY_VIEW = `exists (select from pg_class where oid in (${RELATIONS})
        and relkind in ('v', 'm'))`;

/** Takes no lock; meant to be asked before the read's transaction. */
export async function takeInventory(session: PostgresSession): Promise<Inventory> {
  const [{ readable, powerdns, views, approvals }] = await session.answer(
    session.reader.sql.unsafe<InventoryRow[]>(`
    select has_table_privilege(to_regclass('zonecast.changes'), 'select')
        and has_table_privilege(to_regclass('zonecast.feed_floor'), 'select') as readable,
      to_regclass('zonecast.powerdns_records') is not null as powerdns,
      coalesce(has_table_privilege(to_regclass('zonecast.approvals'), 'select'), false)
        as approvals,
      ${ANY_VIEW} as views`),
  );
  return {
    obstacle: readable ? undefined : readable === null ? NO_FEED : FEED_FORBIDDEN,
    powerdns,
    views,
    approvals,
  };
}

interface InventoryRow {
  readonly readable: boolean | null;
  readonly powerdns: boolean;
  readonly views: boolean;
  readonly approvals: boolean;
}

const NO_FEED: FeedObstacle = {
  reason: "the schema has no change feed",
  hint: 'bring it up to date: "zonecast schema apply"',
};
const FEED_FORBIDDEN: FeedObstacle = {
  reason: "the role may not read the change feed",
  hint: "grant select on zonecast.changes, zonecast.feed_floor",
};

/** What there is now, from the row of {@link presentQuery}. */
export function presentOf(row: PresentRow, session: PostgresSession): Present {
  return {
    ...session.identity,
    oids: [row.database_oid, row.zones_oid, row.records_oid, row.changes_oid ?? 0],
    views: row.views,
    snapshot: row.snapshot,
    floor: BigInt(row.floor ?? 0),
    readAt: Math.floor(row.read_at),
    readTick: performance.now() - (row.read_at - Math.floor(row.read_at)),
    columns: { owner: row.owner, disabled: row.disabled },
    powerdns: row.powerdns,
    zonesTable: row.zones_table,
    told: row.told,
  };
}

export interface PresentRow {
  readonly read_at: number;
  readonly snapshot: string;
  readonly database_oid: number;
  readonly zones_oid: number;
  readonly records_oid: number;
  readonly changes_oid: number | null;
  readonly floor: string | null;
  readonly views: string;
  readonly owner: boolean;
  readonly disabled: boolean;
  readonly powerdns: boolean;
  /** Whether anything read is a view. */
  readonly any_view: boolean;
  readonly zones_table: boolean;
  readonly told: boolean;
}

/** The relations that are views, and the views behind them. */
const VIEWS_BEHIND = `
    with recursive behind (oid) as (
      select oid from pg_class
        where oid in (${RELATIONS})
          and relkind in ('v', 'm')
      union
      select relation.oid from behind
        join pg_rewrite as rule on rule.ev_class = behind.oid
        join pg_depend as link on link.classid = 'pg_rewrite'::regclass
          and link.objid = rule.oid and link.refclassid = 'pg_class'::regclass
        join pg_class as relation on relation.oid = link.refobjid
          and relation.relkind in ('v', 'm'))`;

/**
 * The query that looks around, and fixes the transaction's snapshot. Planning the part
 * about views takes longer than all else of a small read: it is there when there are any.
 */
export function presentQuery({ obstacle, views }: Inventory): string {
  const hasColumn = (name: string) =>
    `exists (select from pg_attribute where attrelid = 'zonecast.records'::regclass
      and attname = '${name}' and not attisdropped) as ${name}`;
  return `${views ? VIEWS_BEHIND : ""}
    select pg_current_snapshot()::text as snapshot,
      extract(epoch from clock_timestamp())::float8 * 1000 as read_at,
      (select oid::int8 from pg_database where datname = current_database()) as database_oid,
      'zonecast.zones'::regclass::int8 as zones_oid,
      'zonecast.records'::regclass::int8 as records_oid,
      ${
    obstacle
      ? "null as changes_oid, null as floor,"
      : `'zonecast.changes'::regclass::int8 as changes_oid,
      (select xid::text from zonecast.feed_floor) as floor,`
  }
      ${
    views
      ? `(select coalesce(md5(string_agg(rule.ev_action::text, ' ' order by rule.oid)), '')
        from behind join pg_rewrite as rule on rule.ev_class = behind.oid)`
      : "''::text"
  } as views,
      ${ANY_VIEW} as any_view,
      ${hasColumn("owner")}, ${hasColumn("disabled")},
      to_regclass('zonecast.powerdns_records') is not null as powerdns,
      (select relkind in ('r', 'p') from pg_class
        where oid = 'zonecast.zones'::regclass) as zones_table,
      coalesce(has_table_privilege(to_regclass('zonecast.published'), 'select')
        and has_table_privilege(to_regclass('zonecast.problems'), 'select'), false)
        as told`;
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
