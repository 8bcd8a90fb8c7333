/** What a transaction may do to rows: to the model's tables, and by SQL to the real ones. */
import {
  DNAME_ZONE,
  insertSql,
  literal,
  type Operation,
  pick,
  RowIds,
  type Work,
  ZONES,
} from "./operation.ts";
import { NAMES, ownerOf, type Row } from "./rows.ts";
import { type Tables, touch } from "./tables.ts";

/** What a row says. */
export type RowText = Pick<Row, "name" | "kind" | "ttl">;

const shown = (text: string) => text.length > 30 ? `${text.slice(0, 30)}…` : text;

export class Insert implements Operation {
  constructor(readonly zone: number, readonly text: RowText, readonly absolute: boolean) {}

  get name() {
    const { name, kind, ttl } = this.text;
    return `insert ${shown(name)} ${ttl} ${kind.type} ${shown(kind.content)} (${this.zone})`;
  }

  perform(work: Work, ids: RowIds): boolean {
    const isDname = this.text.kind.type === "DNAME";
    const zone = isDname ? DNAME_ZONE : pick(work.tables.names, this.zone);
    if (!zone || !work.tables.has(zone)) return false;
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

/** Whether a row is a name server that a zone with DNAME records does not lose. */
const isKept = (zone: string, { name, kind }: Row) =>
  zone === DNAME_ZONE && name === "@" && kind.type === "NS";

export class Delete implements Operation {
  constructor(readonly zone: number, readonly row: number) {}

  get name() {
    return `delete row ${this.row} of ${this.zone}`;
  }

  perform(work: Work): boolean {
    const found = pickRow(work.tables, this.zone, this.row);
    if (!found) return false;
    const [zone, row] = found;
    if (isKept(zone, row)) return false;
    const { id, name } = row;
    work.tables = work.tables.withoutRow(zone, id);
    touch(work.touched, zone, [ownerOf(name, zone)]);
    work.statements.push(`delete from zonecast.records where id = ${id}`);
    return true;
  }
}

/** Gives a row another text, or another zone, or switches it off or on. */
export class Update implements Operation {
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
    if (isKept(zone, row)) return false;
    const { change } = this;
    const to = change !== "disabled" && "zone" in change
      ? pick(work.tables.names, change.zone)!
      : zone;
    const after: Row = change === "disabled"
      ? { ...row, disabled: !row.disabled }
      : "text" in change
      ? { ...row, ...change.text }
      : row;
    if (after.kind.type === "DNAME" && to !== DNAME_ZONE) return false;
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

/** Of the table, whether `records` is that or a view of it. */
const TRUNCATE = `do $$ begin
    if to_regclass('zonecast.own_records') is null then truncate zonecast.records;
    else truncate zonecast.own_records; end if;
  end $$`;

/** Empties the table and fills it again, every so-manieth row left out. */
export class Refill implements Operation {
  readonly name: string;
  constructor(readonly leaveOut: number) {
    this.name = `truncate and refill but each ${leaveOut}th row`;
  }

  perform(work: Work, ids: RowIds): boolean {
    work.statements.push(TRUNCATE);
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

/** Many rows at once, but the name servers. */
export class DeleteMany implements Operation {
  constructor(readonly zone: number, readonly each: number) {}

  get name() {
    return `delete each ${this.each}th row of ${this.zone}`;
  }

  perform(work: Work): boolean {
    const zone = pick(work.tables.names, this.zone);
    const rows = zone ? work.tables.rows(zone).filter(({ kind }) => kind.type !== "NS") : [];
    const gone = rows.filter((_, i) => i % this.each === 0);
    if (gone.length === 0) return false;
    return exchangeRows(zone!, gone, []).perform(work, NO_IDS);
  }
}

/** No row is made. */
const NO_IDS = new RowIds();

/** Every row of a type in a zone gets one TTL: many owners in one statement. */
export class SetTtls implements Operation {
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

/** The name servers a zone has after somebody exchanged them; others each time. */
export function otherNameServers(ids: RowIds): Row[] {
  return [ids.next(), ids.next()].map((id) => {
    const name = `ns${id}.elsewhere.example.`;
    const kind = { type: "NS", content: name, rdata: () => name.slice(0, -1), ofNames: true };
    return { id, name: "@", kind, ttl: null, disabled: false };
  });
}
