/**
 * Whether the owners that a change touched are found by an index.
 *
 * Looks at the plan of the very query that a read asks. What Postgres plans today depends on how
 * large the tables are today; so the planner is also asked with sequential scans made dear: a
 * table that it scans even then has no index that serves. A scan of a whole index, or one that
 * must look at each row for its owner, serves no more.
 */
import type { Finding } from "../../ops/mod.ts";
import { inline, type Sql } from "../postgres_client.ts";
import { arrayText, ownersQuery, POWERDNS_OWNERS } from "../postgres_rows.ts";
import { type Examined, found, listed } from "./examination.ts";

/** A table of so many rows is read whole in some ms: an index is for when it grows. */
const SMALL_ROWS = 1_000;
/** A view that computes longer than this for one row is slow in any case, ms. */
const SAMPLE_MS = 10_000;
/** "query_canceled". */
const SQLSTATE_CANCELLED = "57014";
/** Asked for where no record is there: plans are the same. */
const ANY_OWNER = { zone: "example.org", owner: "www.example.org." };

/** A node of EXPLAIN (FORMAT JSON). */
interface PlanNode {
  readonly "Node Type": string;
  readonly Schema?: string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly "Recheck Cond"?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

export async function* examinePlans(examined: Examined): AsyncGenerator<Finding> {
  const { sql, relations } = examined;
  const [columns] = await sql<{ owner: boolean; disabled: boolean }[]>`
    select bool_or(attname = 'owner') as owner, bool_or(attname = 'disabled') as disabled
    from pg_attribute where attrelid = 'zonecast.records'::regclass and not attisdropped`;
  if (!columns.owner) {
    yield found(
      "index",
      "bad",
      "zonecast.records has no column owner: each change makes zonecast read everything",
      "let the view give zonecast.owner(zone, name) as owner",
    );
    return;
  }
  const sample = await sampleOwner(sql);
  const query = inline(ownersQuery(columns), [sample.zone, arrayText([sample.owner])]);
  yield await aboutQuery(sql, query, sample.owner);
  if (!relations.has("powerdns_records")) return;
  const owner = sample.owner.replace(/\.$/, "");
  const powerdns = inline(POWERDNS_OWNERS, [sample.zone, arrayText([owner])]);
  yield await aboutQuery(sql, powerdns, owner);
}

/** An owner that is there, where one can be had soon. */
async function sampleOwner(sql: Sql): Promise<{ zone: string; owner: string }> {
  await sql.unsafe("begin");
  try {
    await sql.unsafe(`set local statement_timeout = ${SAMPLE_MS}`);
    const [sample] = await sql<{ zone: string; owner: string }[]>`
      select zone, owner from zonecast.records where owner is not null limit 1`;
    return sample ?? ANY_OWNER;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === SQLSTATE_CANCELLED) {
      return ANY_OWNER;
    }
    throw error;
  } finally {
    await sql.unsafe("rollback");
  }
}

async function aboutQuery(sql: Sql, query: string, owner: string): Promise<Finding> {
  const scanned = await tablesScanned(sql, query, owner);
  if (scanned.length === 0) {
    return found("index", "good", "a touched owner is found by an index in each table");
  }
  const large = scanned.filter(({ rows }) => rows > SMALL_ROWS);
  const shown = scanned.map(({ name, rows }) => `${name} (some ${Math.max(0, rows)} rows)`);
  const [{ name }] = large.length > 0 ? large : scanned;
  return found(
    "index",
    large.length > 0 ? "bad" : "warning",
    `each change makes Postgres read all of ${listed(shown)}`,
    name === "zonecast.records"
      ? "create index on zonecast.records (zone, owner)"
      : `create index on ${name} (zonecast.owner('ZONE', NAME)), with the expression that the ` +
        "view gives as owner, then analyze it; where one is there, the view's owner is another " +
        "expression",
  );
}

/** Tables that are read whole, however dear that is made; with their rows as Postgres knows. */
async function tablesScanned(
  sql: Sql,
  query: string,
  owner: string,
): Promise<{ name: string; rows: number }[]> {
  await sql.unsafe("begin");
  try {
    await sql.unsafe("set local enable_seqscan = off");
    const [row] = await sql.unsafe(`explain (format json, verbose) ${query}`);
    const [{ Plan: plan }] = row["QUERY PLAN"] as { Plan: PlanNode }[];
    const names = [...new Set(scans(plan, owner))];
    const found: { name: string; rows: number }[] = [];
    for (const name of names) {
      const [{ rows }] = await sql<{ rows: number }[]>`
        select reltuples::float8 as rows from pg_class where oid = ${name}::regclass`;
      found.push({ name, rows });
    }
    return found;
  } finally {
    await sql.unsafe("rollback");
  }
}

/** The tables that a plan's scans read whole. */
function* scans(node: PlanNode, owner: string): Generator<string> {
  const { Schema: schema, "Relation Name": relation } = node;
  if (relation !== undefined && readsAll(node, owner)) {
    yield `${quoted(schema ?? "public")}.${quoted(relation)}`;
  }
  for (const child of node.Plans ?? []) yield* scans(child, owner);
}

function readsAll(node: PlanNode, owner: string): boolean {
  const condition = node["Index Cond"] ?? node["Recheck Cond"];
  if (condition === undefined) return /Scan$/.test(node["Node Type"]);
  // It finds something, a zone say, and looks at each row for the owner.
  return !condition.includes(owner) && (node.Filter ?? "").includes(owner);
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
