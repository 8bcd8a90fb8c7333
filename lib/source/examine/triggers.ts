/**
 * Whether each table that records come from has triggers that tell of its changes.
 *
 * The tables are found by walking from zonecast's relations through the rules of views. A trigger
 * counts when its function is one of zonecast's, or its source calls zonecast.touch. Limitations:
 * tables that a view reads by a function are not seen, nor a call of touch through another one.
 */
import type { Finding } from "../../ops/mod.ts";
import { type Examined, found, listed } from "./examination.ts";

const EVENTS = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"] as const;

interface TableRow {
  /** "public.services", quoted where it must be. */
  readonly name: string;
  /** pg_class.relkind. */
  readonly kind: string;
  readonly events: string[];
  /** Triggers that would tell, and are switched off. */
  readonly disabled: string[];
}

/** Bits of pg_trigger.tgtype by event. */
const TABLES = `
  with recursive behind (oid) as (
    select oid from pg_class where oid in (to_regclass('zonecast.records'),
      to_regclass('zonecast.zones'), to_regclass('zonecast.powerdns_zones'),
      to_regclass('zonecast.powerdns_records'))
    union
    select link.refobjid from behind
      join pg_rewrite as rule on rule.ev_class = behind.oid
      join pg_depend as link on link.classid = 'pg_rewrite'::regclass
        and link.objid = rule.oid and link.refclassid = 'pg_class'::regclass
      where link.refobjid <> behind.oid
        and (select relkind from pg_class where oid = behind.oid) = 'v'
  ), telling as (
    select trigger.tgrelid, trigger.tgname, trigger.tgenabled, event.name
    from pg_trigger as trigger
    join pg_proc as called on called.oid = trigger.tgfoid
    join pg_namespace as home on home.oid = called.pronamespace
    cross join (values ('INSERT', 4), ('DELETE', 8), ('UPDATE', 16), ('TRUNCATE', 32))
      as event (name, bit)
    where not trigger.tgisinternal and trigger.tgtype & event.bit <> 0
      and (home.nspname = 'zonecast' and called.proname like 'note\\_%'
        or called.prosrc ~ '\\mtouch\\M\\s*\\(')
  )
  select format('%I.%I', home.nspname, relation.relname) as name, relation.relkind as kind,
    array(select distinct name from telling
      where tgrelid = relation.oid and tgenabled in ('O', 'A')) as events,
    array(select distinct tgname::text from telling
      where tgrelid = relation.oid and tgenabled not in ('O', 'A')) as disabled
  from behind join pg_class as relation on relation.oid = behind.oid
  join pg_namespace as home on home.oid = relation.relnamespace
  where relation.relkind in ('r', 'p', 'f', 'm')
  order by 1`;

export async function* examineTriggers({ sql }: Examined): AsyncGenerator<Finding> {
  const tables = (await sql.unsafe<Record<keyof TableRow, unknown>[]>(TABLES)).map(tableRow);
  let isGood = true;
  for (const table of tables) {
    const finding = aboutTable(table);
    if (!finding) continue;
    isGood = false;
    yield finding;
  }
  const names = listed(tables.map(({ name }) => name));
  if (isGood) yield found("triggers", "good", `each table has triggers that tell: ${names}`);
}

/** postgres.js, without the server's types, gives an array as its text. */
function tableRow(row: Record<keyof TableRow, unknown>): TableRow {
  const items = (value: unknown) =>
    Array.isArray(value)
      ? value.map(String)
      : String(value).slice(1, -1).split(",").filter((item) => item !== "");
  return {
    name: String(row.name),
    kind: String(row.kind),
    events: items(row.events),
    disabled: items(row.disabled),
  };
}

/** What is wrong with a table; undefined when nothing is. */
function aboutTable({ name, kind, events, disabled }: TableRow): Finding | undefined {
  if (kind === "m" || kind === "f") {
    const what = kind === "m" ? "a materialized view" : "a foreign table";
    return found(
      "triggers",
      "bad",
      `${name} is ${what}: nothing tells when it changes, until the next full read`,
      `after each change of it: select zonecast.touch('ZONE', null); or let the view read a table`,
    );
  }
  const missing = EVENTS.filter((event) => !events.includes(event));
  if (missing.length === 0) return undefined;
  if (disabled.length > 0) {
    return found(
      "triggers",
      "bad",
      `${name} has triggers that are disabled (${listed(disabled)}): its changes wait for the ` +
        "next full read",
      `alter table ${name} enable trigger ${disabled[0]}${disabled.length > 1 ? "; …" : ""}`,
    );
  }
  const isZonecasts = name.startsWith("zonecast.");
  const onlyTruncate = missing.length === 1 && missing[0] === "TRUNCATE";
  return found(
    "triggers",
    onlyTruncate ? "warning" : "bad",
    `${name} has no trigger on ${missing.join(", ")} that tells zonecast: ` +
      "such changes wait for the next full read",
    isZonecasts
      ? "zonecast schema apply makes those of zonecast's own tables"
      : `create triggers on ${name} that call zonecast.touch(zone, names): ` +
        "the README's section on your own table has them",
  );
}
