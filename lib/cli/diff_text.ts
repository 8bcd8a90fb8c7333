/** Differences as people read them: records with - and + before them. Pure. */
import {
  canonicalKey,
  formatName,
  formatRdata,
  type ResourceRecord,
  typeName,
} from "../dns/mod.ts";
import { listRecords, type ZoneDiff } from "../zone/mod.ts";
import type { Paint } from "./colour.ts";

/** A record on one line, all of it absolute. */
export function recordLine({ owner, ttl, type, rdata }: ResourceRecord): string {
  return `${formatName(owner)}\t${ttl}\tIN\t${typeName(type)}\t${formatRdata(type, rdata)}`;
}

/**
 * The lines of a difference: the SOA first, then owner by owner in canonical
 * order, what was removed before what was added.
 */
export function* diffLines({ fromSoa, toSoa, removed, added }: ZoneDiff): Generator<string> {
  yield `- ${recordLine(fromSoa)}`;
  yield `+ ${recordLine(toSoa)}`;
  yield* mergedLines(listRecords(removed), listRecords(added));
}

/** Lines of a difference, painted: what goes as bad, what comes as good. */
export function* paintedDiff(lines: Iterable<string>, paint: Paint): Generator<string> {
  for (const line of lines) {
    yield line.startsWith("-") ? paint.bad(line) : line.startsWith("+") ? paint.good(line) : line;
  }
}

/** Lines of two lists, each in canonical order, owner by owner. */
export function* mergedLines(
  removed: Iterable<ResourceRecord>,
  added: Iterable<ResourceRecord>,
): Generator<string> {
  const gone = removed[Symbol.iterator]();
  let left = gone.next();
  for (const record of added) {
    const key = canonicalKey(record.owner);
    while (!left.done && canonicalKey(left.value.owner) <= key) {
      yield `- ${recordLine(left.value)}`;
      left = gone.next();
    }
    yield `+ ${recordLine(record)}`;
  }
  for (; !left.done; left = gone.next()) yield `- ${recordLine(left.value)}`;
}
