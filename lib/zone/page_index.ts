/**
 * The owners of a page by hash, so that one is found without a search through the page: each step
 * of that reads another part of the zone from memory, which takes longer than all the rest.
 *
 * Owns: an index for each page that names are asked of, as long as the page lives: 4 octets an
 * owner or some more.
 */
import { MAX_NAME_OCTETS, NameKey } from "../dns/mod.ts";
import type { Page } from "./page.ts";
import { copyName, nameIs } from "./page_read.ts";

/**
 * Slots, a power of two and at least twice the owners; 0 is an empty one, else the low bits are
 * the owner's number + 1 and the high ones are of its hash.
 */
type Index = Uint16Array;

/** Bits of a slot for the number: a page has fewer owners, of 11 octets the least and 16 KiB. */
const NUMBER_BITS = 11;
const NUMBERS = 1 << NUMBER_BITS;

/** Undefined: the page was asked once; only those asked again are worth it. */
const indexes = new WeakMap<Page, Index | undefined>();
const key = new NameKey();
const name = new Uint8Array(MAX_NAME_OCTETS + 64);

/**
 * The number of the owner with a name, octet for octet; -1 where there is none.
 *
 * @param hash  the name's, of its whole {@link NameKey}
 * @param message  in which it stands uncompressed, from `nameAt` on
 * @returns undefined: the page has no index yet, or cannot have one
 * @throws {PageError} the page is damaged
 */
export function indexedOwner(
  page: Page,
  hash: number,
  message: Uint8Array,
  nameAt: number,
): number | undefined {
  const index = indexes.get(page) ?? makeIndex(page);
  if (!index) return undefined;
  const mask = index.length - 1;
  const print = printOf(hash);
  for (let slot = slotOf(hash, mask);; slot = slot + 1 & mask) {
    const entry = index[slot];
    if (entry === 0) return -1;
    if ((entry & ~(NUMBERS - 1)) !== print) continue;
    const number = (entry & NUMBERS - 1) - 1;
    if (nameIs(page.block, page.owners[number], message, nameAt)) return number;
  }
}

function makeIndex(page: Page): Index | undefined {
  const { block, owners } = page;
  if (!indexes.has(page) || owners.length >= NUMBERS) {
    indexes.set(page, undefined);
    return undefined;
  }
  let slots = 2;
  while (slots < 2 * owners.length) slots *= 2;
  const index = new Uint16Array(slots);
  for (let number = 0; number < owners.length; number++) {
    copyName(block, owners[number], name);
    key.read(name, 0);
    const hash = key.hashes[key.labels];
    let slot = slotOf(hash, slots - 1);
    while (index[slot] !== 0) slot = slot + 1 & slots - 1;
    index[slot] = printOf(hash) | number + 1;
  }
  indexes.set(page, index);
  return index;
}

function slotOf(hash: number, mask: number): number {
  return (hash ^ hash >>> 15) & mask;
}

/** What of a hash stands in a slot. */
function printOf(hash: number): number {
  return hash >>> 16 & ~(NUMBERS - 1);
}
