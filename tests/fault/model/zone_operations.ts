/** What a transaction may do to zones: to the model's tables, and by SQL to the real ones. */
import {
  DNAME_ZONE,
  insertSql,
  literal,
  type Operation,
  pick,
  type RowIds,
  type Work,
} from "./operation.ts";
import { GOOD_KINDS, type Kind, type Row } from "./rows.ts";
import { touch } from "./tables.ts";
import { SETTINGS, type Settings } from "./verdicts.ts";

const NS: readonly Kind[] = ["ns1.servers.example.", "ns2.servers.example."].map((content) => ({
  type: "NS",
  content,
  rdata: () => content.slice(0, -1),
  ofNames: true,
}));

/** Other records of a zone: enough that a difference is smaller than the zone. */
const FILLING = 14;

/** The rows of a new zone: its NS records, and some more. */
function newRows(ids: RowIds): Row[] {
  const row = (name: string, kind: Kind): Row => ({
    id: ids.next(),
    name,
    kind,
    ttl: null,
    disabled: false,
  });
  const filling = Array.from({ length: FILLING }, (_, n) => row(`f${n}`, GOOD_KINDS[n % 4]));
  return [...NS.map((kind) => row("@", kind)), ...filling];
}

/** A zone that was removed without triggers has left its rows behind. */
const withoutRows = (zone: string) => `delete from zonecast.records where zone = ${literal(zone)}`;

export class SetZone implements Operation {
  constructor(readonly zone: number | string, readonly change: Partial<Settings>) {}

  get name() {
    return `set zone ${this.zone} ${JSON.stringify(this.change)}`;
  }

  perform(work: Work): boolean {
    const zone = typeof this.zone === "string" ? this.zone : pick(work.tables.names, this.zone);
    if (!zone) return false;
    const before = work.tables.settings(zone);
    const after = { ...before, ...this.change };
    work.tables = work.tables.withZone(zone, after);
    if (before.default_ttl !== after.default_ttl) touch(work.touched, zone, "all");
    else if (JSON.stringify(before) !== JSON.stringify(after)) touch(work.touched, zone, []);
    const fields = Object.entries(this.change).map(([name, value]) =>
      `${name} = ${literal(value)}`
    );
    work.statements.push(
      `update zonecast.zones set ${fields.join(", ")} where name = ${literal(zone)}`,
    );
    return true;
  }
}

export class AddZone implements Operation {
  readonly name: string;
  constructor(readonly zone: string) {
    this.name = `add zone ${zone}`;
  }

  perform(work: Work, ids: RowIds): boolean {
    const { zone } = this;
    if (work.tables.has(zone)) return false;
    const rows = newRows(ids);
    work.tables = work.tables.withZone(zone, SETTINGS, rows);
    touch(work.touched, zone, "all");
    const { mname, rname, refresh, minimum, default_ttl } = SETTINGS;
    const values = [zone, mname, rname, refresh, minimum, default_ttl].map(literal).join(", ");
    work.statements.push(
      withoutRows(zone),
      `insert into zonecast.zones (name, mname, rname, refresh, minimum, default_ttl)
        values (${values})`,
      insertSql(zone, rows),
    );
    return true;
  }
}

export class RemoveZone implements Operation {
  readonly name: string;
  constructor(readonly zone: string) {
    this.name = `remove zone ${zone}`;
  }

  perform(work: Work): boolean {
    const { zone } = this;
    if (!work.tables.has(zone)) return false;
    work.tables = work.tables.withoutZone(zone);
    touch(work.touched, zone, "all");
    work.statements.push(`delete from zonecast.zones where name = ${literal(zone)}`);
    return true;
  }
}

export class RenameZone implements Operation {
  readonly name: string;
  constructor(readonly zone: string, readonly to: string) {
    this.name = `rename zone ${zone} to ${to}`;
  }

  perform(work: Work): boolean {
    const { zone, to } = this;
    if (!work.tables.has(zone) || work.tables.has(to)) return false;
    if (zone === DNAME_ZONE || to === DNAME_ZONE) return false;
    work.tables = work.tables.renamed(zone, to);
    touch(work.touched, zone, "all");
    touch(work.touched, to, "all");
    work.statements.push(
      withoutRows(to),
      `update zonecast.zones set name = ${literal(to)} where name = ${literal(zone)}`,
    );
    return true;
  }
}

export const setFloor = (zone: string, serial_floor: number): Operation =>
  new SetZone(zone, { serial_floor });

/** A zone with its rows, as it was. */
export const putZone = (
  zone: string,
  settings: Settings,
  rows: readonly Row[],
): Operation => ({
  name: `put zone ${zone} back`,
  perform(work) {
    work.tables = work.tables.withZone(zone, settings, rows);
    touch(work.touched, zone, "all");
    const fields = Object.entries({ name: zone, ...settings });
    work.statements.push(
      withoutRows(zone),
      `insert into zonecast.zones (${fields.map(([field]) => field).join(", ")})
        values (${fields.map(([, value]) => literal(value)).join(", ")})`,
      insertSql(zone, rows),
    );
    return true;
  },
});
