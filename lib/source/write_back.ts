/**
 * What is written back to the source: what became of its records. Types only.
 *
 * Zones are named as the source names them.
 */

/** One published version. */
export interface PublishedReport {
  /** Name as the source has it. */
  readonly zone: string;
  readonly serial: number;
  /** ms since the epoch. */
  readonly publishedAt: number;
  readonly added: number;
  readonly removed: number;
  /** {@link Reading.snapshot} of the read that led to it. */
  readonly snapshot: string | undefined;
  /** When the newest change in it was made, ms since the epoch. */
  readonly changedAt: number | undefined;
}

/** How one secondary stands with one zone. Times are ms since the epoch. */
export interface SecondaryReport {
  readonly zone: string;
  readonly secondary: string;
  /** The serial it was last seen to have: of all its watched servers the one farthest behind. */
  readonly serial: number | undefined;
  readonly seenAt: number | undefined;
  readonly lastNotifyAt: number | undefined;
  readonly lastTransferAt: number | undefined;
  /** Kind of the last transfer: "axfr", "ixfr". */
  readonly kind: string | undefined;
  /** "live": seen to have the current serial; "transferred": unwatched, but has taken it. */
  readonly state: "unknown" | "notified" | "transferred" | "live" | "behind";
}

/** A row, owner or zone that is not served as written. */
export interface ProblemReport {
  readonly zone: string;
  /** The owner's normal form; null where the whole zone is meant. */
  readonly owner: string | null;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly code: string;
  /** "error": not served as written; "warning": served. */
  readonly severity: string;
  readonly reason: string;
  readonly hint: string | undefined;
}

/** What has changed of the problems, or all of them. */
export interface ProblemsReport {
  /** Whether those to be put are all there are: whatever else stands there has gone. */
  readonly isWhole: boolean;
  /** New, or told of in other words. Read once, as it is written. */
  readonly put: Iterable<ProblemReport>;
  readonly gone: Iterable<ProblemReport>;
}

/** What of a zone is not published until it is approved. */
export interface HeldReport {
  readonly zone: string;
  readonly id: string;
  /** Since when, ms since the epoch. */
  readonly since: number;
  readonly reason: string;
  /** Owners in their normal form; null stands for any of the zone. */
  readonly owners: readonly string[] | null;
  /** How many owners are held, and how many records would go and come. */
  readonly ownerCount: number;
  readonly removed: number;
  readonly added: number;
  /** Whether it can be approved as it is. */
  readonly servable: boolean;
}

/**
 * What is to be told to the source's database, gathered since the last
 * successful {@link Source.writeBack}; later entries win.
 */
export interface WriteBack {
  /** Who publishes: the id of the state file. */
  readonly instance: string;
  /** Names of the secondaries each zone has; undefined when not known. */
  readonly configured: readonly string[] | undefined;
  readonly published: readonly PublishedReport[];
  /**
   * How far the source has been read: what was committed by then is published,
   * made no difference, or waits in one of the zones named in `pending`.
   */
  readonly covered: { readonly snapshot: string; readonly pending: readonly string[] } | undefined;
  readonly secondaries: readonly SecondaryReport[];
  /** Undefined when they have not changed. */
  readonly problems: ProblemsReport | undefined;
  /** All that is held now; undefined when that has not changed. */
  readonly held: readonly HeldReport[] | undefined;
  /** Versions that secondaries have come to show: for `pg_notify`. */
  readonly live: readonly LiveReport[];
}

/** So many of a zone's secondaries have come to show a serial. */
export interface LiveReport {
  readonly zone: string;
  readonly serial: number;
  readonly live: number;
  readonly of: number;
}
