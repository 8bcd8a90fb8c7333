/**
 * All problems there are now, kept owner by owner as reads come in.
 *
 * Owns: the problems of each zone, and those of rows that belong to none.
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
  #strays = new Map<string, Problem>();

  /** All problems, zone by zone. */
  *all(): Generator<Problem> {
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

  /** Takes the problems of no zone, all there are. */
  takeStrays(problems: readonly Problem[]): ProblemChange {
    const change = { appeared: [] as Problem[], solved: [] as Problem[] };
    const after = new Map(problems.map((problem) => [identityOf(problem), problem]));
    note(this.#strays, after, change);
    this.#strays = after;
    return change;
  }

  /** Forgets a zone that is no longer served. */
  drop(apexKey: string): void {
    this.#zones.delete(apexKey);
  }
}

function identityOf(problem: Problem): string {
  const { zone, scope, name, type, content, code } = problem;
  return [zone, scope, name, type, content, code].join("\x00");
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
