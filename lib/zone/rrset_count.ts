/** How many RRsets pages hold. Pure; what a page holds is counted once. */
import { TYPE } from "../dns/mod.ts";
import type { Page } from "./page.ts";
import { skipName } from "./page_read.ts";

/** A record of a page between its owner name and its RDATA. */
const FIXED_OCTETS = 10;

const known = new WeakMap<Page, number>();

/**
 * RRsets of pages, signatures left out; yields after each page as a place to pause.
 * One that goes on in a further page counts there again.
 */
export function* countRRsets(pages: readonly Page[]): Generator<undefined, number> {
  let rrsets = 0;
  for (const page of pages) {
    let count = known.get(page);
    if (count === undefined) known.set(page, count = countPage(page));
    rrsets += count;
    yield undefined;
  }
  return rrsets;
}

/** An owner's records are sorted by type. */
function countPage({ block, owners }: Page): number {
  let rrsets = 0;
  for (let i = 0; i < owners.length; i++) {
    const end = i + 1 < owners.length ? owners[i + 1] : block.length;
    let last = -1;
    for (let at = owners[i]; at < end;) {
      const fixed = skipName(block, at);
      const type = block[fixed] << 8 | block[fixed + 1];
      if (type !== last && type !== TYPE.RRSIG) rrsets++;
      last = type;
      at = fixed + FIXED_OCTETS + (block[fixed + 8] << 8 | block[fixed + 9]);
    }
  }
  return rrsets;
}
