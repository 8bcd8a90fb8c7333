/**
 * Where records come from: the interface that the Postgres and the SQLite
 * source implement and the primary drives.
 *
 * A source wakes the primary with hints and is read at one snapshot at a time.
 * A hint carries no data: every wake-up leads to a read.
 */
import type { BuildSettings } from "../zone/mod.ts";

/** One zone's settings as the source has them; text as written there. */
export type ZoneSettings = BuildSettings;

/** One enabled row of `records`; text as written there. */
export interface SourceRow {
  /** The zone as the row names it; matches {@link ZoneSettings.name} after parsing. */
  readonly zone: string;
  /** Owner, relative to the zone; `@` is the apex; a trailing dot makes it absolute. */
  readonly name: string;
  /** RR TYPE mnemonic or TYPEnnn. */
  readonly type: string;
  /** Seconds; null means the zone's default. */
  readonly ttl: number | null;
  /** RDATA in presentation format. */
  readonly content: string;
  /**
   * The owner's one normal form, as the feed and {@link OwnerScope} spell it;
   * undefined where the source has none (a view without that column).
   */
  readonly owner?: string;
}

/** Owners of one zone in their normal form; "all" stands for every owner there is or was. */
export type OwnerScope = ReadonlySet<string> | "all";

/** What to read. */
export interface ReadRequest {
  /** Where the last read ended, as {@link Reading.cursor} gave it; undefined before the first. */
  readonly cursor: string | undefined;
  /** Read every record, whatever the cursor says. */
  readonly everything: boolean;
  /**
   * Owners of earlier reads not yet published, by the source's zone name. Those of a
   * zone are read again together with any other owner of it, or when it is in {@link due}.
   */
  readonly pending: ReadonlyMap<string, OwnerScope>;
  /** Zones, by the source's name, whose pending owners must be read now. */
  readonly due: ReadonlySet<string>;
  /** Of a zone of more records, where it is read by itself, no more than one further is needed. */
  readonly maxRecords?: number;
}

/**
 * Takes one batch of a read.
 *
 * @param everything  whether the read is of everything, as its {@link Reading.scope}
 *   will say; where it is not known yet, false
 */
export type Deliver = (
  rows: readonly SourceRow[],
  zones: readonly ZoneSettings[],
  everything: boolean,
) => void | Promise<void>;

/** What one read covered, at one snapshot. */
export interface Reading {
  /** Opaque to all but the source: identity and snapshot. */
  readonly cursor: string;
  /** All zones at the snapshot; nobody changes the list. The same one again says that no zone changed. */
  readonly zones: readonly ZoneSettings[];
  /**
   * "everything": the rows delivered are all there are. Otherwise the owners
   * read, by zone name: rows were delivered for exactly these.
   */
  readonly scope: "everything" | ReadonlyMap<string, OwnerScope>;
  /** The database snapshot read, as text (`pg_snapshot`); undefined where there is no such thing. */
  readonly snapshot?: string;
  /** When the newest change read was made, ms since the epoch; undefined where not known. */
  readonly changedAt?: number;
  /**
   * The same by this process's monotonic clock (`performance.now()`), for measuring: the source's
   * clock may differ from ours, and either may be set. Ms.
   */
  readonly changedTick?: number;
  /**
   * The newest serial written back of each zone, by the source's name for it;
   * where it is known, with scope "everything".
   */
  readonly publishedSerials?: ReadonlyMap<string, number>;
  /**
   * Ids of held content that were approved in the database, by zone; where that was
   * looked at, which it is when there may be new ones.
   */
  readonly approvals?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Why a read is asked for; also the cause that the log and the journal show.
 * "feed": rows were written to the change feed. "notification": somebody says
 * that something changed, not what: everything must be read. "restart": the server was
 * started again, perhaps on an older copy of its disk. "proof": the
 * regular read of everything. "request": an operator or a retry.
 */
export type WakeReason =
  | "start"
  | "feed"
  | "notification"
  | "poll"
  | "reconnect"
  | "restart"
  | "proof"
  | "request";

/** State of the connection behind a source. */
export interface SourceLink {
  readonly up: boolean;
  /** When it came up or went down, ms since the epoch. */
  readonly since: number;
  /** Why it is down, or cannot be read though it is up; for an operator. Undefined when all is well. */
  readonly reason: string | undefined;
  /** What to do about the reason, for an operator. */
  readonly hint?: string;
}

/** One published version, to be written back. */
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

/** How one secondary stands with one zone, to be written back. Times are ms since the epoch. */
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

/** A row, owner or zone that is not served as written, to be written back. */
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

/** Problems to be written back. */
export interface ProblemsReport {
  /** Whether those to be put are all there are: whatever else stands there has gone. */
  readonly isWhole: boolean;
  /** New, or told of in other words. Read once, as it is written. */
  readonly put: Iterable<ProblemReport>;
  readonly gone: Iterable<ProblemReport>;
}

/** What of a zone is not published until it is approved, to be written back. */
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

/** A place records come from. */
export interface Source {
  /** For logs and status; without secrets. */
  readonly description: string;
  readonly link: SourceLink;

