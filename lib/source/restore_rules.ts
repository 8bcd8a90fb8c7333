/**
 * Which rows of a zone stay when its records are to be certain ones, which go,
 * and which are new. Pure.
 */
import {
  findTypeCode,
  formatName,
  formatRdata,
  parseName,
  parseRdata,
  ZonecastError,
} from "../dns/mod.ts";
import { storedType } from "./edit_rules.ts";
import type { RecordEdit } from "./source.ts";

/** What {@link planRestore} found. */
export interface RestorePlan<R extends RecordEdit> {
  /** Rows that are none of the records wanted. */
  readonly removed: readonly R[];
  /** Records that no row has. */
  readonly added: readonly RecordEdit[];
}

/**
 * Compares rows with records as they are served: owner and RDATA octet for
 * octet, and the TTL that counts. Rows that say the same twice both stay.
 *
 * @param defaultTtl  of rows without a TTL, in seconds
 */
export function planRestore<R extends RecordEdit>(
  zone: string,
  defaultTtl: number,
  stored: readonly R[],
  wanted: readonly RecordEdit[],
): RestorePlan<R> {
  const missing = new Map(wanted.map((record) => [recordKey(zone, defaultTtl, record), record]));
  const known = new Set(missing.keys());
  const removed: R[] = [];
  for (const row of stored) {
    const key = recordKey(zone, defaultTtl, row);
    if (known.has(key)) missing.delete(key);
    else removed.push(row);
  }
  return { removed, added: [...missing.values()] };
}

/** One text for every spelling of a record; what is no record is only equal to itself. */
function recordKey(zone: string, defaultTtl: number, record: RecordEdit): string {
  const { name, type, content } = record;
  const ttl = record.ttl ?? defaultTtl;
  const code = findTypeCode(storedType(type));
  try {
    const origin = parseName(zone);
    if (code !== undefined) {
      const rdata = formatRdata(code, parseRdata(code, content, origin));
      return `${formatName(parseName(name, origin))} ${ttl} ${code} ${rdata}`;
    }
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
  }
  return JSON.stringify([name, ttl, type, content]);
}
