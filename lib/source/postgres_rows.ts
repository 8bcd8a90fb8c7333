/**
 * Rows out of Postgres in batches, within a read's transaction: everything, all
 * of a zone, or some of its owners.
 *
 * Each batch is asked for while the one before is taken.
 */
import { inline, type Sql } from "./postgres_client.ts";
import type { PostgresSession } from "./postgres_session.ts";
import {
  powerdnsName,
  type PowerdnsRecord,
  powerdnsRow,
  type PowerdnsZone,
  powerdnsZone,
} from "./powerdns.ts";
import type { OwnerScope, SourceRow, ZoneSettings } from "./source.ts";

/**
 * Rows fetched at a time, some 50 KB of records: so few are gone before V8 takes them
 * for long-lived, and a large read leaves no large heap.
 */
const BATCH_ROWS = 500;
/** Owners asked for at a time; most have a row or two, so that a batch is no larger than those. */
const BATCH_OWNERS = 250;
/** Zones asked for at a time, of which owners are read, or all. */
const BATCH_ZONES = 50;

/** Which columns records has beside those it must have. */
export interface RecordColumns {
  readonly owner: boolean;
  readonly disabled: boolean;
}

/** What is read besides `zones` and `records`, or of them. */
export interface Shape {
  readonly columns: RecordColumns;
  /** Whether tables of PowerDNS are served too. */
  readonly powerdns: boolean;
}

/** The zones there are. */
export interface Zones {
  readonly settings: readonly ZoneSettings[];
  /** Names of those that PowerDNS' tables have. */
  readonly powerdns: ReadonlySet<string>;
}

/** A row as it comes: a view may give any type, and null. */
export type RawRow = Record<keyof SourceRow, unknown>;

