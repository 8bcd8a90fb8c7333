/**
 * All problems there are now, kept owner by owner as reads come in.
 *
 * Owns: the problems within each zone, those of zones as such, and those of rows
 * that belong to none; since when each is there. A read costs what it covers, not
 * what is known. Of more than {@link MAX_LISTED_PROBLEMS} the rest is only counted,
 * and one problem of each zone says how many these are.
 */
import { type BriefProblem, MAX_LISTED_PROBLEMS } from "./found_problems.ts";
import { identityOf, type Problem, type Severity, STRAY_ROWS, WHOLE_ZONE } from "./problem.ts";
import { type KnownProblem, ProblemChange } from "./problem_change.ts";
import { NOT_LISTED, type ProblemCount, ProblemTally } from "./problem_tally.ts";

/** What a zone's build says of problems. */
export interface ProblemVerdict {
  readonly apexKey: string;
  /** The zone's name as its problems have it. */
  readonly zone: string;
  readonly problems: {
    readonly listed: readonly Problem[];
    readonly briefs: readonly BriefProblem[];
  };
  /**
   * Whether the owners read were judged. Where not, the build has the last word on
   * nothing, and only what it says of the zone counts.
   */
  readonly isJudged: boolean;
  /** Owners whose rows were read; undefined for those of all. */
  readonly coveredOwners: number | undefined;
  /** The groups that the build has the last word on, where they are not all. */
  coveredGroups(): Iterable<string>;
  /** Whether the build has the last word on a {@link Problem.group}. */
  covers(group: string): boolean;
}

/** The code of a zone that stands in the source more than once: of zones as such. */
export const ZONE_TWICE = "zone-twice";

/** A problem as it is kept: one of too many is only counted. */
interface Entry {
  readonly identity: number;
  readonly since: number;
  readonly severity: Severity;
  readonly problem: KnownProblem | undefined;
}

/** The problems of one zone, or of one kind that belongs to none. */
class Bucket {
  readonly groups = new Map<string, readonly Entry[]>();
  /** Of all groups those that are errors. */
  errors = 0;

  /** @param zone  as {@link Problem.zone} has it; undefined where a group is a zone */
  constructor(readonly zone?: string) {}
}

/** Groups taken between two pauses. */
const GROUPS_PER_PAUSE = 256;
const NOTHING: readonly Entry[] = [];

export class ProblemTable {
  /** By apex key. */
  readonly #zones = new Map<string, Bucket>();
  readonly #ofZones = new Bucket();
  readonly #strays = new Bucket();
  readonly #tally: ProblemTally;
  #change = new ProblemChange();

  /** @param now  ms since the epoch */
  constructor(readonly now: () => number = Date.now, maxListed = MAX_LISTED_PROBLEMS) {
    this.#tally = new ProblemTally(now, maxListed);
  }

