/**
 * Sorting entries by their keys, millions of them, in steps: numbers made of the
 * next four octets of each key are sorted natively in short runs and merged;
 * those that are equal are sorted by the four octets behind.
 *
 * Pure, but for the memory, which is given back at once.
 */

import { largeBuffer, releaseBuffers } from "./large_buffer.ts";

/** Reads four octets of an entry's key at a depth, as one number; zeros behind its end. */
export type ReadPrefix = (position: number, depth: number) => number;

/** Entries sorted natively at once: some 0.5 ms. */
const RUN_ENTRIES = 8192;
/** Steps between two places to pause. */
const STEPS_PER_PAUSE = 8192;
/** Octets in a prefix. */
const PREFIX_OCTETS = 4;

/** Entries as 64-bit numbers, in memory that can be looked at as pairs of 32-bit ones. */
interface Items {
  readonly all: BigUint64Array;
  /** At 2 i an entry's position, behind it its prefix: little-endian, as Deno's platforms are. */
  readonly words: Uint32Array;
}

function itemsIn(buffer: ArrayBuffer, from: number, count: number): Items {
  return {
    all: new BigUint64Array(buffer, 8 * from, count),
    words: new Uint32Array(buffer, 8 * from, 2 * count),
  };
}

/** Sorted entries. */
export interface SortedEntries {
  readonly count: number;
  at(index: number): number;
  release(): void;
}

/** Some of the entries, all of whose keys are equal up to a depth. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

/**
 * The positions of entries in the order of their keys; yields as places to pause.
 *
 * A key is followed by zeros, and no key followed by zeros may be another: no two
 * zeros stand side by side within one, and each but the empty one ends in one.
 */
export function* sortByKey(
  count: number,
  positions: Iterable<number>,
  readPrefix: ReadPrefix,
): Generator<undefined, SortedEntries> {
  const buffer = largeBuffer(16 * count);
  const items = itemsIn(buffer, 0, count);
  const spare = itemsIn(buffer, count, count);
  const { words } = items;
  let filled = 0;
  for (const position of positions) {
    words[2 * filled] = position;
    if (++filled % STEPS_PER_PAUSE === 0) yield;
  }
  const open: Range[] = [{ from: 0, to: count, depth: 0 }];
  let steps = 0;
  for (let range = open.pop(); range; range = open.pop()) {
    const { from, to, depth } = range;
    if (to - from < RUN_ENTRIES) {
      steps += sortShort(items, range, readPrefix);
    } else {
      for (let i = from; i < to; i++) {
        words[2 * i + 1] = readPrefix(words[2 * i], depth);
        if (i % STEPS_PER_PAUSE === 0) yield;
      }
      yield* sortLong(items, spare, from, to);
    }
    steps += openEqual(words, range, open);
    if (steps > STEPS_PER_PAUSE) {
      yield;
      steps = 0;
    }
  }
  return { count, at: (index) => words[2 * index], release: () => releaseBuffers([words]) };
}

/** Ranges shorter than this are sorted by insertion: a native call costs more. */
const INSERTION_ENTRIES = 24;

/** Sorts a range by its prefixes at its depth; returns the steps taken. */
function sortShort(
  { all, words }: Items,
  { from, to, depth }: Range,
  readPrefix: ReadPrefix,
): number {
  for (let i = from; i < to; i++) words[2 * i + 1] = readPrefix(words[2 * i], depth);
  if (to - from >= INSERTION_ENTRIES) all.subarray(from, to).sort();
  else {
    for (let i = from + 1; i < to; i++) {
      const position = words[2 * i];
      const prefix = words[2 * i + 1];
      let at = i;
      for (; at > from && words[2 * at - 1] > prefix; at--) {
        words[2 * at] = words[2 * at - 2];
        words[2 * at + 1] = words[2 * at - 1];
      }
      words[2 * at] = position;
      words[2 * at + 1] = prefix;
    }
  }
  return to - from;
}

/** Notes the runs of equal prefixes in a sorted range, where keys may differ behind. */
function openEqual(words: Uint32Array, { from, to, depth }: Range, open: Range[]): number {
  for (let start = from, end = from; start < to; start = end) {
    const prefix = words[2 * start + 1];
    for (end = start + 1; end < to && words[2 * end + 1] === prefix; end++);
    // A prefix of zeros lies behind the keys' end.
    if (end - start > 1 && prefix !== 0) {
      open.push({ from: start, to: end, depth: depth + PREFIX_OCTETS });
    }
  }
  return to - from;
}

/** Sorts a range by the prefixes that stand there: natively in runs, then merged. */
function* sortLong(
  items: Items,
  spare: Items,
  from: number,
  to: number,
): Generator<undefined, void> {
  for (let at = from; at < to; at += RUN_ENTRIES) {
    items.all.subarray(at, Math.min(at + RUN_ENTRIES, to)).sort();
    yield;
  }
  let [source, target] = [items.words, spare.words];
  for (let width = RUN_ENTRIES; width < to - from; width *= 2) {
    for (let at = from; at < to; at += 2 * width) {
      const middle = Math.min(at + width, to);
      yield* merge(source, target, at, middle, Math.min(at + 2 * width, to));
    }
    [source, target] = [target, source];
  }
  if (source === items.words) return;
  for (let at = from; at < to; at += RUN_ENTRIES) {
    const end = Math.min(at + RUN_ENTRIES, to);
    items.words.set(source.subarray(2 * at, 2 * end), 2 * at);
    yield;
  }
}

/** Merges two sorted neighbours into the same place of another array. */
function* merge(
  source: Uint32Array,
  target: Uint32Array,
  from: number,
  middle: number,
  to: number,
): Generator<undefined, void> {
  let a = from;
  let b = middle;
  for (let at = from; at < to;) {
    for (const end = Math.min(at + STEPS_PER_PAUSE, to); at < end; at++) {
      const left = b >= to || a < middle && source[2 * a + 1] <= source[2 * b + 1];
      const next = left ? a++ : b++;
      target[2 * at] = source[2 * next];
      target[2 * at + 1] = source[2 * next + 1];
    }
    yield;
  }
}
