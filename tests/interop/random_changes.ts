/** Random changes of a zone in Postgres, each one transaction that changes what is served. */
import type postgres from "postgres";

/** One row of records as the database has it. */
interface Row {
  readonly id: number;
  readonly name: string;
  readonly type: string;
}

type NewRow = readonly [name: string, type: string, content: string];

/** Owners that records are added to; small, so that they come and go again. */
const OWNERS = 60;
/** Rows of a large change. */
const MANY = 40;

/** Content that was never there before, for each type tried. */
const CONTENTS: Readonly<Record<string, (n: number) => string>> = {
  A: (n) => `10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`,
  AAAA: (n) => `2001:db8::${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}`,
  TXT: (n) => `"text ${n}" "; ${"x".repeat(n % 200)}"`,
  MX: (n) => `${n % 65_536} mail${n}`,
  SRV: (n) => `1 2 ${n % 65_536} Server${n}.elsewhere.example.`,
  CAA: (n) => `0 issue "ca${n}.example"`,
  TYPE65280: (n) => `\\# 4 ${n.toString(16).padStart(8, "0")}`,
};
const TYPES = Object.keys(CONTENTS);

/** Changes one zone of `zonecast.records`, whose rows but the apex's it must have made. */
export class RandomChanges {
  readonly #rows = new Map<number, Row>();
  #made = 0;

  /** @param random  from 0 to 1 */
  constructor(
    readonly sql: postgres.Sql,
    readonly zone: string,
    readonly random: () => number,
  ) {}

  /** Adds `count` records at random owners, in one transaction. */
  async fill(count: number): Promise<void> {
    await this.#insert(Array.from({ length: count }, () => this.#newRow()));
  }

  /** Makes one change. Returns what it was, for messages. */
  async make(): Promise<string> {
    const rows = [...this.#rows.values()];
    const row = rows[Math.floor(this.random() * rows.length)];
    const kind = this.random();
    if (!row || kind < 0.3) {
      await this.#insert([this.#newRow()]);
      return "a record is added";
    }
    if (kind < 0.5) {
      await this.#delete(({ id }) => id === row.id);
      return "a record is deleted";
    }
    if (kind < 0.7) {
      const content = CONTENTS[row.type](++this.#made);
      await this.sql`update zonecast.records set content = ${content} where id = ${row.id}`;
      return "a record's content changes";
    }
    if (kind < 0.8) {
      await this.sql`update zonecast.records set ttl = ${1000 + ++this.#made}
        where zone = ${this.zone} and name = ${row.name} and type = ${row.type}`;
      return "a TTL changes";
    }
    if (kind < 0.9) {
      await this.#delete(({ name }) => name === row.name);
      return "all records of an owner go";
    }
    if (kind < 0.95) {
      await this.sql`update zonecast.zones set refresh = ${1000 + ++this.#made}
        where name = ${this.zone}`;
      return "a timer of the SOA changes";
    }
    await this.fill(MANY);
    return "many records are added";
  }

  #newRow(): NewRow {
    const name = `o${Math.floor(this.random() * OWNERS)}`;
    const type = TYPES[Math.floor(this.random() * TYPES.length)];
    return [name, type, CONTENTS[type](++this.#made)];
  }

  async #insert(rows: readonly NewRow[]): Promise<void> {
    const { zone } = this;
    const values = rows.map(([name, type, content]) => ({ zone, name, type, content }));
    const made = await this.sql<Row[]>`insert into zonecast.records
      ${this.sql(values)} returning id, name, type`;
    for (const row of made) this.#rows.set(row.id, row);
  }

  async #delete(isMeant: (row: Row) => boolean): Promise<void> {
    const ids = [...this.#rows.values()].filter(isMeant).map(({ id }) => id);
    await this.sql`delete from zonecast.records where id = any(${ids})`;
    for (const id of ids) this.#rows.delete(id);
  }
}
