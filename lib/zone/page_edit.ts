/**
 * Editing a list of pages: only the pages that hold changed owners are made anew,
 * in place where all changes can be or there is one owner more, and those needed
 * to keep the page rules.
 *
 * Pure. The rules, after any sequence of edits:
 * - no page passes {@link PAGE_CUT_OCTETS} unless it holds a single owner;
 * - no page below {@link MIN_PAGE_OCTETS} has a neighbour it could share a page with;
 * - of {@link WINDOW} pages in a row, none could be saved by packing them anew to
 *   within {@link MAX_SLACK}, so there are at most 1.3 × the pages of a fresh build.
 */
import type { OwnerRecords } from "./owner_records.ts";
import type { Page } from "./page.ts";
import {
  buildPages,
  FRESH_PAGE_OCTETS,
  MIN_PAGE_OCTETS,
  ownerOctets,
  PAGE_CUT_OCTETS,
} from "./page_build.ts";
import { PagePatch } from "./page_patch.ts";
import { groupEnd, readOwners } from "./page_read.ts";
import { findPage } from "./page_search.ts";

/** One owner as it was and as it shall be; undefined where it is not in the zone. */
export interface OwnerChange {
  readonly key: string;
  readonly before: OwnerRecords | undefined;
  readonly after: OwnerRecords | undefined;
}

/** Pages in a row that are looked at together. */
const WINDOW = 8;
/** How much more room than fresh pages a window may take. */
const MAX_SLACK = 1.2;

/** A sequence that may pause: undefined means "nothing yet, go on". */
export type Paused<T> = Iterable<T | undefined>;

