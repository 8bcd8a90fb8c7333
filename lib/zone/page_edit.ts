/**
 * Editing a list of pages: only the pages that hold changed owners are decoded
 * and encoded again, and those needed to keep the page rules.
 *
 * Pure. The rules, after any sequence of edits:
 * - no page passes {@link PAGE_CUT_OCTETS} unless it holds a single owner;
 * - no page below {@link MIN_PAGE_OCTETS} has a neighbour it could share a page with;
 * - of {@link WINDOW} pages in a row, none could be saved by packing them anew to
 *   within {@link MAX_SLACK}, so there are at most 1.3 × the pages of a fresh build.
 */
import type { OwnerRecords } from "./owner_records.ts";
import type { Page } from "./page.ts";
import { buildPages, FRESH_PAGE_OCTETS, MIN_PAGE_OCTETS, PAGE_CUT_OCTETS } from "./page_build.ts";
import { findPage, readOwners } from "./page_read.ts";

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

/** {@link editSteps} without a pause. */
export function editPages(pages: readonly Page[], changes: readonly OwnerChange[]): Page[] {
  const steps = editSteps(pages, changes);
  while (true) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * The pages with the changes made; pages that hold no changed owner are shared.
 * Yields after each run of pages as a place to pause.
 *
 * @param pages  in canonical order
 * @param changes  in canonical order, no key twice
 */
export function* editSteps(
  pages: readonly Page[],
  changes: readonly OwnerChange[],
): Generator<undefined, Page[]> {
  const out: Page[] = [];
  const fresh = new Set<Page>();
  let copied = 0;
  for (let c = 0; c < changes.length;) {
    const [from, to] = pagesOf(pages, changes[c].key);
    // Changes that touch the same pages, or the pages just behind them, are made together.
    let end = to;
    let next = c + 1;
    for (; next < changes.length; next++) {
      const [nextFrom, nextTo] = pagesOf(pages, changes[next].key);
      if (nextFrom >= end) break;
      end = Math.max(end, nextTo);
    }
    for (; copied < from; copied++) out.push(pages[copied]);
    const owners = mergeChanges(readOwners(pages, from, end), changes, c, next);
    for (const page of packOwners(owners)) {
      fresh.add(page);
      out.push(page);
    }
    copied = end;
    c = next;
    yield;
  }
  for (; copied < pages.length; copied++) out.push(pages[copied]);
  return yield* tightenWindows(mergeSmall(out, fresh), fresh);
}

/** The run of pages, from inclusive to exclusive, that a change of one owner needs decoded. */
function pagesOf(pages: readonly Page[], key: string): [from: number, to: number] {
  if (pages.length === 0) return [0, 0];
  let from = findPage(pages, key);
  // A page that holds a later part of an owner cannot be decoded without the parts before.
  while (pages[from].part > 0) from--;
  let to = from + 1;
  while (to < pages.length && pages[to].part > 0) to++;
  return [from, to];
}

/** Owners of a run with changes `first` to `end` (exclusive) made. */
function mergeChanges(
  owners: Iterable<OwnerRecords>,
  changes: readonly OwnerChange[],
  first: number,
  end: number,
): OwnerRecords[] {
  const out: OwnerRecords[] = [];
  let c = first;
  for (const owner of owners) {
    for (; c < end && changes[c].key < owner.key; c++) addOwner(out, changes[c].after);
    if (c < end && changes[c].key === owner.key) addOwner(out, changes[c++].after);
    else out.push(owner);
  }
  for (; c < end; c++) addOwner(out, changes[c].after);
  return out;
}

function addOwner(out: OwnerRecords[], owner: OwnerRecords | undefined): void {
  if (owner && owner.records.length > 0) out.push(owner);
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
