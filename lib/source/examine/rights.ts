/** Whether the role has the rights that serving takes, and no others. */
import type { Finding } from "../../ops/mod.ts";
import { SERVING_RIGHTS } from "../schema_role.ts";
import { type Examined, found, listed } from "./examination.ts";

/** Without these records are not read; without the others nobody is told what became of them. */
const READ: ReadonlySet<string> = new Set([
  "zones",
  "records",
  "powerdns_zones",
  "powerdns_records",
]);

export async function* examineRights(examined: Examined): AsyncGenerator<Finding> {
  const { sql, role, relations } = examined;
  const missing: { relation: string; right: string }[] = [];
  for (const [relation, rights] of SERVING_RIGHTS) {
    if (!relations.has(relation)) continue;
    for (const right of rights.split(", ")) {
      const [{ has }] = await sql<{ has: boolean }[]>`
        select has_table_privilege(${`zonecast.${relation}`}, ${right}) as has`;
      if (!has) missing.push({ relation, right });
    }
  }
  const said = missing.map(({ relation, right }) => `${right} on ${relation}`);
  const cannotRead = missing.some(({ relation, right }) =>
    READ.has(relation) && right === "select"
  );
  const fix = `as the schema's owner: zonecast schema apply --role ${role}`;
  if (cannotRead) {
    yield found("rights", "bad", `the role ${role} lacks ${listed(said)}`, fix);
  } else if (missing.length > 0) {
    const text = `the role ${role} lacks ${listed(said)}: it can serve, ` +
      "but not follow the feed, or tell what became of changes";
    yield found("rights", "bad", text, fix);
  } else yield found("rights", "good", `the role ${role} has what serving takes`);
  const [{ powerful }] = await sql<{ powerful: boolean }[]>`
    select rolsuper or pg_has_role(current_user, nspowner, 'member') as powerful
    from pg_roles, pg_namespace where rolname = current_user and nspname = 'zonecast'`;
  if (!powerful) return;
  yield found(
    "few-rights",
    "warning",
    `the role ${role} may do more than serve: it owns the schema, or is a superuser`,
    "make one that can change no record: zonecast schema apply --role zonecast",
  );
}
