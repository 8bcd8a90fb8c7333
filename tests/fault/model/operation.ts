/** What a transaction may do is made of these. */
import type { Row } from "./rows.ts";
import type { Tables, Touched } from "./tables.ts";

/** The zones there may be; one lies within another. */
export const ZONES = ["alpha.test", "beta.test", "sub.alpha.test", "gamma.test"] as const;

/**
 * The one zone that has DNAME records. Its NS records stay: a zone that loses them while a DNAME
 * comes or goes is held as one, with what else was changed by then and not with what is later.
 */
export const DNAME_ZONE: typeof ZONES[number] = "alpha.test";

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

/** The operations in one line. */
export const namesOf = (operations: readonly Operation[]) =>
  operations.map(({ name }) => name).join("; ");

/** Gives ids to rows. */
export class RowIds {
  #last = 0;
  next(): number {
    return ++this.#last;
  }
}

/** A value as SQL has it. */
export function literal(value: string | number | boolean | null): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

export function insertSql(zone: string, rows: readonly Row[]): string {
  const values = rows.map(({ id, name, kind, ttl, disabled }) =>
    `(${[id, zone, name, kind.type, ttl, kind.content, disabled].map(literal).join(", ")})`
  );
  return `insert into zonecast.records (id, zone, name, type, ttl, content, disabled)
    overriding system value values ${values.join(", ")}`;
}

/** One of some, chosen by any number. */
export const pick = <T>(values: readonly T[], n: number): T | undefined =>
  values[n % values.length];
