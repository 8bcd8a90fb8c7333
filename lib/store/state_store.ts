/**
 * What the primary keeps in the SQLite state file: the interface.
 *
 * Durable, then visible, then announced: {@link StateStore.publish} resolves
 * only when the commit is on disk.
 */
import type { Name } from "../dns/mod.ts";
import type { KnownProblem, ZoneDiff, ZoneVersion } from "../zone/mod.ts";
import type { StateError } from "./errors.ts";

/** A zone as it was last published. */
export interface StoredZone {
  readonly version: ZoneVersion;
  /** ms since the epoch. */
  readonly publishedAt: number;
}

/**
 * Owners still to be published: zone name as the source has it → owners in its
 * normal form, or "all" for the whole zone.
 */
export type PendingOwners = ReadonlyMap<string, ReadonlySet<string> | "all">;

/** What has changed of the problems to keep, by their identities. */
export interface ProblemsChange {
  readonly put: ReadonlyMap<number, KnownProblem>;
  readonly gone: ReadonlyMap<number, unknown>;
}

/** The problems that were kept. */
export interface KeptProblems {
  readonly problems: readonly KnownProblem[];
  /** Whether these are all there were; else there were too many, and the rest is not known. */
  readonly isWhole: boolean;
}

/** How far the source was read, and what of it still waits. */
export interface Progress {
  /** Source cursor of the last read taken. */
  readonly cursor: string;
  /**
   * All that still waits; a zone with no owner in its set is not kept. Undefined:
   * what was kept before.
   */
  readonly pending?: PendingOwners;
  /** What the guard is to remember now; the others stay. */
  readonly guard?: readonly GuardNote[];
  /** Of what was read by then; undefined where nothing has changed. */
  readonly problems?: ProblemsChange;
  /** The {@link StoredState.instance} of a file that this one goes on for; undefined: its own. */
  readonly instance?: string;
}

/** One thing the guard remembers of a zone; what it says is the guard's own. */
export interface GuardNote {
  readonly apexKey: string;
  readonly kind: GuardNoteKind;
  /** Undefined: it is forgotten. */
  readonly value: string | undefined;
}

/** The sizes a zone had of late, what of it is held, what an operator approved. */
export type GuardNoteKind = "peaks" | "hold" | "approved";

/** All that a start needs. */
export interface StoredState {
  /** Random identity of this state file, made with it; 32 hex digits. */
  readonly instance: string;
  readonly zones: readonly StoredZone[];
  /** Source cursor of the last read taken; undefined before the first. */
  readonly cursor: string | undefined;
  /** What was read up to the cursor and is not published. */
  readonly pending: PendingOwners;
  /** What the guard remembers; all values are there. */
  readonly guard: readonly GuardNote[];
  /** Undefined when none were ever kept, or they are damaged. */
  readonly problems: KeptProblems | undefined;
}

/** One version to make durable. */
export interface Publication {
  readonly version: ZoneVersion;
  /** The version it follows; undefined for a zone's first. */
  readonly previous: ZoneVersion | undefined;
  /** Undefined when there is no version to differ from. */
  readonly diff: ZoneDiff | undefined;
  /** Why, for the zone's log ("notification", "poll", …). */
  readonly cause: string;
  /** ms since the epoch. */
  readonly publishedAt: number;
}

/** One line of a zone's journal. */
export interface JournalEntry {
  readonly fromSerial: number;
  readonly toSerial: number;
  readonly publishedAt: number;
  readonly cause: string;
  readonly added: number;
  readonly removed: number;
  /** Octets of both record lists. */
  readonly octets: number;
}

/** The journals of all zones together. */
export interface JournalFigures {
  /** Differences kept. */
  readonly differences: number;
  /** Octets they take. */
  readonly octets: number;
  /** When the oldest was published, ms since the epoch; undefined without any. */
  readonly oldestAt: number | undefined;
}

/** Octets of record lists that one call of {@link StateStore.differences} reads at most. */
export const MAX_DIFFERENCES_OCTETS = 64 * 1024 * 1024;

/** Why a state file can not be written, as far as was seen. */
export interface StateTrouble {
  /** ms since the epoch. */
  readonly since: number;
  readonly error: StateError;
}

/** The state file, one writer. */
export interface StateStore {
  /** Undefined while it is open for writing. */
  readonly trouble?: StateTrouble;
  load(): Promise<StoredState>;
  /** Changed pages, journal rows and (if given) the progress, in one transaction, fsynced. */
  publish(publications: readonly Publication[], progress?: Progress): Promise<void>;
  /** Keeps the progress when a read changed nothing. */
  keepProgress(progress: Progress): Promise<void>;
  /** Keeps what the guard is to remember, at once. */
  keepGuard(notes: readonly GuardNote[]): Promise<void>;
  /** Forgets a zone: pages, journal and what the guard remembers. */
  removeZone(apex: Name): Promise<void>;
  /**
   * A zone's journal, oldest first; empty when there is none.
   *
   * @param newest  no more than these, the newest; all by default
   */
  journal(apex: Name, newest?: number): Promise<readonly JournalEntry[]>;
  /** The journals of all zones together; reads no difference. */
  journalFigures(): Promise<JournalFigures>;
  /**
   * The differences that lead from a serial to another, by default the current
   * one, oldest first; undefined when they are not all kept.
   *
   * @throws {StateError} "journal-too-long": they are several and take more than
   *   {@link MAX_DIFFERENCES_OCTETS} together; ask for them in parts
   */
  differences(
    apex: Name,
    fromSerial: number,
    toSerial?: number,
  ): Promise<readonly ZoneDiff[] | undefined>;
  /**
   * Mends a zone's journal that was found damaged, and reports it: rows that are broken
   * are dropped with all before; where all are whole, its index is written anew.
   */
  repairJournal(apex: Name): Promise<void>;
  close(): Promise<void>;
}
