/**
 * How much of a zone's journal is kept. Pure.
 *
 * Whatever is too much goes oldest first, in the transaction that publishes the
 * zone's next version and in no other: a zone that is never published again
 * keeps its journal, however old.
 */

/** What a difference takes in the file beside its records, in octets: SOAs, hashes, index entries. */
export const ROW_OCTETS = 300;

/** Without a bound given, a zone's journal may grow to this at least, in octets. */
export const MIN_JOURNAL_OCTETS = 10 * 1024 * 1024;

/** The default age: secondaries that were away for longer get the whole zone. */
export const JOURNAL_MAX_AGE_MS = 30 * 24 * 3600 * 1000;

/** Bounds for the journal of every zone. */
export interface JournalBounds {
  /** Octets a zone's journal may take; undefined: as many as the zone, and {@link MIN_JOURNAL_OCTETS}. */
  readonly maxOctets: number | undefined;
  readonly maxAgeMs: number;
}

/** Bounds for one zone at one time. */
export interface JournalLimits {
  readonly maxOctets: number;
  /** Older differences go; ms since the epoch. */
  readonly oldestAt: number;
  /** Octets of the zone's pages. */
  readonly zoneOctets: number;
}

/** The bounds of a zone. */
export function journalLimits(
  { maxOctets, maxAgeMs }: JournalBounds,
  zoneOctets: number,
  nowMs: number,
): JournalLimits {
  return {
    maxOctets: maxOctets ?? Math.max(MIN_JOURNAL_OCTETS, zoneOctets),
    oldestAt: nowMs - maxAgeMs,
    zoneOctets,
  };
}

/** A row of the journal, as far as the bounds look at it. */
export interface JournalSize {
  readonly id: number;
  /** Of the records removed and added. */
  readonly octets: number;
  /** ms since the epoch. */
  readonly publishedAt: number;
}

/** What to remove: rows up to an id, if any; and what the others take. */
export interface Purge {
  readonly upTo: number | undefined;
  readonly octets: number;
}

/**
 * Chooses the rows that must go.
 *
 * The newest stays, whatever the bounds, unless it alone exceeds the bound and
 * the zone as well: then nobody would ever be sent it.
 *
 * @param rows  oldest first; read only as far as needed
 * @param octets  what all rows take, {@link ROW_OCTETS} counted
 * @param newest  id of the newest row
 */
export function choosePurge(
  rows: Iterable<JournalSize>,
  octets: number,
  newest: number,
  limits: JournalLimits,
): Purge {
  let upTo: number | undefined;
  for (const row of rows) {
    const tooMuch = octets > limits.maxOctets;
    if (row.id === newest) {
      octets = row.octets + ROW_OCTETS; // it is the only one left, so this is exact
      if (octets <= limits.maxOctets || row.octets <= limits.zoneOctets) break;
    } else if (!tooMuch && row.publishedAt >= limits.oldestAt) break;
    octets -= row.octets + ROW_OCTETS;
    upTo = row.id;
  }
  return { upTo, octets };
}
