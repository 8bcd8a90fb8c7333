/** Where two lists of pages differ. Pure. */
import type { Page } from "./page.ts";

/** A run of pages in either list; the pages before and behind it are the same objects in both. */
export interface ChangedRange {
  readonly from: number;
  readonly beforeEnd: number;
  readonly afterEnd: number;
}

/** The run outside of which two lists are the same; looks at no page itself. */
export function changedRange(before: readonly Page[], after: readonly Page[]): ChangedRange {
  let [from, beforeEnd, afterEnd] = [0, before.length, after.length];
  while (from < beforeEnd && from < afterEnd && before[from] === after[from]) from++;
  while (beforeEnd > from && afterEnd > from && before[beforeEnd - 1] === after[afterEnd - 1]) {
    beforeEnd--;
    afterEnd--;
  }
  return { from, beforeEnd, afterEnd };
}
