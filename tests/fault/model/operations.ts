/** What a transaction may do: to the model's tables, and by SQL to the real ones. */
import fc from "fast-check";
import {
  BAD_KINDS,
  BAD_NAMES,
  BAD_TTLS,
  ELSEWHERE,
  GOOD_KINDS,
  GOOD_TTLS,
  type Kind,
  NAMES,
  ownerOf,
  type Row,
} from "./rows.ts";
import { type Tables, touch, type Touched } from "./tables.ts";
import { SETTINGS, type Settings } from "./verdicts.ts";

/** The zones there may be; one lies within another. */
export const ZONES = ["alpha.test", "beta.test", "sub.alpha.test", "gamma.test"] as const;

/** A transaction under way. */
export interface Work {
  tables: Tables;
  readonly touched: Touched;
  readonly statements: string[];
  /** The rows that insertions made. */
  readonly added: { readonly zone: string; readonly row: Row }[];
}

/** One statement, or some that belong together. */
export interface Operation {
  readonly name: string;
  /** Does it; false where there is nothing to do it to. */
  perform(work: Work, ids: RowIds): boolean;
}

/** Gives ids to rows. */
export class RowIds {
  #last = 0;
  next(): number {
    return ++this.#last;
  }
}

type RowText = Pick<Row, "name" | "kind" | "ttl">;

function literal(value: string | number | boolean | null): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

function insertSql(zone: string, rows: readonly Row[]): string {
  const values = rows.map(({ id, name, kind, ttl, disabled }) =>
    `(${[id, zone, name, kind.type, ttl, kind.content, disabled].map(literal).join(", ")})`
  );
  return `insert into zonecast.records (id, zone, name, type, ttl, content, disabled)
    overriding system value values ${values.join(", ")}`;
}

const pick = <T>(values: readonly T[], n: number): T | undefined => values[n % values.length];

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

const shown = (text: string) => text.length > 30 ? `${text.slice(0, 30)}…` : text;

class Insert implements Operation {
  constructor(readonly zone: number, readonly text: RowText, readonly absolute: boolean) {}

  get name() {
    const { name, kind, ttl } = this.text;
    return `insert ${shown(name)} ${ttl} ${kind.type} ${shown(kind.content)} (${this.zone})`;
  }

  perform(work: Work, ids: RowIds): boolean {
    const zone = pick(work.tables.names, this.zone);
    if (!zone) return false;
    const written = this.text.name;
    const name = this.absolute && NAMES.includes(written) && written !== "@"
      ? `${written}.${zone}.`
      : written;
    const row: Row = { ...this.text, name, id: ids.next(), disabled: false };
    work.tables = work.tables.withRow(zone, row);
    touch(work.touched, zone, [ownerOf(name, zone)]);
    work.statements.push(insertSql(zone, [row]));
    work.added.push({ zone, row });
    return true;
  }
}

/** A row chosen by two numbers. */
function pickRow(tables: Tables, zone: number, row: number): [string, Row] | undefined {
  const name = pick(tables.names, zone);
  const one = name && pick(tables.rows(name), row);
  return one ? [name, one] : undefined;
}

class Delete implements Operation {
  constructor(readonly zone: number, readonly row: number) {}

  get name() {
    return `delete row ${this.row} of ${this.zone}`;
  }

  perform(work: Work): boolean {
    const found = pickRow(work.tables, this.zone, this.row);
    if (!found) return false;
    const [zone, { id, name }] = found;
    work.tables = work.tables.withoutRow(zone, id);
    touch(work.touched, zone, [ownerOf(name, zone)]);
    work.statements.push(`delete from zonecast.records where id = ${id}`);
    return true;
  }
}

/** Gives a row another text, or another zone, or switches it off or on. */
class Update implements Operation {
  constructor(
    readonly zone: number,
    readonly row: number,
    readonly change: { text: RowText } | { zone: number } | "disabled",
  ) {}

  get name() {
    const { change } = this;
    const what = change === "disabled"
      ? "switched"
      : "zone" in change
      ? `moved to ${change.zone}`
      : `${shown(change.text.name)} ${change.text.ttl} ${change.text.kind.type} ` +
        shown(change.text.kind.content);
    return `update row ${this.row} of ${this.zone}: ${what}`;
  }

