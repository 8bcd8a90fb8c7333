/** Values of SQLite columns, checked, and keys as blobs. Pure. */
import type { SQLOutputValue } from "node:sqlite";

/** A row as `node:sqlite` gives it. */
export type Row = Record<string, SQLOutputValue>;

/** An integer column. @throws {TypeError} it is none */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw new TypeError(`column ${column} holds no integer`);
}

/** A blob column, in a buffer of its own. @throws {TypeError} it is none */
export function blob(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`column ${column} holds no blob`);
}

/** A text column. @throws {TypeError} it is none */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new TypeError(`column ${column} holds no text`);
}

/** A canonical key as a blob, one octet a character. */
export function keyBlob(key: string): Uint8Array {
  const octets = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) octets[i] = key.charCodeAt(i);
  return octets;
}

/** The canonical key in a blob. */
export function blobKey(octets: Uint8Array): string {
  return String.fromCharCode(...octets); // a key has at most 508 characters
}
