/**
 * How many problems each zone has, and the one that says how many of them are not
 * listed.
 *
 * Owns: the numbers.
 */
import { identityOf, type Problem, type Severity, zoneProblem } from "./problem.ts";
import type { KnownProblem, ProblemChange } from "./problem_change.ts";

/** How many problems a zone has. */
export interface ProblemCount {
  /** As {@link Problem.zone} has it. */
  readonly zone: string;
  readonly errors: number;
  readonly warnings: number;
}

/** The code of the problem that says how many are not listed. */
export const NOT_LISTED = "problems-not-listed";

/** What is counted of a zone. */
interface Tally {
  errors: number;
  warnings: number;
  /** Those only counted. */
  hidden: number;
  /** Says how many these are. */
  summary: KnownProblem | undefined;
}

export class ProblemTally {
  /** By {@link Problem.zone}. */
  readonly #tallies = new Map<string, Tally>();
  /** Zones whose numbers have changed since {@link summarize}. */
  readonly #touched = new Set<string>();
  #listed = 0;

  /** @param now  ms since the epoch */
  constructor(readonly now: () => number, readonly maxListed: number) {}

  /** Whether one more problem may be listed. */
  get hasRoom(): boolean {
    return this.#listed < this.maxListed;
  }

  /** The problems that say how many are not listed. */
  *summaries(): Generator<KnownProblem> {
    for (const { summary } of this.#tallies.values()) if (summary) yield summary;
  }

  /** How many there are in each zone that has any. */
  *counts(): Generator<ProblemCount> {
    for (const [zone, { errors, warnings }] of this.#tallies) yield { zone, errors, warnings };
  }

  /** Takes a zone's summary as it was kept, until all is counted again. */
  restore(summary: KnownProblem): void {
    this.#tally(summary.zone).summary = summary;
    this.#touched.add(summary.zone);
  }

  /** Counts a problem in, or out. */
  count(
    zone: string,
    { severity, problem }: { readonly severity: Severity; readonly problem?: KnownProblem },
    sign: 1 | -1,
  ): void {
    const tally = this.#tally(zone);
    tally[severity === "error" ? "errors" : "warnings"] += sign;
    if (problem) this.#listed += sign;
    else tally.hidden += sign;
    this.#touched.add(zone);
  }

  /** Says in each zone how many of its problems are not listed; tells what has changed of that. */
  summarize(change: ProblemChange): void {
    for (const zone of this.#touched) {
      const tally = this.#tallies.get(zone)!;
      const { errors, warnings, hidden, summary } = tally;
      if (hidden === 0) {
        if (summary) change.ended(identityOf(summary), summary);
        tally.summary = undefined;
        if (errors + warnings === 0) this.#tallies.delete(zone);
        continue;
      }
      const problem = { ...notListed(zone, hidden), since: summary?.since ?? this.now() };
      if (summary?.reason !== problem.reason) change.listed(identityOf(problem), problem);
      tally.summary = problem;
    }
    this.#touched.clear();
  }

  #tally(zone: string): Tally {
    let tally = this.#tallies.get(zone);
    if (!tally) {
      this.#tallies.set(zone, tally = { errors: 0, warnings: 0, hidden: 0, summary: undefined });
    }
    return tally;
  }
}

function notListed(zone: string, hidden: number): Problem {
  return zoneProblem(zone, {
    severity: "warning",
    code: NOT_LISTED,
    reason: `${hidden} more problems of the zone are counted and not listed`,
    hint: "mend those that are listed: others then take their places at the next full read",
  });
}
