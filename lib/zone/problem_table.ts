/**
 * All problems there are now, kept owner by owner as reads come in.
 *
 * Owns: the problems within each zone, those of zones as such, and those of rows
 * that belong to none.
 */
import type { Problem } from "./rows.ts";

/** What a read changed. */
export interface ProblemChange {
  readonly appeared: readonly Problem[];
  readonly solved: readonly Problem[];
}

/** What a zone's build says of problems. */
export interface ProblemVerdict {
  readonly apexKey: string;
  readonly problems: readonly Problem[];
  /** Whether the build has the last word on a {@link Problem.group}. */
  covers(group: string): boolean;
}

export class ProblemTable {
  /** Apex key → identity → problem. */
  readonly #zones = new Map<string, Map<string, Problem>>();
  #zoneProblems = new Map<string, Problem>();
  #strays = new Map<string, Problem>();

  /** All problems, zone by zone. */
  *all(): Generator<Problem> {
    yield* this.#zoneProblems.values();
    yield* this.#strays.values();
    for (const problems of this.#zones.values()) yield* problems.values();
  }

  /** Takes what the builds of one read found. */
  take(verdicts: readonly ProblemVerdict[]): ProblemChange {
    const change = { appeared: [] as Problem[], solved: [] as Problem[] };
    for (const verdict of verdicts) {
      const before = this.#zones.get(verdict.apexKey) ?? new Map<string, Problem>();
      const after = new Map<string, Problem>();
      for (const [identity, problem] of before) {
        if (!verdict.covers(problem.group)) after.set(identity, problem);
      }
      for (const problem of verdict.problems) after.set(identityOf(problem), problem);
      note(before, after, change);
      if (after.size > 0) this.#zones.set(verdict.apexKey, after);
      else this.#zones.delete(verdict.apexKey);
    }
    return change;
  }

  /** Takes what is wrong with zones as such, all there is. */
  takeZoneProblems(problems: readonly Problem[]): ProblemChange {
    const before = this.#zoneProblems;
    this.#zoneProblems = byIdentity(problems);
    return changeOf(before, this.#zoneProblems);
  }

  /**
   * Takes rows that belong to no zone.
   *
   * @param stays  which of those known before stay: this read has not seen their rows
   */
  takeStrays(problems: readonly Problem[], stays: (problem: Problem) => boolean): ProblemChange {
    const before = this.#strays;
    this.#strays = byIdentity([...[...before.values()].filter(stays), ...problems]);
    return changeOf(before, this.#strays);
  }

  /** Forgets zones that the source no longer has. */
  keepZones(has: (apexKey: string) => boolean): ProblemChange {
    const gone = [...this.#zones].filter(([apexKey]) => !has(apexKey));
    for (const [apexKey] of gone) this.#zones.delete(apexKey);
    return { appeared: [], solved: gone.flatMap(([, problems]) => [...problems.values()]) };
  }
}

function identityOf(problem: Problem): string {
  const { zone, scope, name, type, content, code } = problem;
  return [zone, scope, name, type, content, code].join("\x00");
}

function byIdentity(problems: readonly Problem[]): Map<string, Problem> {
  return new Map(problems.map((problem) => [identityOf(problem), problem]));
}

function changeOf(
  before: ReadonlyMap<string, Problem>,
  after: ReadonlyMap<string, Problem>,
): ProblemChange {
  const change = { appeared: [] as Problem[], solved: [] as Problem[] };
  note(before, after, change);
  return change;
}

function note(
  before: ReadonlyMap<string, Problem>,
  after: ReadonlyMap<string, Problem>,
  change: { appeared: Problem[]; solved: Problem[] },
): void {
  for (const [identity, problem] of after) {
    if (!before.has(identity)) change.appeared.push(problem);
  }
  for (const [identity, problem] of before) {
    if (!after.has(identity)) change.solved.push(problem);
  }
}