/** {@link editSteps} without a pause. */
export function editPages(pages: readonly Page[], changes: readonly OwnerChange[]): Page[] {
  const steps = editSteps(pages, changes);
  while (true) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Owners of a run are packed when they come to this many octets, uncompressed. */
const RUN_OCTETS = 256 * 1024;

/**
 * The pages with the changes made; pages that hold no changed owner are shared.
 * Yields after each run of pages as a place to pause.
 *
 * @param pages  in canonical order
 * @param changes  in canonical order, no key twice; each is taken when the ones
 *   before are made, and is of no more use when the one after the next is taken
 * @param note  called for each change
 */
export function* editSteps(
  pages: readonly Page[],
  changes: Paused<OwnerChange>,
  note: (change: OwnerChange) => void = () => {},
): Generator<undefined, Page[]> {
  const out: Page[] = [];
  const fresh = new Set<Page>();
  const pack = (owners: readonly OwnerRecords[]) => {
    for (const page of packOwners(owners)) {
      fresh.add(page);
      out.push(page);
    }
  };
  const source = changes[Symbol.iterator]();
  function* take(): Generator<undefined, OwnerChange | undefined> {
    while (true) {
      const { done, value } = source.next();
      if (done) return undefined;
      if (value) {
        note(value);
        return value;
      }
      yield;
    }
  }
  let copied = 0;
  let change = yield* take();
  while (change) {
    const [from, end] = pagesOf(pages, change.key);
    for (; copied < from; copied++) out.push(pages[copied]);
    copied = end;
    const nextKey = end < pages.length ? pages[end].firstKey : undefined;
    let group = pages.slice(from, end);
    if (group.length === 1) {
      const patch = new PagePatch(group[0]);
      while (change && patch.apply(change.key, change.after)) change = yield* take();
      group = [patch.page];
      if (!change || nextKey !== undefined && change.key >= nextKey) {
        out.push(patch.page); // no shorter than before: the page rules hold
        yield;
        continue;
      }
    }
    const run = new OwnerRun();
    for (const owner of readOwners(group)) {
      for (; change && change.key < owner.key; change = yield* take()) {
        if (run.add(change.after)) pack(run.take());
      }
      if (change?.key === owner.key) {
        if (run.add(change.after)) pack(run.take());
        change = yield* take();
      } else if (run.add(owner)) pack(run.take());
    }
    while (change && (nextKey === undefined || change.key < nextKey)) {
      if (run.add(change.after)) pack(run.take());
      change = yield* take();
    }
    pack(run.take());
    yield;
  }
  for (; copied < pages.length; copied++) out.push(pages[copied]);
  if (fresh.size === 0) return out;
  return yield* tightenWindows(mergeSmall(out, fresh), fresh);
}

/** The run of pages, from inclusive to exclusive, that a change of one owner needs decoded. */
function pagesOf(pages: readonly Page[], key: string): [from: number, to: number] {
  if (pages.length === 0) return [0, 0];
  let from = findPage(pages, key);
  // A page that holds a later part of an owner cannot be decoded without the parts before.
  while (pages[from].part > 0) from--;
  return [from, groupEnd(pages, from)];
}

/** Owners that are packed together. */
class OwnerRun {
  #owners: OwnerRecords[] = [];
  #octets = 0;

  /** Adds an owner, if it has records; returns whether it is time to take them all. */
  add(owner: OwnerRecords | undefined): boolean {
    if (!owner || owner.records.length === 0) return false;
    this.#owners.push(owner);
    this.#octets += ownerOctets(owner);
    return this.#octets >= RUN_OCTETS;
  }

  /** All that were added. */
  take(): readonly OwnerRecords[] {
    const owners = this.#owners;
    this.#owners = [];
    this.#octets = 0;
    return owners;
  }
}

/** One page if the owners fit one, else pages of about equal size near the fresh size. */
export function packOwners(owners: readonly OwnerRecords[]): Page[] {
  const pages = [...buildPages(owners, PAGE_CUT_OCTETS)];
  if (pages.length <= 1) return pages;
  let octets = 0;
  for (const page of pages) octets += page.block.length;
  const target = octets / Math.ceil(octets / FRESH_PAGE_OCTETS);
  // A cut falls before the owner that would pass the target: half an owner is lost a page.
  const slop = octets / owners.length;
  return [...buildPages(owners, Math.min(PAGE_CUT_OCTETS, Math.ceil(target + slop)))];
}

/** Whether two neighbours must become one page. */
function mustMerge(a: Page, b: Page): boolean {
  if (a.block.length >= MIN_PAGE_OCTETS && b.block.length >= MIN_PAGE_OCTETS) return false;
  return a.part === 0 && b.part === 0 && a.block.length + b.block.length <= PAGE_CUT_OCTETS;
}

/** Puts pages below the minimum together with a neighbour; merged ones count as fresh. */
export function mergeSmall(pages: readonly Page[], fresh: Set<Page>): Page[] {
  const out: Page[] = [];
  for (const page of pages) {
    let last = page;
    while (out.length > 0) {
      const before = out[out.length - 1];
      if (!(fresh.has(before) || fresh.has(last)) || !mustMerge(before, last)) break;
      const merged = [...buildPages(readOwners([before, last]), PAGE_CUT_OCTETS)];
      if (merged.length > 1) break;
      last = merged[0];
      fresh.add(last);
      out.pop();
    }
    out.push(last);
  }
  return out;
}

/** Packs windows anew that hold a fresh page and waste more than {@link MAX_SLACK}. */
function* tightenWindows(pages: Page[], fresh: Set<Page>): Generator<undefined, Page[]> {
  for (let start = 0; start === 0 || start + WINDOW <= pages.length;) {
    const end = Math.min(start + WINDOW, pages.length);
    const run = windowToPack(pages, start, end, fresh);
    const packed = run && packOwners([...readOwners(run)]);
    if (packed && packed.length < run.length) {
      for (const page of packed) fresh.add(page);
      pages.splice(start, run.length, ...packed);
      // The windows that end in the pages just made may be slack now.
      start = Math.max(0, start - WINDOW + 1);
      yield;
    } else start++;
  }
  return pages;
}

/** The pages of a window when packing them anew would save one; else undefined. */
function windowToPack(
  pages: readonly Page[],
  start: number,
  end: number,
  fresh: Set<Page>,
): Page[] | undefined {
  let octets = 0;
  let touched = false;
  for (let i = start; i < end; i++) {
    octets += Math.min(pages[i].block.length, FRESH_PAGE_OCTETS);
    touched ||= fresh.has(pages[i]);
  }
  const count = end - start;
  if (!touched || Math.ceil(octets / FRESH_PAGE_OCTETS) >= count) return undefined;
  if (count * FRESH_PAGE_OCTETS <= MAX_SLACK * octets) return undefined;
  const run = pages.slice(start, end);
  // Parts of one owner stay together, and are never packed tighter than they are.
  return run.some((page) => page.part > 0) || pages[end]?.part > 0 ? undefined : run;
}
