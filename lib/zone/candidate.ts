/**
 * A zone as a read of the source gives it: records in any order, sorted bit by
 * bit as they arrive so that no single step takes long.
 *
 * Owns: the records added. Pure otherwise.
 */
import type { ResourceRecord } from "../dns/mod.ts";

/** Records sorted at once; a run this long takes about a millisecond. */
const RUN_RECORDS = 4096;

interface Entry {
  readonly key: string;
  /** Undefined marks an owner with a row that cannot be served. */
  readonly record: ResourceRecord | undefined;
}

/** All records of one owner, not yet normalised. */
export interface RawOwner {
  readonly key: string;
  /** None when all rows of the owner are bad. */
  readonly records: ResourceRecord[];
  /** Whether a row of this owner could not be read. */
  readonly troubled: boolean;
}

export class CandidateZone {
  readonly #runs: Entry[][] = [];
  #open: Entry[] = [];
  #records = 0;

  /** Records added so far. */
  get records(): number {
    return this.#records;
  }

  /**
   * @param key  {@link canonicalKey} of the record's owner
   * @param record  undefined when the row could not be read
   */
  add(key: string, record: ResourceRecord | undefined): void {
    this.#open.push({ key, record });
    if (record) this.#records++;
    if (this.#open.length === RUN_RECORDS) this.#closeRun();
  }

  #closeRun(): void {
    this.#runs.push(sortRun(this.#open));
    this.#open = [];
  }

  /** The owners in canonical order, with places to pause; empties the candidate. */
  *owners(): Generator<RawOwner | undefined, void> {
    if (this.#open.length > 0) this.#closeRun();
    const merged = yield* mergeRuns(this.#runs);
    this.#runs.length = 0;
    for (let from = 0, to = 0; from < merged.length; from = to) {
      const { key } = merged[from];
      const records: ResourceRecord[] = [];
      let troubled = false;
      for (; to < merged.length && merged[to].key === key; to++) {
        const { record } = merged[to];
        if (record) records.push(record);
        else troubled = true;
      }
      yield { key, records, troubled };
    }
  }
}

function sortRun(run: Entry[]): Entry[] {
  return run.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** Merges sorted runs pairwise; yields undefined as places to pause. */
function* mergeRuns(runs: Entry[][]): Generator<undefined, Entry[]> {
  let level = runs.slice();
  while (level.length > 1) {
    const next: Entry[][] = [];
    for (let i = 0; i < level.length; i += 2) {
      next.push(i + 1 < level.length ? yield* mergeTwo(level[i], level[i + 1]) : level[i]);
    }
    level = next;
  }
  return level[0] ?? [];
}

function* mergeTwo(a: Entry[], b: Entry[]): Generator<undefined, Entry[]> {
  const out: Entry[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    out.push(b[j].key < a[i].key ? b[j++] : a[i++]);
    if (out.length % RUN_RECORDS === 0) yield undefined;
  }
  while (i < a.length) out.push(a[i++]);
  while (j < b.length) out.push(b[j++]);
  return out;
}