/** An array as Postgres reads it; postgres.js, without the server's types, cannot write one. */
export function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join()}}`;
}

let cursors = 0;

/** A query's rows in batches, at the transaction's snapshot. */
export async function* fetchAll<T extends object>(
  sql: Sql,
  session: PostgresSession,
  query: string,
  parameters: string[] = [],
): AsyncGenerator<readonly T[]> {
  const cursor = `zonecast_${++cursors}`;
  const declared = session.answer(
    sql.unsafe(`declare ${cursor} no scroll cursor for ${query}`, parameters),
  );
  const fetch = () => {
    const rows = session.answer(sql.unsafe<T[]>(`fetch ${BATCH_ROWS} from ${cursor}`));
    rows.catch(() => {}); // awaited in the next round; until then nobody looks at it
    return rows;
  };
  let fetching = fetch();
  await declared;
  for (;;) {
    const rows = await fetching;
    const full = rows.length === BATCH_ROWS;
    if (full) fetching = fetch();
    if (rows.length > 0) yield rows;
    if (!full) return;
  }
}

export function selectRecords({ owner, disabled }: RecordColumns, conditions: string[]): string {
  const all = disabled ? [...conditions, "disabled is not true"] : conditions;
  return `select zone, name, type, ttl, content${owner ? ", owner" : ""} from zonecast.records
    ${all.length > 0 ? "where " : ""}${all.join(" and ")}`;
}

/** Every enabled record of `records`. */
export async function* readAllRecords(
  sql: Sql,
  session: PostgresSession,
  columns: RecordColumns,
): AsyncGenerator<SourceRow[]> {
  const query = selectRecords(columns, []);
  for await (const rows of fetchAll<RawRow>(sql, session, query)) yield rows.map(sourceRow);
}

const POWERDNS_RECORDS =
  "select zone, name, type, ttl, content, prio from zonecast.powerdns_records";

/** Every record of PowerDNS' zones; of a domain without a SOA there is none. */
export async function* readPowerdnsRecords(
  sql: Sql,
  session: PostgresSession,
  { powerdns }: Zones,
): AsyncGenerator<SourceRow[]> {
  for await (const rows of fetchAll<PowerdnsRecord>(sql, session, POWERDNS_RECORDS)) {
    yield rows.filter(({ zone }) => powerdns.has(zone)).map(powerdnsRow);
  }
}

/** The query for some owners of a zone: it must serve a view of the user's, through its indexes. */
export function ownersQuery(columns: RecordColumns): string {
  return selectRecords(columns, ["zone = $1", "owner = any ($2::text[])"]);
}

/** {@link ownersQuery} for a zone of PowerDNS, its names as PowerDNS spells them. */
export const POWERDNS_OWNERS = `${POWERDNS_RECORDS} where zone = $1 and name = any ($2::text[])`;

/** How to ask for records of a zone. */
interface ZoneQueries {
  readonly all: string;
  readonly owners: string;
  /** An owner's normal form as the query compares it. */
  readonly spell: (owner: string) => string;
  readonly row: (row: never) => SourceRow;
}

/**
 * The enabled records of these owners. The transaction ends with the last query where that is
 * possible: a message and an answer less.
 *
 * @param maxRecords  of a zone read whole, one row more than this at most
 * @returns whether it was ended
 */
export async function* readOwners(
  sql: Sql,
  session: PostgresSession,
  columns: RecordColumns,
  zones: Zones,
  scope: ReadonlyMap<string, OwnerScope>,
  maxRecords = Infinity,
): AsyncGenerator<SourceRow[], boolean> {
  const own: ZoneQueries = {
    all: selectRecords(columns, ["zone = $1"]),
    owners: ownersQuery(columns),
    spell: (owner) => owner,
    row: sourceRow,
  };
  const powerdns: ZoneQueries = {
    all: `${POWERDNS_RECORDS} where zone = $1`,
    owners: POWERDNS_OWNERS,
    spell: powerdnsName,
    row: powerdnsRow,
  };
  const queriesOf = (zone: string) => zones.powerdns.has(zone) ? powerdns : own;
  const kinds = zones.powerdns.size > 0 ? [own, powerdns] : [own];
  for (const queries of kinds) {
    for (const { query, row } of zoneBatches(queries, scope, queriesOf, maxRecords)) {
      for await (const rows of fetchAll<never>(sql, session, query)) yield rows.map(row);
    }
  }
  const batches = kinds.flatMap((queries) => [...ownerBatches(queries, scope, queriesOf)]);
  let asked: Promise<SourceRow[]> | undefined;
  for (const [index, { query, row }] of batches.entries()) {
    const isLast = index === batches.length - 1;
    const next = session.answer(sql.unsafe<never[]>(isLast ? `${query};\ncommit` : query))
      .then((rows) => rows.map(row));
    next.catch(() => {}); // awaited in the next round
    if (asked) yield await asked;
    asked = next;
  }
  if (asked) yield await asked;
  return batches.length > 0;
}

/** One query for records of up to {@link BATCH_ZONES} zones. */
interface ZoneBatch {
  readonly query: string;
  readonly row: ZoneQueries["row"];
}

/**
 * Whole zones, as {@link ownerBatches}: ten thousand new ones take two hundred queries.
 *
 * @param queries  only of zones that are asked for by these
 */
function* zoneBatches(
  queries: ZoneQueries,
  scope: ReadonlyMap<string, OwnerScope>,
  queriesOf: (zone: string) => ZoneQueries,
  maxRecords: number,
): Generator<ZoneBatch> {
  const { all, row } = queries;
  const limit = Number.isFinite(maxRecords) ? ` limit ${maxRecords + 1}` : "";
  const whole = scope.entries()
    .filter(([zone, owners]) => owners === "all" && queriesOf(zone) === queries)
    .map(([zone]) => `(${inline(all, [zone])}${limit})`);
  for (const parts of chunks(whole, BATCH_ZONES)) yield { query: parts.join("\nunion all "), row };
}

/**
 * Zone by zone as it is best planned, many in one query: asking costs more than the records.
 *
 * @param queries  only of zones that are asked for by these
 */
function* ownerBatches(
  queries: ZoneQueries,
  scope: ReadonlyMap<string, OwnerScope>,
  queriesOf: (zone: string) => ZoneQueries,
): Generator<ZoneBatch> {
  const { row } = queries;
  let [parts, owned]: [string[], number] = [[], 0];
  for (const [zone, owners] of scope) {
    if (owners === "all" || queriesOf(zone) !== queries) continue;
    for (const some of chunks(owners, BATCH_OWNERS)) {
      if (parts.length === BATCH_ZONES || owned + some.length > BATCH_OWNERS) {
        yield { query: parts.join("\nunion all "), row };
        [parts, owned] = [[], 0];
      }
      parts.push(inline(queries.owners, [zone, arrayText(some.map(queries.spell))]));
      owned += some.length;
    }
  }
  if (parts.length > 0) yield { query: parts.join("\nunion all "), row };
}

function* chunks(values: Iterable<string>, size: number): Generator<string[]> {
  let chunk: string[] = [];
  for (const value of values) {
    if (chunk.push(value) < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** The row as text; null becomes empty text, which is reported as a bad row, not skipped. */
export function sourceRow({ zone, name, type, ttl, content, owner }: RawRow): SourceRow {
  return {
    zone: String(zone ?? ""),
    name: String(name ?? ""),
    type: String(type ?? ""),
    ttl: ttl === null || typeof ttl === "number" ? ttl : Number(ttl),
    content: String(content ?? ""),
    owner: owner === undefined || owner === null ? undefined : String(owner),
  };
}

/** All zones with their settings. One that both have is as `zones` has it. */
export async function readZones(
  sql: Sql,
  session: PostgresSession,
  powerdns: boolean,
): Promise<Zones> {
  const own = await session.answer(sql<ZoneSettings[]>`
    select name, mname, rname, refresh, retry, expire, minimum,
      default_ttl as "defaultTtl", soa_ttl as "soaTtl", serial_floor as "serialFloor"
    from zonecast.zones order by name`);
  if (!powerdns) return { settings: [...own], powerdns: new Set() };
  const names = new Set(own.map(({ name }) => name));
  const rows = await session.answer(sql<PowerdnsZone[]>`
    select name, content, ttl from zonecast.powerdns_zones order by name`);
  const others = rows.filter(({ name }) => !names.has(name)).map(powerdnsZone);
  return {
    settings: [...own, ...others],
    powerdns: new Set(others.map(({ name }) => name)),
  };
}

/** The newest serial written back of each zone that has one. */
export async function readPublishedSerials(
  sql: Sql,
  session: PostgresSession,
  { settings }: Zones,
): Promise<Map<string, number>> {
  const names = arrayText(settings.map(({ name }) => name));
  const rows = await session.answer(sql<{ zone: string; serial: number }[]>`
    select zone.name as zone, last.serial from unnest(${names}::text[]) as zone (name)
    cross join lateral (
      select serial from zonecast.published where zone = zone.name
      order by published_at desc limit 1) as last`);
  return new Map(rows.map(({ zone, serial }) => [zone, serial]));
}

/** Whose rows could not be served as last written back, by the source's name of the zone. */
export async function readProblemOwners(
  sql: Sql,
  session: PostgresSession,
): Promise<Map<string, Set<string>>> {
  const rows = await session.answer(sql<{ zone: string; owner: string }[]>`
    select distinct zone, owner from zonecast.problems where owner is not null`);
  const owners = new Map<string, Set<string>>();
  for (const { zone, owner } of rows) owners.set(zone, (owners.get(zone) ?? new Set()).add(owner));
  return owners;
}

/** Ids of held content that were approved and not acted on, by the source's name of the zone. */
export async function readApprovals(
  sql: Sql,
  session: PostgresSession,
): Promise<Map<string, string[]>> {
  const rows = await session.answer(sql<{ zone: string; id: string }[]>`
    select zone, id from zonecast.approvals order by at`);
  const approvals = new Map<string, string[]>();
  for (const { zone, id } of rows) approvals.set(zone, [...approvals.get(zone) ?? [], id]);
  return approvals;
}
