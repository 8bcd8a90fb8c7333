/** "Did you mean": the nearest of the words known. Pure. */

/**
 * The known word nearest to the one given, when it is near enough to be meant:
 * a word it begins or ends, or one within a third of its length in slips.
 */
export function nearest(given: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const word of known) {
    const slips = editDistance(given, word);
    if (slips < fewest) [best, fewest] = [word, slips];
  }
  if (best !== undefined || given.length < 3) return best;
  const partial = known.filter((word) => word.startsWith(given) || word.endsWith(given));
  return partial.length === 1 ? partial[0] : undefined;
}

/** Least number of letters to insert, remove, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length];
}
