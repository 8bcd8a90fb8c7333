/** Sequences that may pause: undefined means "nothing yet, go on". Pure. */
import type { OwnerRecords } from "./owner_records.ts";
import type { OwnerChange } from "./page_edit.ts";

/** The first of a sequence that may pause; undefined when it is empty. */
export function* firstOf<T>(
  values: Iterator<T | undefined, unknown>,
): Generator<undefined, T | undefined> {
  while (true) {
    const { done, value } = values.next();
    if (done) return undefined;
    if (value !== undefined) return value;
    yield;
  }
}

/** A sequence whose first was taken already; empty where there was none. */
export function* chain<T>(
  first: T | undefined,
  rest: Iterable<T | undefined>,
): Generator<T | undefined> {
  if (first === undefined) return;
  yield first;
  yield* rest;
}

/** What owners become, of those that stay. */
export function* afterThem(
  changes: Iterable<OwnerChange | undefined>,
): Generator<OwnerRecords | undefined> {
  for (const change of changes) yield change?.after;
}
