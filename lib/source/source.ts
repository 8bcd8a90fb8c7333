/**
 * Where records come from: the interface that the Postgres and the SQLite
 * source implement and the primary drives.
 *
 * A source wakes the primary with hints and is read at one snapshot at a time.
 * A hint carries no data: every wake-up leads to a read.
 */
import type { BuildSettings } from "../zone/mod.ts";
import type { WriteBack } from "./write_back.ts";

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