  /** All problems that are listed, those that say how many are not among them. */
  *all(): Generator<KnownProblem> {
    yield* this.#tally.summaries();
    for (const bucket of [this.#ofZones, this.#strays, ...this.#zones.values()]) {
      for (const entries of bucket.groups.values()) {
        for (const { problem } of entries) if (problem) yield problem;
      }
    }
  }

  /** How many there are in each zone that has any. */
  counts(): Generator<ProblemCount> {
    return this.#tally.counts();
  }

  /** What has changed since this was asked last. */
  takeChange(): ProblemChange {
    const change = this.#change;
    this.#change = new ProblemChange();
    return change;
  }

  /**
   * Takes problems as they were kept, before any read.
   *
   * @param apexKeyOf  the apex key of a zone by its name; undefined where that is none
   */
  restore(kept: Iterable<KnownProblem>, apexKeyOf: (zone: string) => string | undefined): void {
    for (const problem of kept) {
      const { zone, group, code, since, severity } = problem;
      if (code === NOT_LISTED) {
        this.#tally.restore(problem);
        continue;
      }
      const key = code === ZONE_TWICE ? undefined : apexKeyOf(zone);
      const bucket = group === STRAY_ROWS
        ? this.#strays
        : key === undefined
        ? this.#ofZones
        : this.#bucket(key, zone);
      const within = bucket.zone === undefined ? zone : group;
      const entry = { identity: identityOf(problem), since, severity, problem };
      bucket.groups.set(within, [...bucket.groups.get(within) ?? [], entry]);
      this.#count(bucket, zone, entry, 1);
    }
  }

  /** Takes what the builds of one read found; yields as places to pause. */
  *take(verdicts: Iterable<ProblemVerdict>): Generator<undefined, void> {
    for (const verdict of verdicts) {
      const { apexKey, zone } = verdict;
      const { listed, briefs } = judgedOf(verdict);
      const known = this.#zones.get(apexKey);
      if (!known && listed.length + briefs.length === 0) continue;
      const bucket = known ?? this.#bucket(apexKey, zone);
      const found = yield* byGroup(listed, briefs);
      let taken = 0;
      for (const group of this.#coveredOf(bucket, verdict)) {
        if (!found.has(group)) this.#replace(bucket, zone, group, []);
        if (++taken % GROUPS_PER_PAUSE === 0) yield;
      }
      for (const [group, problems] of found) {
        this.#replace(bucket, zone, group, problems);
        if (++taken % GROUPS_PER_PAUSE === 0) yield;
      }
      if (bucket.groups.size === 0) this.#zones.delete(apexKey);
    }
    this.#tally.summarize(this.#change);
  }

  /** Takes what is wrong with zones as such, all there is. */
  takeZoneProblems(problems: readonly Problem[]): void {
    this.#takeAll(this.#ofZones, problems, () => false);
  }

  /**
   * Takes rows that belong to no zone.
   *
   * @param stays  which of those known before stay, by the zone they name: this read
   *   has not seen their rows
   */
  takeStrays(problems: readonly Problem[], stays: (zone: string) => boolean): void {
    this.#takeAll(this.#strays, problems, stays);
  }

  /** Forgets zones that the source no longer has; yields as places to pause. */
  *keepZones(has: (apexKey: string) => boolean): Generator<undefined, void> {
    let gone = 0;
    for (const [apexKey, bucket] of this.#zones) {
      if (has(apexKey)) continue;
      for (const group of bucket.groups.keys()) {
        this.#replace(bucket, bucket.zone!, group, []);
        if (++gone % GROUPS_PER_PAUSE === 0) yield;
      }
      this.#zones.delete(apexKey);
    }
    this.#tally.summarize(this.#change);
  }

  /**
   * How many rows and owners of a zone are bad, beside those that a build covers: found by
   * those, since a change is of few among a hundred thousand.
   */
  badBeside(verdict: ProblemVerdict): number {
    if (verdict.coveredOwners === undefined) return 0;
    const bucket = this.#zones.get(verdict.apexKey);
    if (!bucket) return 0;
    let bad = bucket.errors;
    for (const group of new Set(verdict.coveredGroups())) {
      for (const { severity } of bucket.groups.get(group) ?? []) if (severity === "error") bad--;
    }
    return bad;
  }

  /**
   * The owners of a zone that have a bad row, or are bad; "all" where not each is known by its
   * normal form.
   */
  badOwners(apexKey: string): Set<string> | "all" {
    const owners = new Set<string>();
    for (const [group, entries] of this.#zones.get(apexKey)?.groups ?? []) {
      if (group === WHOLE_ZONE) continue;
      for (const { severity, problem } of entries) {
        if (severity !== "error") continue;
        if (!problem || problem.owner === null) return "all";
        owners.add(problem.owner);
      }
    }
    return owners;
  }

  #bucket(apexKey: string, zone: string): Bucket {
    let bucket = this.#zones.get(apexKey);
    if (!bucket) this.#zones.set(apexKey, bucket = new Bucket(zone));
    return bucket;
  }

