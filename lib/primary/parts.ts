/**
 * What the primary is made of, how it works and how it stands. Types only.
 */
import type { Name, Serial } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import type { Reading, Source, SourceLink } from "../source/mod.ts";
import type { Publication, StateStore } from "../store/mod.ts";
import type {
  AskSerials,
  BadRows,
  KnownProblem,
  ProblemChange,
  ProblemCount,
  SerialPolicy,
  ZoneTable,
  ZoneVersion,
} from "../zone/mod.ts";
import type { Unkept } from "./trouble.ts";
import type { Hold } from "./hold.ts";
import type { GuardSettings } from "./holding.ts";

/** Whom the primary tells of new versions; the server. */
export interface Announcer {
  /** A version has become current: notify the secondaries. */
  announce(version: ZoneVersion): void;
  /** A zone is no longer served. */
  retire(apex: Name): void;
  /** Asks the secondaries which serial of a zone they have; absent where nobody is watched. */
  serials?: AskSerials;
}

/** Whom the primary tells what became of the source's records. Never blocks, never throws. */
export interface Teller {
  /** @param zone  as the source names it */
  published(zone: string, publication: Publication, reading: Reading): void;
  /** A version was made without a read: its serial was raised. */
  raised(publication: Publication): void;
  /** The source can be reached again. */
  linkUp(): void;
  /** A zone is served under this name of the source's; said before anything else of it. */
  named(apexKey: string, zone: string): void;
  /** The source was read up to here; changes of the zones named wait, as the source names them. */
  covered(reading: Reading, waiting: readonly string[]): void;
  /** All that is held, when it has changed; said before what was read up to. */
  held(holds: Iterable<Hold>): void;
  /** What a read has changed of the problems; told at each read, if only that it was nothing. */
  problems(change: ProblemChange): void;
}

/** How the primary works; times in ms. */
export interface PrimaryConfig {
  /** Serve only these zones; empty means all. */
  readonly zones: readonly Name[];
  /** Changes closer together than this are published together. */
  readonly minPublishIntervalMs: number;
  readonly serialPolicy: SerialPolicy;
  /** No zone gets a serial at or below this one; undefined without. */
  readonly serialFloor: Serial | undefined;
  /** A zone of more records is held; a number without bound where left out. */
  readonly maxRecords?: number;
  /** How many secondaries are watched: until all have confirmed a serial it may be raised. */
  readonly watchedSecondaries: number;
  /** What is served where rows are bad; "keep" where it is not said. */
  readonly badRows?: BadRows;
  /** A read proves everything at least this often, changed or not. */
  readonly fullReadIntervalMs: number;
  /** What may change without being approved; undefined: anything. */
  readonly guard?: GuardSettings;
}

/** What the primary is made of. */
export interface PrimaryParts {
  readonly source: Source;
  readonly store: StateStore;
  readonly zones: ZoneTable;
  readonly announcer: Announcer;
  readonly teller?: Teller;
  /** Called when everything was read and what came of it is done. */
  readonly readWhole?: () => void;
  readonly config: PrimaryConfig;
  readonly log: Logger;
  /** ms since the epoch; the default is the clock. */
  readonly now?: () => number;
  /** A read or publication that failed is tried again after this, in ms; the default is 5 s. */
  readonly retryMs?: number;
}

/** One zone's standing, for status. */
export interface ZoneStatus {
  readonly version: ZoneVersion;
  /** ms since the epoch. */
  readonly publishedAt: number;
}

/** Whether changes are read and published. */
export interface PrimaryHealth {
  readonly link: SourceLink;
  /** Why the last read or publication failed; undefined when it did not. */
  readonly failure: string | undefined;
  /**
   * Why the state file keeps nothing, so that nothing is published and what was kept
   * last is served; undefined while it does.
   */
  readonly unkept: Unkept | undefined;
}

/** The primary's standing, for status. */
export interface PrimaryStatus extends PrimaryHealth {
  readonly zones: readonly ZoneStatus[];
  readonly source: string;
  /** When the source was last read to the end, ms since the epoch; undefined before. */
  readonly lastReadAt: number | undefined;
  readonly lastReadMs: number | undefined;
  /** Reads since the start: of everything, and of what the feed named. */
  readonly reads: { readonly everything: number; readonly part: number };
  /** The first thousand of those listed. */
  readonly problems: readonly KnownProblem[];
  /** How many there are, all of them, in each zone that has any. */
  readonly problemCounts: readonly ProblemCount[];
  /** What is not published until it is approved, zone by zone. */
  readonly held: readonly Hold[];
}
