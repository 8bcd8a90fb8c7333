/**
 * The rows of one read sorted to the zones they belong to.
 *
 * Owns: one {@link ZoneBuild} per zone that was read. Pure otherwise.
 */
import { canonicalKey, type Name, parseName, ZonecastError } from "../dns/mod.ts";
import { ProblemBudget } from "./found_problems.ts";
import { type Problem, STRAY_ROWS } from "./problem.ts";
import type { RowText } from "./rows.ts";
import { noteZone, parseZone, sourceZones } from "./source_zones.ts";
import { type BuildSettings, type ReadOwners, ZoneBuild } from "./zone_build.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** A row that says which zone it is of. */
export interface ZoneRow extends RowText {
  /** In any spelling of the zone's name. */
  readonly zone: string;
}

/** Which owners a read covers: of which zone, by the source's name for it. */
export type ReadScope = "everything" | ReadonlyMap<string, ReadOwners>;

/** Rows read between two pauses. */
const ROWS_PER_PAUSE = 256;

export class ZoneBuilds {
  /** What is wrong with zones as such: of all zones of the source, whatever was read. */
  readonly zoneProblems: readonly Problem[];
  /** Rows that belong to no zone: of those read. */
  readonly strays: Problem[] = [];
  /** All zones of the source, by {@link canonicalKey} of the apex. */
  readonly #settings: ReadonlyMap<string, BuildSettings>;
  /** By {@link canonicalKey} of the apex. */
  readonly #builds = new Map<string, ZoneBuild>();
  /** The build a zone's text means; undefined for zones not served and for strays. */
  readonly #byText = new Map<string, ZoneBuild | undefined>();
  readonly #isWanted: (apexKey: string) => boolean;
  readonly #served: (apex: Name) => ZoneVersion | undefined;
  readonly #budget = new ProblemBudget();
  /** Builds that no row was added to yet. */
  readonly #new = new Set<ZoneBuild>();

  /**
   * @param settings  all zones of the source at the snapshot read
   * @param isWanted  whether a zone, by its apex's key, is to be served
   * @param served  for a read of everything: gives the version of a zone served now,
   *   which rows are compared with as they come
   * @param maxRecords  a zone of more is held
   */
  constructor(
    settings: readonly BuildSettings[],
    isWanted: (apexKey: string) => boolean,
    served: (apex: Name) => ZoneVersion | undefined = () => undefined,
    readonly maxRecords: number = Infinity,
  ) {
    this.#isWanted = isWanted;
    this.#served = served;
    const { byApex, problems, nameless } = sourceZones(settings);
    this.#settings = byApex;
    this.zoneProblems = problems;
    for (const text of nameless) this.#byText.set(text, undefined); // told of as a zone
  }

  /** Whether the source has a zone, by its apex's key, and it is to be served. */
  has(apexKey: string): boolean {
    return this.#settings.has(apexKey) && this.#isWanted(apexKey);
  }

  /** Whether the source has a zone of the name that a row gives. */
  hasNamed(zone: string): boolean {
    try {
      return this.#settings.has(canonicalKey(parseName(zone)));
    } catch (error) {
      if (error instanceof ZonecastError) return false;
      throw error;
    }
  }

  /** The apexes of zones that are to be served and are not yet. */
  *notServed(served: (apex: Name) => ZoneVersion | undefined): Generator<Name, void> {
    for (const [key, { name }] of this.#settings) {
      if (!this.#isWanted(key)) continue;
      const apex = parseName(name);
      if (!served(apex)) yield apex;
    }
  }

  /** Takes a batch of rows, in any order; yields as places to pause. */
  *take(rows: readonly ZoneRow[]): Generator<undefined, void> {
    for (const [i, row] of rows.entries()) {
      if (i % ROWS_PER_PAUSE === 0) yield;
      const build = this.#buildOf(row.zone);
      if (!build) continue;
      if (this.#new.delete(build)) {
        const version = this.#served(build.apex);
        if (version) yield* build.compareWith(version);
      }
      build.add(row);
    }
  }

  /**
   * The builds of all zones read, in no particular order; call once, after all rows.
   *
   * @param isSettled  whether a zone's settings are those it is served with; one
   *   that is not gets a build also where none of its owners was read. Undefined:
   *   all are.
   */
  finish(
    scope: ReadScope,
    isSettled: ((apexKey: string, settings: BuildSettings) => boolean) | undefined,
  ): ZoneBuild[] {
    if (scope !== "everything") this.#limitTo(scope);
    if (scope !== "everything" && !isSettled) return [...this.#builds.values()];
    for (const [key, settings] of this.#settings) {
      if (this.#builds.has(key) || !this.#isWanted(key)) continue;
      if (scope !== "everything" && isSettled?.(key, settings)) continue;
      const build = this.#open(key, settings);
      if (scope !== "everything") build.limitTo(new Set());
    }
    return [...this.#builds.values()];
  }

  /** Gives the memory of what was read back, where nothing will be built of it. */
  release(): void {
    for (const build of this.#builds.values()) build.release();
  }

  #limitTo(scope: ReadonlyMap<string, ReadOwners>): void {
    const owners = new Map<ZoneBuild, ReadOwners>();
    for (const [zone, read] of scope) {
      const build = this.#buildOf(zone, false);
      if (!build) continue; // a zone that is gone, or not served
      const before = owners.get(build);
      if (before === undefined) owners.set(build, read);
      else {
        const all = before === "all" || read === "all";
        owners.set(build, all ? "all" : new Set([...before, ...read]));
      }
    }
    for (const build of this.#builds.values()) build.limitTo(owners.get(build) ?? new Set());
  }

  /** The build of the zone a text names; a name of no zone is reported once. */
  #buildOf(zone: string, reportsStray = true): ZoneBuild | undefined {
    if (this.#byText.has(zone)) return this.#byText.get(zone);
    let build: ZoneBuild | undefined;
    const apex = parseZone(zone, reportsStray ? this.strays : [], STRAY_ROWS);
    if (apex) {
      const key = canonicalKey(apex);
      const settings = this.#settings.get(key);
      if (settings && this.#isWanted(key)) {
        build = this.#builds.get(key) ?? this.#open(key, settings);
      } else if (!settings && reportsStray) {
        const reason = `rows of the zone "${zone}" belong to no zone in zones`;
        const hint = "add the zone with `zonecast zone add`, or correct the rows' zone";
        noteZone(this.strays, zone, { code: "zone-unknown", reason, hint }, STRAY_ROWS);
      }
    }
    this.#byText.set(zone, build);
    return build;
  }

  #open(key: string, settings: BuildSettings): ZoneBuild {
    const build = new ZoneBuild(settings, this.maxRecords, this.#budget);
    this.#builds.set(key, build);
    this.#new.add(build);
    return build;
  }
}
