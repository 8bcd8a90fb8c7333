/**
 * The rows of one read sorted to the zones they belong to.
 *
 * Owns: one {@link ZoneBuild} per zone of the read. Pure otherwise.
 */
import { canonicalKey, parseName, ZonecastError } from "../dns/mod.ts";
import type { Problem, RowText } from "./rows.ts";
import { type BuildSettings, ZoneBuild } from "./zone_build.ts";

/** A row that says which zone it is of. */
export interface ZoneRow extends RowText {
  /** In any spelling of the zone's name. */
  readonly zone: string;
}

/** Rows read between two pauses. */
const ROWS_PER_PAUSE = 256;
/** Rows of unknown zones that are reported one by one. */
const MAX_STRAY_ZONES = 100;

export class ZoneBuilds {
  /** By {@link canonicalKey} of the apex. */
  readonly zones = new Map<string, ZoneBuild>();
  /** What is wrong with zones as such, and rows that belong to none. */
  readonly strays: Problem[] = [];
  readonly #byText = new Map<string, ZoneBuild | undefined>();

  /**
   * @param settings  all zones of the read
   * @param isWanted  whether a zone, by its apex's key, is to be served
   */
  constructor(settings: readonly BuildSettings[], isWanted: (apexKey: string) => boolean) {
    for (const zone of settings) {
      const build = this.#open(zone);
      if (!build) continue;
      const key = canonicalKey(build.apex);
      if (this.zones.has(key)) {
        this.strays.push(zoneProblem(
          zone.name,
          "zone-twice",
          `the zone ${zone.name} stands in zones more than once, in several spellings`,
          "delete all but one of the rows",
        ));
        this.#byText.set(zone.name, this.zones.get(key));
        continue;
      }
      // A zone that is not wanted keeps its rows from being strays.
      if (isWanted(key)) this.zones.set(key, build);
      this.#byText.set(zone.name, isWanted(key) ? build : undefined);
    }
  }

  #open(zone: BuildSettings): ZoneBuild | undefined {
    try {
      return new ZoneBuild(zone);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      this.strays.push(zoneProblem(zone.name, error.code, error.message, error.hint));
      this.#byText.set(zone.name, undefined);
      return undefined;
    }
  }

  /** Takes a batch of rows, in any order; yields as places to pause. */
  *take(rows: readonly ZoneRow[]): Generator<undefined, void> {
    for (const [i, row] of rows.entries()) {
      if (i % ROWS_PER_PAUSE === 0) yield;
      const known = this.#byText.has(row.zone);
      const build = known ? this.#byText.get(row.zone) : this.#findZone(row);
      build?.add(row);
    }
  }

  /** The zone that a row's text means; undefined, and reported once, when there is none. */
  #findZone(row: ZoneRow): ZoneBuild | undefined {
    let build: ZoneBuild | undefined;
    let reason = `rows of the zone "${row.zone}" belong to no zone in zones`;
    try {
      build = this.zones.get(canonicalKey(parseName(row.zone)));
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      reason = error.message;
    }
    this.#byText.set(row.zone, build);
    if (!build && this.strays.length < MAX_STRAY_ZONES) {
      const hint = "add the zone with `zonecast zone add`, or correct the rows' zone";
      this.strays.push(zoneProblem(row.zone, "zone-unknown", reason, hint));
    }
    return build;
  }
}

function zoneProblem(
  zone: string,
  code: string,
  reason: string,
  hint: string | undefined,
): Problem {
  return { zone, scope: "zone", name: "", type: "", content: "", code, reason, hint };
}
