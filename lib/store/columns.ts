/** Values of SQLite columns, checked, and keys as blobs. Pure. */
import type { SQLOutputValue } from "node:sqlite";
import { MAX_NAME_OCTETS } from "../dns/mod.ts";

/** A row as `node:sqlite` gives it. */
export type Row = Record<string, SQLOutputValue>;

/** A row that holds what was never written. */
export class DamagedRow extends Error {
  override readonly name = "DamagedRow";
}

/** An integer column. @throws {DamagedRow} it is none */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw new DamagedRow(`column ${column} holds no integer`);
}

/** A blob column, in a buffer of its own. @throws {DamagedRow} it is none */
export function blob(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new DamagedRow(`column ${column} holds no blob`);
}

/** A text column. @throws {DamagedRow} it is none */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new DamagedRow(`column ${column} holds no text`);
}

/** A canonical key as a blob, one octet a character. */
export function keyBlob(key: string): Uint8Array {
  const octets = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) octets[i] = key.charCodeAt(i);
  return octets;
}

/** The canonical key in a blob. @throws {DamagedRow} it is too long for one */
export function blobKey(octets: Uint8Array): string {
  if (octets.length > 2 * MAX_NAME_OCTETS) throw new DamagedRow("a key is too long");
  return String.fromCharCode(...octets);
}
