/**
 * Finding an owner in pages, read in place, by its key.
 *
 * Pure. A key is given as text, or as a {@link NameKey} of which the first octets count: the
 * names above a name are found by the same key. Every walk is bounded, and damage throws
 * {@link PageError}.
 */
import { lowerOctet, MAX_NAME_OCTETS, NameKey } from "../dns/mod.ts";
import { HEADER_OCTETS, type Page } from "./page.ts";
import { damaged } from "./page_error.ts";

/** What {@link compareOwner} gives for an owner below the key's name; positive. */
export const BELOW = 2;

/** Where keys given as text stand while they are compared. */
const given = new NameKey();

/**
 * Index of the page in which an owner stands or would stand: the last whose
 * first owner is at or before the key, and of several parts the first; 0 when
 * the key is before all pages.
 */
export function findPage(pages: readonly Page[], key: string): number {
  given.take(key);
  return findPageOf(pages, given, given.length);
}

/**
 * As {@link findPage}, of the first octets of a key.
 *
 * @param low  pages before this begin at or before the key
 * @param high  pages from this on begin behind it
 */
export function findPageOf(
  pages: readonly Page[],
  key: NameKey,
  length: number,
  low = 0,
  high = pages.length,
): number {
  while (low < high) {
    const middle = low + high >> 1;
    if (key.orderOf(pages[middle].firstKey, length) <= 0) low = middle + 1;
    else high = middle;
  }
  let index = Math.max(0, low - 1);
  while (index > 0 && pages[index].part > 0 && key.isPrefix(pages[index].firstKey, length)) index--;
  return index;
}

/** Number of the first owner in a page, from number `from` on, whose key is at or after `key`. */
export function findOwner(page: Page, key: string, from = 0): number {
  given.take(key);
  return findOwnerOf(page, given, given.length, from);
}

/** As {@link findOwner}, of the first octets of a key. */
export function findOwnerOf(page: Page, key: NameKey, length: number, from = 0): number {
  let low = from;
  let high = page.owners.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (orderOfOwner(page, middle, key, length) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The order of a page's owner number `index` and a name, given by its key: negative,
 * 0 or positive, as `canonicalKey(owner)` compares with it. Reads the owner in place.
 *
 * A key is a prefix of the keys of all names below it: where the owner lies below
 * the key's name the order is {@link BELOW}.
 *
 * @throws {PageError} the page is damaged
 */
export function compareOwner(page: Page, index: number, key: string): number {
  given.take(key);
  return orderOfOwner(page, index, given, given.length);
}

/** As {@link compareOwner}, of the first octets of a key. */
export function orderOfOwner(page: Page, index: number, key: NameKey, length: number): number {
  const { block } = page;
  const { octets } = key;
  let at = key.ends[key.shared]; // in the key
  for (let label = markLabels(block, page.owners[index]) - 1 - key.shared; label >= 0; label--) {
    if (at === length) return BELOW;
    const start = labelStarts[label];
    const end = start + 1 + block[start];
    for (let i = start + 1; i < end; i++) {
      // Behind its end a key has nothing, which sorts before all.
      if (at >= length) return 1;
      const octet = lowerOctet(block[i]);
      // The octets 0 and 1 stand as two in a key; the end of a label as one.
      let order = (octet > 1 ? octet : 1) - octets[at++];
      if (order === 0 && octet <= 1) order = at < length ? octet + 1 - octets[at++] : 1;
      if (order !== 0) return order < 0 ? -1 : 1;
    }
    if (at >= length || octets[at++] !== 0) return -1; // the key's label goes on; an end sorts first
  }
  return at === length ? 0 : -1;
}

/** Where the labels of a name being compared start in its block; a name has at most 127. */
const labelStarts = new Uint32Array(MAX_NAME_OCTETS);

/**
 * Fills {@link labelStarts} with the labels of the name at an offset, the root left
 * out; returns their number.
 *
 * @throws {PageError} there is none: cut off, too long, or a pointer that does not go backward
 */
function markLabels(block: Uint8Array, from: number): number {
  let at = from;
  let bound = from;
  let labels = 0;
  let length = 0;
  while (true) {
    const octet = block[at];
    if (octet === 0) return labels;
    if (octet >= 0xc0) {
      at = ((octet & 0x3f) << 8 | block[at + 1]) - HEADER_OCTETS;
      if (!(at < bound) || at < 0) throw damaged(from, "a pointer that does not go backward");
      bound = at;
      continue;
    }
    if (octet === undefined || octet > 63 || length + octet + 2 > MAX_NAME_OCTETS) {
      throw damaged(from, "no name");
    }
    labelStarts[labels++] = at;
    length += 1 + octet;
    at += 1 + octet;
  }
}

/** Where the labels of a name in a block start, the first one first; the root left out. */
export function nameLabels(block: Uint8Array, from: number): Uint32Array {
  return labelStarts.slice(0, markLabels(block, from));
}
