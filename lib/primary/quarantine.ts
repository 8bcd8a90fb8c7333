/**
 * What of the source is not served as written: known, counted, kept, logged.
 *
 * Owns: the problems there are, and what of them the state file does not have yet.
 * Effects: log, one line each time a problem appears, changes or is solved, and
 * no more than {@link MAX_LINES} in {@link LINES_MS}.
 */
import { canonicalKey, parseName, ZonecastError } from "../dns/mod.ts";
import { type Logger, runSliced } from "../ops/mod.ts";
import type { OwnerScope } from "../source/mod.ts";
import type { KeptProblems } from "../store/mod.ts";
import {
  type KnownProblem,
  ProblemChange,
  type ProblemCount,
  type ProblemEvent,
  ProblemTable,
  type ZoneBuild,
  type ZoneBuilds,
} from "../zone/mod.ts";

/** Problems shown in status. */
const MAX_SHOWN = 1000;
/** Lines about single problems in the log, in each so many ms; what is more is counted in one line a read. */
const MAX_LINES = 100;
const LINES_MS = 60_000;

export class Quarantine {
  readonly #table: ProblemTable;
  /** What the state file does not have yet. */
  #unkept = new ProblemChange();
  /** When the lines were written that count now, in ms of the monotonic clock. */
  #linesSince = -Infinity;
  #lines = 0;

  /** @param now  ms since the epoch */
  constructor(readonly log: Logger, now: () => number) {
    this.#table = new ProblemTable(now);
  }

  /**
   * Takes the problems there were when zonecast ended.
   *
   * @returns whether these are all; if not, everything must be read
   */
  restore(kept: KeptProblems | undefined): boolean {
    this.#table.restore(kept?.problems ?? [], apexKeyOf);
    return kept?.isWhole === true;
  }

  /** All problems that are listed. */
  all(): Iterable<KnownProblem> {
    return this.#table.all();
  }

  /** How many there are in each zone that has any. */
  counts(): ProblemCount[] {
    return [...this.#table.counts()];
  }

  /** The first thousand, for status. */
  shown(): KnownProblem[] {
    return [...this.#table.all().take(MAX_SHOWN)];
  }

  /** Whether a zone has bad rows beside those that a build of it has read. */
  hasBadRowsBeside(build: ZoneBuild): boolean {
    return this.#table.badBeside(build) > 0;
  }

  /** The owners of a zone of which something is not served as written; all where that is not known. */
  badOwners({ apexKey }: ZoneBuild): OwnerScope {
    return this.#table.badOwners(apexKey);
  }

  /**
   * Takes the problems of a read.
   *
   * @param read  the builds of the zones read, among all zones of the source
   * @param everything  whether all rows were read: a part does not show every stray
   */
  async take(
    read: readonly ZoneBuild[],
    builds: ZoneBuilds,
    everything: boolean,
  ): Promise<void> {
    const table = this.#table;
    await runSliced(chained(table.take(read), table.keepZones((apexKey) => builds.has(apexKey))));
    table.takeZoneProblems(builds.zoneProblems);
    table.takeStrays(builds.strays, (zone) => !everything && !builds.hasNamed(zone));
    const change = table.takeChange();
    this.#log(change);
    if (this.#unkept.isEmpty) this.#unkept = change; // no copy: it may be of ten thousand
    else this.#unkept.add(change);
  }

  /** What has changed since {@link kept}. */
  get unkept(): ProblemChange {
    return this.#unkept;
  }

  /** The state file has it. */
  kept(): void {
    this.#unkept = new ProblemChange();
  }

  #log({ events, hiddenAppeared, hiddenSolved }: ProblemChange): void {
    const left = { appeared: hiddenAppeared, changed: 0, solved: hiddenSolved };
    for (const event of events) {
      if (this.#mayLog()) this.#logOne(event);
      else left[event.kind]++;
    }
    if (left.appeared + left.changed + left.solved === 0) return;
    const hint = "`zonecast problems` lists them";
    this.log.warn("problems not logged one by one", { ...left, hint });
  }

  #logOne({ kind, problem }: ProblemEvent): void {
    const { zone, severity, scope, name, type, content, code, reason, hint } = problem;
    const fields = { zone, severity, scope, name, type, content, code };
    if (kind === "solved") this.log.info("problem solved", fields);
    else {
      const event = kind === "appeared" ? "problem" : "problem changed";
      this.log.warn(event, { ...fields, reason, hint });
    }
  }

  #mayLog(): boolean {
    const now = performance.now();
    if (now - this.#linesSince >= LINES_MS) {
      this.#linesSince = now;
      this.#lines = 0;
    }
    return this.#lines++ < MAX_LINES;
  }
}

/** One after the other. */
function* chained(...parts: Generator<undefined, void>[]): Generator<undefined, void> {
  for (const part of parts) yield* part;
}

/** The apex key of a zone as a problem names it; undefined when that is no name. */
function apexKeyOf(zone: string): string | undefined {
  try {
    return canonicalKey(parseName(zone));
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}
