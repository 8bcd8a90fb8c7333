/**
 * The zones of a source by their apexes.
 *
 * Pure. Made once for each list of zones: a source gives the same list until one
 * of them changes, and with ten thousand zones reading their names takes 20 ms.
 */
import { canonicalKey, type Name, parseName, ZonecastError } from "../dns/mod.ts";
import { type Flaw, type Problem, WHOLE_ZONE, zoneProblem } from "./problem.ts";
import { ZONE_TWICE } from "./problem_table.ts";
import type { BuildSettings } from "./zone_build.ts";

/** Zones that are reported as such, of one kind. */
const MAX_ZONES_NOTED = 100;

export interface SourceZones {
  /** By {@link canonicalKey} of the apex. */
  readonly byApex: ReadonlyMap<string, BuildSettings>;
  /** Texts that stand for a zone and are no name. */
  readonly nameless: readonly string[];
  /** What is wrong with zones as such. */
  readonly problems: readonly Problem[];
}

const known = new WeakMap<readonly BuildSettings[], SourceZones>();

/** @param settings  all zones of a source; nobody changes it */
export function sourceZones(settings: readonly BuildSettings[]): SourceZones {
  let zones = known.get(settings);
  if (!zones) known.set(settings, zones = read(settings));
  return zones;
}

function read(settings: readonly BuildSettings[]): SourceZones {
  const byApex = new Map<string, BuildSettings>();
  const nameless: string[] = [];
  const problems: Problem[] = [];
  for (const zone of settings) {
    const apex = parseZone(zone.name, problems);
    if (!apex) {
      nameless.push(zone.name);
      continue;
    }
    const key = canonicalKey(apex);
    if (byApex.has(key)) {
      const reason = `the zone ${zone.name} stands in zones more than once, in several spellings`;
      const hint = "delete all but one of the rows";
      noteZone(problems, zone.name, { code: ZONE_TWICE, reason, hint });
    } else byApex.set(key, zone);
  }
  return { byApex, nameless, problems };
}

/**
 * The apex a text names; else undefined, and a problem is noted.
 *
 * @param group  {@link WHOLE_ZONE}, or STRAY_ROWS where rows give the text
 */
export function parseZone(
  text: string,
  problems: Problem[],
  group = WHOLE_ZONE,
): Name | undefined {
  try {
    return parseName(text);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    const { code, message: reason, hint } = error;
    noteZone(problems, text, { code, reason, hint }, group);
    return undefined;
  }
}

/** Adds a problem of a zone as such; no more than {@link MAX_ZONES_NOTED}. */
export function noteZone(
  problems: Problem[],
  zone: string,
  what: Flaw,
  group = WHOLE_ZONE,
): void {
  if (problems.length >= MAX_ZONES_NOTED) return;
  problems.push(zoneProblem(zone, { ...what, group }));
}

/** Whether two zones have the same settings. */
export function equalSettings(a: BuildSettings | undefined, b: BuildSettings): boolean {
  if (a === b) return true;
  if (!a) return false;
  const fields = Object.keys(b) as (keyof BuildSettings)[];
  return fields.length === Object.keys(a).length &&
    fields.every((one) => Object.is(a[one], b[one]));
}
