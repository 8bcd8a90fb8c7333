/**
 * What there is to read, and what a read finds at its snapshot before it reads anything:
 * the relations, their shape, where the feed stands.
 */
import type { FeedPresent } from "./feed_cursor.ts";
import type { Shape } from "./postgres_rows.ts";
import type { PostgresSession } from "./postgres_session.ts";

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
