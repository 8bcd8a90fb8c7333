/**
 * What a read of everything would lead to: each zone's next version, what the guard would hold,
 * what cannot be served. Nothing of it is done.
 *
 * The same builds and the same guard as the pipeline's, with neither store nor announcement.
 * Limitation: floors of serials that only the running server knows are not asked for, so that the
 * serial shown is the least that it would be.
 */
import { canonicalKey, formatName } from "../dns/mod.ts";
import { type Logger, runSliced } from "../ops/mod.ts";
import type { Source } from "../source/mod.ts";
import type { GuardNote } from "../store/mod.ts";
import {
  type BadRows,
  type Problem,
  type SerialPolicy,
  ZoneBuilds,
  type ZoneDiff,
} from "../zone/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Hold } from "./hold.ts";
import { type GuardSettings, Holding } from "./holding.ts";

export interface ForecastOptions {
  readonly source: Pick<Source, "read">;
  /** The versions served now, by their apexes' keys. */
  readonly served: ReadonlyMap<string, ZoneVersion>;
  /** What the guard remembers, as the state file keeps it. */
  readonly remembered: readonly GuardNote[];
  readonly guard: GuardSettings;
  readonly serialPolicy: SerialPolicy;
  readonly badRows: BadRows;
  readonly isWanted: (apexKey: string) => boolean;
  /** A zone of more is refused. */
  readonly maxRecords: number;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** Told how many rows have been read. */
  readonly onRows: (rows: number) => void;
}

/** What would become of one zone. */
export interface ZoneForecast {
  /** Absolute. */
  readonly zone: string;
  readonly apexKey: string;
  /**
   * - unchanged: nothing would be published, but what is held.
   * - first: it would be published for the first time.
   * - changed: it would be published anew.
   * - refused: it cannot be served as it is; what was served before still is.
   * - removed: it would be served no more.
   */
  readonly kind: "unchanged" | "first" | "changed" | "refused" | "removed";
  /** Served now. */
  readonly current: ZoneVersion | undefined;
  /** The version that would be published. */
  readonly next: ZoneVersion | undefined;
  /** What would change; undefined for the first version, and where nothing would. */
  readonly diff: ZoneDiff | undefined;
  /** What the guard would hold. */
  readonly hold: Hold | undefined;
}

export interface Forecast {
  /** By their names. */
  readonly zones: readonly ZoneForecast[];
  readonly problems: readonly Problem[];
}

/** Reads the source, and builds what would be published. @throws {SourceError} it cannot be read */
export async function forecast(options: ForecastOptions): Promise<Forecast> {
  const { served, now } = options;
  const holding = new Holding({
    settings: options.guard,
    store: { keepGuard: () => Promise.resolve() },
    log: options.log,
    now,
    changed: () => {},
  });
  holding.restore(options.remembered, (key) => served.has(key));
  const builds = await readBuilds(options);
  const plan = holding.newPlan();
  const zones: ZoneForecast[] = [];
  const problems: Problem[] = [...builds.zoneProblems, ...builds.strays];
  for (const build of builds.finish("everything", undefined)) {
    const { apex, apexKey } = build;
    const current = served.get(apexKey);
    const result = await runSliced(build.finish(current, {
      policy: options.serialPolicy,
      nowMs: now(),
      floors: [],
      guard: holding.rulesOf(plan, apexKey),
      badRows: options.badRows,
    }));
    for (const problem of build.problems.listed) problems.push(problem);
    const zone = { zone: formatName(apex), apexKey, current };
    if (result.kind === "unchanged" || result.kind === "changed") {
      holding.judged(plan, apex, apexKey, current, result);
      const hold = plan.zones.get(apexKey)?.hold;
      const next = result.kind === "changed" ? result.version : undefined;
      const diff = result.kind === "changed" ? result.diff : undefined;
      const kind = !next ? "unchanged" : current ? "changed" : "first";
      zones.push({ ...zone, kind, next, diff, hold });
    } else {
      zones.push({ ...zone, kind: "refused", next: undefined, diff: undefined, hold: undefined });
    }
  }
  zones.push(...await removed(options, builds, holding));
  zones.sort((a, b) => a.zone < b.zone ? -1 : 1);
  return { zones, problems };
}

async function readBuilds(options: ForecastOptions) {
  const { source, served, isWanted, maxRecords, onRows } = options;
  let builds: ZoneBuilds | undefined;
  let count = 0;
  const reading = await source.read(
    { cursor: undefined, everything: true, pending: new Map(), due: new Set(), maxRecords },
    (rows, zones) => {
      builds ??= new ZoneBuilds(
        zones,
        isWanted,
        (apex) => served.get(canonicalKey(apex)),
        maxRecords,
      );
      onRows(count += rows.length);
      return runSliced(builds.take(rows));
    },
  );
  return builds ?? new ZoneBuilds(reading.zones, isWanted, undefined, maxRecords);
}

/** Zones that are served and no longer in the source: gone, or held. */
async function removed(
  { served }: ForecastOptions,
  builds: ZoneBuilds,
  holding: Holding,
): Promise<ZoneForecast[]> {
  const found: ZoneForecast[] = [];
  for (const current of served.values()) {
    const { apex, apexKey } = current;
    if (builds.has(apexKey)) continue;
    const isHeld = await holding.holdsRemoval(current);
    found.push({
      zone: formatName(apex),
      apexKey,
      kind: isHeld ? "unchanged" : "removed",
      current,
      next: undefined,
      diff: undefined,
      hold: isHeld ? holding.holdOf(apexKey) : undefined,
    });
  }
  return found;
}