  perform(work: Work): boolean {
    const found = pickRow(work.tables, this.zone, this.row);
    if (!found) return false;
    const [zone, row] = found;
    const { change } = this;
    const to = change !== "disabled" && "zone" in change
      ? pick(work.tables.names, change.zone)!
      : zone;
    const after: Row = change === "disabled"
      ? { ...row, disabled: !row.disabled }
      : "text" in change
      ? { ...row, ...change.text }
      : row;
    work.tables = work.tables.withoutRow(zone, row.id).withRow(to, after);
    touch(work.touched, zone, [ownerOf(row.name, zone)]);
    touch(work.touched, to, [ownerOf(after.name, to)]);
    const { name, kind, ttl, disabled } = after;
    work.statements.push(`update zonecast.records set zone = ${literal(to)},
      name = ${literal(name)}, type = ${literal(kind.type)}, content = ${literal(kind.content)},
      ttl = ${ttl}, disabled = ${disabled} where id = ${row.id}`);
    return true;
  }
}

class SetZone implements Operation {
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

class AddZone implements Operation {
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
      `insert into zonecast.zones (name, mname, rname, refresh, minimum, default_ttl)
        values (${values})`,
      insertSql(zone, rows),
    );
    return true;
  }
}

class RemoveZone implements Operation {
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

class RenameZone implements Operation {
  readonly name: string;
  constructor(readonly zone: string, readonly to: string) {
    this.name = `rename zone ${zone} to ${to}`;
  }

  perform(work: Work): boolean {
    const { zone, to } = this;
    if (!work.tables.has(zone) || work.tables.has(to)) return false;
    work.tables = work.tables.renamed(zone, to);
    touch(work.touched, zone, "all");
    touch(work.touched, to, "all");
    work.statements.push(
      `update zonecast.zones set name = ${literal(to)} where name = ${literal(zone)}`,
    );
    return true;
  }
}

/** Empties the table and fills it again, every so-manieth row left out. */
class Refill implements Operation {
  readonly name: string;
  constructor(readonly leaveOut: number) {
    this.name = `truncate and refill but each ${leaveOut}th row`;
  }

  perform(work: Work, ids: RowIds): boolean {
    work.statements.push("truncate zonecast.records");
    let n = 0;
    for (const zone of ZONES) {
      touch(work.touched, zone, "all");
      if (!work.tables.has(zone)) continue;
      const kept = work.tables.rows(zone).filter(({ kind }) =>
        kind.type === "NS" || ++n % this.leaveOut > 0
      ).map((row) => ({ ...row, id: ids.next() }));
      work.tables = work.tables.withZone(zone, work.tables.settings(zone), kept);
      if (kept.length > 0) work.statements.push(insertSql(zone, kept));
    }
    return true;
  }
}

/** Every row of a type in a zone gets one TTL: many owners in one statement. */
class SetTtls implements Operation {
  constructor(readonly zone: number, readonly ttl: number) {}

  get name() {
    return `set all TTLs of A in ${this.zone} to ${this.ttl}`;
  }

