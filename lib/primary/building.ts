/**
 * One zone's next version out of what a read found of it: published, settled, or
 * waiting.
 *
 * Owns nothing; what it finds goes into an {@link Outcome}, in force once that is
 * durable. Only what led to a read that must be repeated is noted at once.
 */
import { runSliced, Slices } from "../ops/mod.ts";
import type { OwnerScope, Reading, WakeReason } from "../source/mod.ts";
import type { Publication } from "../store/mod.ts";
import type { ZoneBuild, ZoneTable } from "../zone/mod.ts";
import type { GuardPlan, Holding } from "./holding.ts";
import type { PrimaryConfig } from "./parts.ts";
import type { Quarantine } from "./quarantine.ts";
import type { SerialGuard } from "./serials.ts";
import { addPending, addRead, type Waiting } from "./waiting.ts";

/** What a read has led to, until it is durable. */
export interface Outcome {
  readonly publications: Publication[];
  readonly pending: Map<string, OwnerScope>;
  /** Zones of which what is pending must be read next, by their apex's key. */
  readonly incomplete: string[];
  /** Builds that ended with the zone as the source has it, but for what is held. */
  readonly settled: ZoneBuild[];
  /** Of the pending zones those that do not wait as a whole: the guard holds these owners. */
  readonly held: Set<string>;
  /** Builds that came to nothing, because more must be read with them. */
  readonly again: Set<ZoneBuild>;
  readonly guard: GuardPlan;
}

/** A read to build of. */
export interface BuildRead {
  readonly reading: Reading;
  /** The zones of which what waits was read, whatever the feed says. */
  readonly due: ReadonlySet<string>;
  readonly reason: WakeReason;
}

export interface BuildingOptions {
  readonly zones: ZoneTable;
  readonly config: PrimaryConfig;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly waiting: Waiting;
  readonly holding: Holding;
  readonly serials: SerialGuard;
  readonly quarantine: Quarantine;
}

export class Building {
  readonly #options: BuildingOptions;

  constructor(options: BuildingOptions) {
    this.#options = options;
  }

  /** What a reading has led to before anything is built. */
  begin(reading: Reading): Outcome {
    const { waiting, holding } = this.#options;
    return {
      publications: [],
      ...waiting.notRead(reading),
      incomplete: [],
      again: new Set(),
      settled: [],
      guard: holding.newPlan(),
    };
  }

  /** Takes the next versions of zones into the outcome; others run between two of them. */
  async buildAll(
    builds: readonly ZoneBuild[],
    read: BuildRead,
    outcome: Outcome,
  ): Promise<void> {
    const slices = new Slices();
    for (const build of builds) {
      await this.#build(build, read, outcome);
      await slices.next();
    }
  }

  async #build(build: ZoneBuild, read: BuildRead, outcome: Outcome): Promise<void> {
    const { zones, config, now, waiting, holding, serials, quarantine } = this.#options;
    const { reading, due, reason } = read;
    const { name } = build.settings;
    const cause = waiting.takeCause(name) ?? reason;
    const beside = waiting.heldBeside(name, reading, due);
    if (beside) {
      outcome.pending.set(name, beside);
      const read = reading.scope === "everything" ? "all" : reading.scope.get(name) ?? new Set();
      if (!await runSliced(holding.isBeside(build.apexKey, read))) {
        return this.#readWithHeld(build, reading, cause, outcome);
      }
    }
    const previous = zones.get(build.apex);
    const publishedAt = now();
    const floors = serials.floorsOf(build, previous, reading, publishedAt);
    const result = floors && await runSliced(build.finish(previous, {
      policy: config.serialPolicy,
      nowMs: publishedAt,
      ...floors,
      guard: holding.rulesOf(outcome.guard, build.apexKey, beside !== undefined),
      badRows: config.badRows,
      hasOtherBadRows: config.badRows === "hold" && quarantine.hasBadRowsBeside(build),
    }));
    if (!result || result.kind === "held") {
      addRead(outcome.pending, reading, name);
      if (!floors) waiting.noteCause(name, cause);
    } else if (result.kind === "incomplete") {
      outcome.pending.set(name, "all");
      outcome.incomplete.push(build.apexKey);
      waiting.noteCause(name, cause);
    } else if (result.kind === "together") {
      this.#readWithHeld(build, reading, cause, outcome);
    } else {
      outcome.settled.push(build);
      if (result.held) outcome.pending.set(name, result.held.owners.names);
      if (result.held || result.stays) outcome.held.add(name);
      holding.judged(outcome.guard, build.apex, build.apexKey, previous, result);
      if (result.kind === "unchanged") return;
      const { version, diff } = result;
      outcome.publications.push({ version, previous, diff, cause, publishedAt });
    }
  }

  /**
   * With "omit", has bad owners read next: nothing is served any more of what was kept of them
   * before zonecast was started with it.
   *
   * @param builds  all that there are of the first read, built
   */
  judgeBadAgain(builds: readonly ZoneBuild[], { pending, held, incomplete }: Outcome): void {
    const { config, quarantine } = this.#options;
    if (config.badRows !== "omit") return;
    for (const build of builds) {
      const owners = quarantine.badOwners(build);
      if (owners !== "all" && owners.size === 0) continue;
      const { name } = build.settings;
      addPending(pending, name, owners);
      held.delete(name); // more is pending than that
      incomplete.push(build.apexKey);
    }
  }

  /** What was read of a zone must be judged with what is held of it: both are read next. */
  #readWithHeld(build: ZoneBuild, reading: Reading, cause: WakeReason, outcome: Outcome): void {
    this.#options.waiting.noteCause(build.settings.name, cause);
    addRead(outcome.pending, reading, build.settings.name);
    outcome.incomplete.push(build.apexKey);
    outcome.again.add(build);
  }
}
