/**
 * The problems one read finds, of which not too many are kept with all that is
 * to be said of them: a table of a million rows may be bad as a whole.
 *
 * Owns: them. Pure otherwise.
 */
import { identityOf, isBadRow, type Problem, type Severity } from "./problem.ts";

/**
 * Problems kept as they are, some 1 KB each, of one read and of all there are;
 * beyond that nobody reads them one by one. Of more only what {@link BriefProblem} says.
 */
export const MAX_LISTED_PROBLEMS = 10_000;

/** A problem that is counted, and no more. */
export interface BriefProblem {
  readonly group: string;
  readonly severity: Severity;
  readonly identity: number;
}

/** How many more problems of a read may be kept as they are: shared by its zones. */
export class ProblemBudget {
  constructor(public left = MAX_LISTED_PROBLEMS) {}
}

/** The problems found in one zone. */
export class FoundProblems {
  listed: Problem[] = [];
  briefs: BriefProblem[] = [];
  /** The first that keeps a row or owner from being served. */
  firstBad: Problem | undefined;
  /** How many do; the same twice counts twice. */
  bad = 0;

  constructor(readonly budget: ProblemBudget) {}

  get isEmpty(): boolean {
    return this.listed.length === 0;
  }

  /** Forgets what was found. */
  clear(): void {
    this.budget.left += this.listed.length;
    [this.listed, this.briefs] = [[], []];
    this.firstBad = undefined;
    this.bad = 0;
  }

  push(problem: Problem): void {
    if (isBadRow(problem)) {
      this.firstBad ??= problem;
      this.bad++;
    }
    if (this.budget.left > 0) {
      this.budget.left--;
      this.listed.push(problem);
    } else {
      const { group, severity } = problem;
      this.briefs.push({ group, severity, identity: identityOf(problem) });
    }
  }
}
