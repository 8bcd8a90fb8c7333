/**
 * Which owners a read is about, each with what was read and what is served of it.
 *
 * Pure. All come in canonical order, with undefined now and then as a place to
 * pause; the candidate was sorted before.
 */
import type { BelowDname } from "./below_dname.ts";
import type { CandidateZone, RawOwner } from "./candidate.ts";
import type { ReadOwner } from "./checks.ts";
import { getOwner } from "./diff.ts";
import type { Page } from "./page.ts";
import { groupEnd, readOwners } from "./page_read.ts";
import type { ServedRecords } from "./served_records.ts";

/** Owners between two pauses. */
const OWNERS_PER_PAUSE = 64;

/** Those read, and no others: of a zone that is not served, or of which a part was read. */
export function* partRead(
  candidate: CandidateZone,
  pages: readonly Page[],
): Generator<ReadOwner | undefined, void> {
  let passed = 0;
  for (const owner of candidate.owners()) {
    yield { ...owner, served: getOwner(pages, owner.key) };
    if (++passed % OWNERS_PER_PAUSE === 0) yield undefined;
  }
}

/**
 * All that were read or are served, but for those known to be served as read.
 *
 * @param seen  which served records were met while reading, and are therefore not
 *   in the candidate; undefined when all rows are there
 * @param dnames  knows which owners are no longer to be served as they are
 */
export function* allRead(
  candidate: CandidateZone,
  pages: readonly Page[],
  seen: ServedRecords | undefined,
  dnames: BelowDname,
): Generator<ReadOwner | undefined, void> {
  const read = candidate.owners();
  let next = read.next();
  let passed = 0;
  for (let from = 0, to = 0; from < pages.length; from = to) {
    to = groupEnd(pages, from);
    const nextKey = to < pages.length ? pages[to].firstKey : undefined;
    const isRead = !next.done && (nextKey === undefined || next.value.key < nextKey);
    const mayChange = isRead || dnames.mayBeNewlyBelow(pages[from].firstKey);
    if (mayChange || !seen?.areSeen(seen.firstOf(from), seen.firstOf(to))) {
      let record = seen?.firstOf(from) ?? 0;
      for (const served of readOwners(pages, from, to)) {
        for (; !next.done && next.value.key < served.key; next = read.next()) {
          yield { ...next.value, served: undefined };
        }
        const met = seen ? served.records.filter((_, i) => seen.isSeen(record + i)) : [];
        record += served.records.length;
        let raw: RawOwner | undefined;
        if (!next.done && next.value.key === served.key) {
          raw = next.value;
          next = read.next();
        } else if (
          met.length === served.records.length && !dnames.mayBeNewlyBelow(served.key)
        ) continue;
        const records = raw ? [...met, ...raw.records] : met;
        yield { key: served.key, records, troubled: raw?.troubled ?? false, served };
      }
      yield undefined;
    } else if (++passed % OWNERS_PER_PAUSE === 0) yield undefined;
  }
  for (; !next.done; next = read.next()) {
    yield { ...next.value, served: undefined };
    if (++passed % OWNERS_PER_PAUSE === 0) yield undefined;
  }
}