  /**
   * Connects and keeps connected in the background, with backoff; returns at once.
   *
   * @param wake  called at each hint that something may have changed, and at each
   *   (re)connect; may be called often, also while a read runs
   * @param linkChanged  called when {@link link} changed
   */
  start(
    wake: (reason: WakeReason) => void,
    linkChanged: (link: SourceLink) => void,
  ): void;

  /**
   * Reads at one snapshot. One read at a time.
   *
   * @param deliver  called with batches of rows, in no particular order, each with
   *   the zones of the same snapshot; awaited, so a slow consumer slows the read
   * @throws {SourceError} the source cannot be read now; a wake follows when it can
   */
  read(
    request: ReadRequest,
    deliver: Deliver,
  ): Promise<Reading>;

  /**
   * Tells the database what became of its records, in one transaction.
   * Absent where there is nobody to tell.
   *
   * @throws {SourceError} it cannot be told now; nothing was written
   */
  writeBack?(report: WriteBack): Promise<void>;

  /** Ends connections and timers. */
  close(): Promise<void>;
}

/** A record to write, in the source's own terms. */
export interface RecordEdit {
  /** Owner relative to the zone, `@` for the apex, or absolute. */
  readonly name: string;
  readonly type: string;
  readonly content: string;
  /** Seconds; null means the zone's default. */
  readonly ttl: number | null;
}

/** Changes an operator makes from the shell, each one transaction. */
export interface SourceEditor {
  zones(): Promise<{ settings: ZoneSettings; records: number }[]>;
  /** All enabled rows of a zone. */
  rows(zone: string): Promise<SourceRow[]>;
  /** @throws {SourceError} code "zone-exists" */
  addZone(
    settings: ZoneSettings,
    records: readonly RecordEdit[],
  ): Promise<void>;
  /** @throws {SourceError} code "zone-unknown" */
  setZone(
    zone: string,
    settings: Partial<Omit<ZoneSettings, "name">>,
  ): Promise<void>;
  /** Removes the zone and its records. Returns the number of records removed. */
  removeZone(zone: string): Promise<number>;
  /** Adds the record, or gives the same record its new TTL. Returns false when nothing changed. */
  setRecord(zone: string, record: RecordEdit): Promise<boolean>;
  /** Removes the matching records of an owner; returns how many. */
  unsetRecords(
    zone: string,
    name: string,
    type?: string,
    content?: string,
  ): Promise<number>;
  /** Replaces (or makes) a zone and all its records in one transaction. */
  replaceZone(
    settings: ZoneSettings,
    records: readonly RecordEdit[],
  ): Promise<void>;
  /**
   * Makes a zone's records exactly these, and changes its settings, in one
   * transaction. Rows that are among the records stay as they are, and so do
   * disabled ones.
   *
   * @param dryRun  only say what would be done
   * @returns the rows removed and the records added
   * @throws {SourceError} code "zone-unknown"; "source-view"
   */
  restoreZone(
    zone: string,
    settings: Partial<Omit<ZoneSettings, "name">>,
    records: readonly RecordEdit[],
    dryRun: boolean,
  ): Promise<Restored>;
  close(): Promise<void>;
}

/** What {@link SourceEditor.restoreZone} changed. */
export interface Restored {
  readonly removed: readonly RecordEdit[];
  readonly added: readonly RecordEdit[];
}