  /** The groups known that a build covers: by whichever list is shorter. */
  *#coveredOf(bucket: Bucket, verdict: ProblemVerdict): Generator<string> {
    const { coveredOwners, isJudged } = verdict;
    if (!isJudged) return;
    if (coveredOwners !== undefined && coveredOwners < bucket.groups.size) {
      for (const group of verdict.coveredGroups()) if (bucket.groups.has(group)) yield group;
      return;
    }
    for (const group of bucket.groups.keys()) if (verdict.covers(group)) yield group;
  }

  #takeAll(bucket: Bucket, problems: readonly Problem[], stays: (zone: string) => boolean): void {
    const found = new Map<string, Problem[]>();
    for (const problem of problems) {
      const { zone } = problem;
      found.set(zone, [...found.get(zone) ?? [], problem]);
    }
    for (const zone of [...bucket.groups.keys()]) {
      if (!found.has(zone) && !stays(zone)) this.#replace(bucket, zone, zone, []);
    }
    for (const [zone, some] of found) this.#replace(bucket, zone, zone, some);
    this.#tally.summarize(this.#change);
  }

  /** Makes these the problems of a group. */
  #replace(
    bucket: Bucket,
    zone: string,
    group: string,
    found: readonly (Problem | BriefProblem)[],
  ): void {
    const before = bucket.groups.get(group) ?? NOTHING;
    const after = new Map<number, Entry>();
    const appeared: Entry[] = [];
    for (const one of found) {
      const isWhole = "code" in one;
      const identity = isWhole ? identityOf(one) : one.identity;
      if (after.has(identity)) continue;
      const known = before.find((entry) => entry.identity === identity);
      const since = known?.since ?? this.now();
      const isListed = known?.problem !== undefined || isWhole && this.#tally.hasRoom;
      const problem = !isListed ? undefined : isWhole ? { ...one, since } : known?.problem;
      const entry = { identity, since, severity: one.severity, problem };
      after.set(identity, entry);
      if (known) this.#count(bucket, zone, known, -1);
      this.#count(bucket, zone, entry, 1);
      if (!known) appeared.push(entry);
      else this.#noteKept(known, entry);
    }
    const solved = before.filter(({ identity }) => !after.has(identity));
    for (const entry of solved) this.#count(bucket, zone, entry, -1);
    this.#change.noteGroup(appeared, solved);
    if (after.size > 0) bucket.groups.set(group, [...after.values()]);
    else bucket.groups.delete(group);
  }

  /** Counts a problem in, or out. */
  #count(bucket: Bucket, zone: string, entry: Entry, sign: 1 | -1): void {
    if (entry.severity === "error") bucket.errors += sign;
    this.#tally.count(zone, entry, sign);
  }

  /** A problem that was there before, and may be told of in other words now. */
  #noteKept(before: Entry, { identity, problem }: Entry): void {
    if (!problem) return;
    if (!before.problem) this.#change.listed(identity, problem);
    else if (before.problem.reason !== problem.reason || before.problem.hint !== problem.hint) {
      this.#change.changed(identity, problem);
    }
  }
}

/** What counts of a build's problems. */
function judgedOf({ isJudged, problems }: ProblemVerdict): ProblemVerdict["problems"] {
  if (isJudged) return problems;
  return { listed: problems.listed.filter(({ group }) => group === WHOLE_ZONE), briefs: [] };
}

/** What was found, owner by owner. */
function* byGroup(
  listed: readonly Problem[],
  briefs: readonly BriefProblem[],
): Generator<undefined, Map<string, (Problem | BriefProblem)[]>> {
  const groups = new Map<string, (Problem | BriefProblem)[]>();
  let taken = 0;
  for (const list of [listed, briefs]) {
    for (const problem of list) {
      const some = groups.get(problem.group);
      if (some) some.push(problem);
      else groups.set(problem.group, [problem]);
      if (++taken % GROUPS_PER_PAUSE === 0) yield;
    }
  }
  return groups;
}
