/**
 * The problems that wait to be written back: all of them once, then what changes.
 *
 * Owns: what is not written yet, each problem once.
 */
import { runSliced } from "../ops/mod.ts";
import type { ProblemReport, ProblemsReport } from "./write_back.ts";

/** Problems sorted in between two pauses, and at once where no more have changed. */
const PROBLEMS_PER_PAUSE = 64;

export class ProblemQueue {
  /** Those not written yet, by what tells them apart. */
  readonly #waiting = new Map<string, { report: ProblemReport; isGone: boolean }>();
  /** What has changed and is not sorted in yet: of very many, when they are written. */
  #unsorted: { readonly reports: Iterator<ProblemReport>; readonly isGone: boolean }[] = [];
  /** Whether all must be written; they can be as soon as the source was read once. */
  #mustCompare = true;
  #isKnown = false;

  /** @param all  all problems there are */
  constructor(readonly all: () => Iterable<ProblemReport>) {}

  get isEmpty(): boolean {
    return this.#waiting.size + this.#unsorted.length === 0 &&
      !(this.#mustCompare && this.#isKnown);
  }

  /** What has changed since the last read; called after each. Both are read once, perhaps later. */
  changed(put: Iterable<ProblemReport>, gone: Iterable<ProblemReport>): void {
    this.#isKnown = true;
    if (this.#mustCompare) return;
    this.#unsorted.push({ reports: gone[Symbol.iterator](), isGone: true });
    this.#unsorted.push({ reports: put[Symbol.iterator](), isGone: false });
    this.#sortIn().next();
  }

  /** Has all written next. */
  compare(): void {
    this.#mustCompare = true;
    this.clear();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear();
    this.#unsorted = [];
  }

  /** Makes ready for {@link take}, where very many have changed; undefined: it is. */
  prepare(): Promise<void> | undefined {
    return this.#unsorted.length > 0 ? runSliced(this.#sortIn()) : undefined;
  }

  /** What is to be written now; it waits no longer. Undefined for nothing. */
  take(): ProblemsReport | undefined {
    if (this.isEmpty) return undefined;
    if (this.#mustCompare) {
      this.#mustCompare = false;
      this.clear();
      // Read as it is written: what changes meanwhile is told of afterwards.
      return { isWhole: true, put: this.all(), gone: [] };
    }
    const [put, gone]: ProblemReport[][] = [[], []];
    for (const { report, isGone } of this.#waiting.values()) (isGone ? gone : put).push(report);
    this.#waiting.clear();
    return { isWhole: false, put, gone };
  }

  /** Sorts in what has changed, in order; yields as places to pause. */
  *#sortIn(): Generator<undefined, void> {
    let taken = 0;
    for (let [head] = this.#unsorted; head; [head] = this.#unsorted) {
      const { reports, isGone } = head;
      for (let next = reports.next(); !next.done; next = reports.next()) {
        this.#waiting.set(keyOf(next.value), { report: next.value, isGone });
        if (++taken % PROBLEMS_PER_PAUSE > 0) continue;
        yield;
        if (this.#unsorted[0] !== head) break; // done, or all forgotten, meanwhile
      }
      if (this.#unsorted[0] === head) this.#unsorted.shift();
    }
  }
}

/** What tells one problem from all others. */
function keyOf({ zone, owner, name, type, content, code }: ProblemReport): string {
  return [zone, owner ?? "", name, type, content, code].join("\x00");
}
