/** When differences are too large to be worth sending. Pure. */
import type { RecordList } from "../zone/mod.ts";

/** Two record lists, as every form of a difference has them. */
interface Lists {
  readonly removed: RecordList;
  readonly added: RecordList;
}

/** Octets of all records in differences. */
export function octetsIn(diffs: readonly Lists[]): number {
  return diffs.reduce(
    (sum, { removed, added }) => sum + removed.octets.length + added.octets.length,
    0,
  );
}

/**
 * Why differences are not sent: they would be larger than the zone; undefined
 * when they are not.
 *
 * @param zoneOctets  of the zone's pages
 */
export function tooLarge(diffs: readonly Lists[], zoneOctets: number): string | undefined {
  const octets = octetsIn(diffs);
  if (octets <= zoneOctets) return undefined;
  return `the difference of ${octets} octets is larger than the zone (${zoneOctets})`;
}
