/**
 * What reads have changed about the problems there are: for the log, and for
 * whoever keeps them. Pure.
 */
import type { Problem } from "./problem.ts";

/** A problem, and since when it is there. */
export interface KnownProblem extends Problem {
  /** ms since the epoch. */
  readonly since: number;
}

/** One thing that happened to a problem. */
export interface ProblemEvent {
  /** "changed": it, or the row it is about, has become another one. */
  readonly kind: "appeared" | "changed" | "solved";
  readonly problem: KnownProblem;
}

/** A problem that came or went; one that is only counted without what it says. */
export interface Moved {
  readonly identity: number;
  readonly problem: KnownProblem | undefined;
}

export class ProblemChange {
  /** Listed problems that are new, or told of in other words, by identity. */
  readonly put = new Map<number, KnownProblem>();
  /** Listed problems that are there no more, by identity. */
  readonly gone = new Map<number, KnownProblem>();
  readonly events: ProblemEvent[] = [];
  /** Those only counted. */
  hiddenAppeared = 0;
  hiddenSolved = 0;

  get isEmpty(): boolean {
    return this.put.size + this.gone.size + this.hiddenAppeared + this.hiddenSolved === 0;
  }

  /** The problems of one owner that came and went together. */
  noteGroup(appeared: readonly Moved[], solved: readonly Moved[]): void {
    const left = [...solved];
    for (const { identity, problem } of appeared) {
      if (!problem) {
        this.hiddenAppeared++;
        continue;
      }
      this.listed(identity, problem);
      const before = left.findIndex((one) => one.problem && isAboutSame(one.problem, problem));
      if (before >= 0) this.#end(left.splice(before, 1)[0]);
      this.events.push({ kind: before >= 0 ? "changed" : "appeared", problem });
    }
    for (const one of left) {
      this.#end(one);
      if (one.problem) this.events.push({ kind: "solved", problem: one.problem });
      else this.hiddenSolved++;
    }
  }

  /** A problem is listed that was only counted, or is told of in other words. */
  listed(identity: number, problem: KnownProblem): void {
    this.gone.delete(identity);
    this.put.set(identity, problem);
  }

  changed(identity: number, problem: KnownProblem): void {
    this.listed(identity, problem);
    this.events.push({ kind: "changed", problem });
  }

  ended(identity: number, problem: KnownProblem): void {
    this.put.delete(identity);
    this.gone.set(identity, problem);
  }

  /** Takes what another change says, which came later. */
  add(later: ProblemChange): void {
    for (const [identity, problem] of later.gone) this.ended(identity, problem);
    for (const [identity, problem] of later.put) this.listed(identity, problem);
    this.events.push(...later.events);
    this.hiddenAppeared += later.hiddenAppeared;
    this.hiddenSolved += later.hiddenSolved;
  }

  #end({ identity, problem }: Moved): void {
    if (problem) this.ended(identity, problem);
  }
}

/** Whether two problems of one owner may be of one row, before it was changed and after. */
function isAboutSame(a: Problem, b: Problem): boolean {
  return a.scope === b.scope && a.name === b.name && a.type === b.type;
}
