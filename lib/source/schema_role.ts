/**
 * The role zonecast serves with: made where there is none, and given the rights
 * that serving takes and no others.
 *
 * Owns: one connection, for the time of the call.
 */
import { postgresError, SourceError } from "./errors.ts";
import { connectPostgres, type Sql, transaction } from "./postgres_client.ts";
import { parsePostgresUrl } from "./postgres_url.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 10_000;
/** "insufficient_privilege". */
const SQLSTATE_FORBIDDEN = "42501";
/** Longest name of a role; Postgres cuts off longer ones in silence. */
const MAX_NAME_OCTETS = 63;

/**
 * What serving does with each relation; those that are not there are passed over.
 * Rows of `changes` are written by triggers, which have their owner's rights.
 */
export const SERVING_RIGHTS: readonly (readonly [relation: string, rights: string])[] = [
  ["zones", "select"],
  ["records", "select"],
  ["powerdns_zones", "select"],
  ["powerdns_records", "select"],
  ["changes", "select, delete"],
  ["feed_floor", "select, update"],
  ["published", "select, insert, update, delete"],
  ["secondaries", "select, insert, update, delete"],
  ["problems", "select, insert, update, delete"],
  ["readers", "select, insert, update, delete"],
  ["held", "select, insert, update, delete"],
  ["approvals", "select, delete"],
];

/** What {@link grantServing} did and found. */
export interface ServingRole {
  /** The role was not there. It has no password yet. */
  readonly made: boolean;
  /** What every role of this database may do beside, as SQL that takes it away. */
  readonly excess: readonly string[];
}

/**
 * Makes the role, if it is not there, and grants what serving takes.
 *
 * A role that is there keeps what it has: nothing is revoked.
 *
 * Effects: one transaction.
 *
 * @throws {SourceError} "source-role": the role may do everything anyway; "source-permission":
 *   the user of the URL may not do this; and all that connecting throws
 */
export async function grantServing(url: string, role: string): Promise<ServingRole> {
  const octets = new TextEncoder().encode(role).length;
  if (octets === 0 || octets > MAX_NAME_OCTETS || role.includes("\0")) {
    throw new SourceError("source-role", `Cannot make a role of a name of ${octets} octets`);
  }
  const { description } = parsePostgresUrl(url);
  const client = connectPostgres(url, { connectMs: CONNECT_MS });
  try {
    return await transaction(client, "", async (sql) => {
      const made = await makeRole(sql, role);
      await refusePowerful(sql, role);
      await grant(sql, role);
      return { made, excess: await findExcess(sql, role) };
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === SQLSTATE_FORBIDDEN)) {
      throw postgresError(error, description);
    }
    throw new SourceError(
      "source-permission",
      `Cannot give the role "${role}" its rights in ${description}: ${error.message}`,
      "the user of the URL must own the schema zonecast and, to make a role, have CREATEROLE; " +
        "or make the role first: CREATE ROLE … LOGIN",
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}

async function makeRole(sql: Sql, role: string): Promise<boolean> {
  const known = await sql`select from pg_roles where rolname = ${role}`;
  if (known.length > 0) return false;
  await sql`create role ${sql(role)} login`;
  return true;
}

/** A role that owns the schema, or may do anything, is none to serve with. */
async function refusePowerful(sql: Sql, role: string): Promise<void> {
  const [{ powerful }] = await sql<{ powerful: boolean }[]>`
    select rolsuper or pg_has_role(role.oid, nspowner, 'member') as powerful
    from pg_roles as role, pg_namespace where rolname = ${role} and nspname = 'zonecast'`;
  if (!powerful) return;
  throw new SourceError(
    "source-role",
    `Cannot make "${role}" a role of few rights: it is a superuser, or owns the schema zonecast`,
    "name another role, one that only serves",
  );
}

async function grant(sql: Sql, role: string): Promise<void> {
  const [{ database, connects }] = await sql<{ database: string; connects: boolean }[]>`
    select current_database() as database,
      has_database_privilege(${role}, current_database(), 'connect') as connects`;
  if (!connects) await sql`grant connect on database ${sql(database)} to ${sql(role)}`;
  await sql`grant usage on schema zonecast to ${sql(role)}`;
  for (const [relation, rights] of SERVING_RIGHTS) {
    const [{ there }] = await sql<{ there: boolean }[]>`
      select to_regclass(${`zonecast.${relation}`}) is not null as there`;
    if (!there) continue;
    await sql`grant ${sql.unsafe(rights)} on ${sql(`zonecast.${relation}`)} to ${sql(role)}`;
  }
}

/** What PUBLIC may do in this database, and a role that serves need not. */
async function findExcess(sql: Sql, role: string): Promise<string[]> {
  const rows = await sql<{ statement: string }[]>`
    select format('revoke create on schema %I from public', nspname) as statement
      from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
        and has_schema_privilege(${role}, oid, 'create')
    union all
    select format('revoke temporary on database %I from public', current_database())
      where has_database_privilege(${role}, current_database(), 'temporary')`;
  return rows.map(({ statement }) => statement);
}