  perform(work: Work): boolean {
    const zone = pick(work.tables.names, this.zone);
    if (!zone) return false;
    for (const row of work.tables.rows(zone)) {
      if (row.kind.type !== "A") continue;
      work.tables = work.tables.withRow(zone, { ...row, ttl: this.ttl });
      touch(work.touched, zone, [ownerOf(row.name, zone)]);
    }
    work.statements.push(`update zonecast.records set ttl = ${this.ttl}
      where zone = ${literal(zone)} and type = 'A'`);
    return true;
  }
}

const zoneName = fc.constantFrom(...ZONES);
const goodText: fc.Arbitrary<RowText> = fc.record({
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom(...GOOD_KINDS),
  ttl: fc.constantFrom(...GOOD_TTLS),
});
const rowText: fc.Arbitrary<RowText> = fc.oneof(
  { weight: 12, arbitrary: goodText },
  { weight: 2, arbitrary: fc.record({ ...goodOwner(), kind: fc.constantFrom(...BAD_KINDS) }) },
  {
    weight: 1,
    arbitrary: fc.tuple(goodText, fc.constantFrom(ELSEWHERE, ...BAD_NAMES.map(({ name }) => name)))
      .map(([text, name]) => ({ ...text, name })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(goodText, fc.constantFrom(...BAD_TTLS)).map(([text, ttl]) => ({
      ...text,
      ttl,
    })),
  },
);

function goodOwner() {
  return { name: fc.constantFrom(...NAMES), ttl: fc.constantFrom(...GOOD_TTLS) };
}

const someSettings = fc.constantFrom<Partial<Settings>>(
  { refresh: 7200 },
  { refresh: 3600 },
  { minimum: 60 },
  { mname: "ns2" },
  { rname: "hostmaster.servers.example." },
  { default_ttl: 600 },
  { default_ttl: 300 },
  { soa_ttl: 900 },
  { soa_ttl: null },
  SETTINGS,
);
/** Each makes no SOA; what mends them comes often enough. */
const badSettings = fc.constantFrom<Partial<Settings>>(
  { mname: "a..b" },
  { rname: "admin@alpha.test" },
  { refresh: -1 },
  { default_ttl: 2 ** 32 },
  { soa_ttl: -1 },
  { serial_floor: -5 },
);

const zoneNumber = fc.nat(ZONES.length - 1);
const rowNumber = fc.nat(60);

export const insertion: fc.Arbitrary<Operation> = fc
  .tuple(zoneNumber, rowText, fc.integer({ min: 0, max: 5 }))
  .map(([zone, text, form]) => new Insert(zone, text, form === 0));

/** Operations on rows, and on the settings of a zone. */
export const rowOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: insertion },
  {
    weight: 6,
    arbitrary: fc.tuple(zoneNumber, rowNumber).map(([zone, row]) => new Delete(zone, row)),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(
      zoneNumber,
      rowNumber,
      fc.oneof<fc.Arbitrary<{ text: RowText } | { zone: number } | "disabled">[]>(
        rowText.map((text) => ({ text })),
        zoneNumber.map((zone) => ({ zone })),
        fc.constant("disabled" as const),
      ),
    ).map(([zone, row, change]) => new Update(zone, row, change)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(zoneNumber, someSettings).map(([zone, change]) =>
      new SetZone(zone, change)
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(zoneNumber, fc.constantFrom(30, 60, 120)).map(([zone, ttl]) =>
      new SetTtls(zone, ttl)
    ),
  },
);

/** Operations on whole zones and tables. */
export const zoneOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: zoneName.map((zone) => new AddZone(zone)) },
  { weight: 1, arbitrary: zoneName.map((zone) => new RemoveZone(zone)) },
  {
    weight: 1,
    arbitrary: fc.tuple(zoneName, zoneName).map(([zone, to]) => new RenameZone(zone, to)),
  },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 20 }).map((n) => new Refill(n)) },
  {
    weight: 1,
    arbitrary: fc.tuple(zoneNumber, badSettings).map(([zone, change]) => new SetZone(zone, change)),
  },
  { weight: 2, arbitrary: zoneNumber.map((zone) => new SetZone(zone, SETTINGS)) },
);

export const addZone = (zone: string): Operation => new AddZone(zone);

export const setFloor = (zone: string, serial_floor: number): Operation =>
  new SetZone(zone, { serial_floor });

export const removeZone = (zone: string): Operation => new RemoveZone(zone);

/** Takes rows away, and puts others in their place. */
export const exchangeRows = (
  zone: string,
  gone: readonly Row[],
  added: readonly Row[],
): Operation => ({
  name: `remove ${gone.length} rows of ${zone}, add ${added.length}`,
  perform(work) {
    const ids = new Set(gone.map(({ id }) => id));
    const kept = work.tables.rows(zone).filter(({ id }) => !ids.has(id));
    work.tables = work.tables.withZone(zone, work.tables.settings(zone), [...kept, ...added]);
    touch(work.touched, zone, [...gone, ...added].map(({ name }) => ownerOf(name, zone)));
    if (gone.length > 0) {
      work.statements.push(`delete from zonecast.records where id in (${[...ids].join(", ")})`);
    }
    if (added.length > 0) work.statements.push(insertSql(zone, added));
    return true;
  },
});

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
      `insert into zonecast.zones (${fields.map(([field]) => field).join(", ")})
        values (${fields.map(([, value]) => literal(value)).join(", ")})`,
      insertSql(zone, rows),
    );
    return true;
  },
});

/** The name servers a zone has after somebody exchanged them. */
export function otherNameServers(ids: RowIds): Row[] {
  return ["ns8.servers.example.", "ns9.servers.example."].map((name) => ({
    id: ids.next(),
    name: "@",
    kind: { type: "NS", content: name, rdata: () => name.slice(0, -1), ofNames: true },
    ttl: null,
    disabled: false,
  }));
}
