/** Owners as the source names them. Pure. */
import { canonicalKey, formatName, lowerName, parseName, ZonecastError } from "../dns/mod.ts";
import type { CandidateZone } from "./candidate.ts";
import { readPlainName } from "./plain_row.ts";
import type { RowZone } from "./rows.ts";
import type { WireRecord } from "./wire_record.ts";

/** Owners asked for between two pauses. */
const OWNERS_PER_PAUSE = 256;

/** The key of an owner in the source's normal form; undefined when it is no name. */
export function keyOf(text: string): string | undefined {
  try {
    return canonicalKey(parseName(text));
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}

/**
 * Has owners come also where they have no records; yields as places to pause.
 *
 * @param owners  in the source's normal form
 * @param scratch  its content is lost
 */
export function* askOwners(
  owners: Iterable<string>,
  zone: RowZone,
  candidate: CandidateZone,
  scratch: WireRecord,
): Generator<undefined, void> {
  const ending = `.${formatName(lowerName(zone.apex))}`;
  let asked = 0;
  for (const text of owners) {
    // Most are plain names: their keys are written without a string of each.
    if (text.endsWith(ending) && readPlainName(text.slice(0, -ending.length), zone, scratch)) {
      candidate.askOf(scratch);
    } else {
      const key = keyOf(text); // rows of an owner that is no name are bad rows
      if (key?.startsWith(zone.apexKey)) candidate.ask(key);
    }
    if (++asked % OWNERS_PER_PAUSE === 0) yield;
  }
}
