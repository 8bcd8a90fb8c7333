/**
 * Reading pages in place: owners found and decoded without decoding the page.
 *
 * Pure. Pages are our own octets, but they come back from the state file, so
 * every walk is bounded and damage throws {@link PageError}.
 */
import {
  canonicalKey,
  decompressRdata,
  MAX_NAME_OCTETS,
  type Name,
  type ResourceRecord,
  ZonecastError,
} from "../dns/mod.ts";
import type { OwnerRecords } from "./owner_records.ts";
import { HEADER_OCTETS, type Page } from "./page.ts";

/** A page whose octets are not what a page must be. */
export class PageError extends ZonecastError {
  override readonly name = "PageError";
}

const nameScratch = new Uint8Array(MAX_NAME_OCTETS + 64);

/**
 * The name at an offset of a block, uncompressed in a fresh buffer, and the offset after it.
 *
 * @throws {PageError} a pointer that does not go backward, or a cut or overlong name
 */
function readName(block: Uint8Array, from: number): [Name, number] {
  let at = from;
  let bound = from;
  let next = -1;
  let length = 0;
  while (true) {
    const octet = block[at];
    if (octet >= 0xc0) {
      if (next < 0) next = at + 2;
      at = ((octet & 0x3f) << 8 | block[at + 1]) - HEADER_OCTETS;
      if (!(at < bound) || at < 0) throw damaged(from, "a pointer that does not go backward");
      bound = at;
      continue;
    }
    if (octet === undefined || octet > 63 || length + octet + 1 > MAX_NAME_OCTETS) {
      throw damaged(from, "no name");
    }
    for (let i = 0; i <= octet; i++) nameScratch[length++] = block[at + i];
    at += 1 + octet;
    if (octet === 0) return [nameScratch.slice(0, length), next < 0 ? at : next];
  }
}

function damaged(at: number, what: string): PageError {
  return new PageError("page-damaged", `Cannot read page: ${what} at octet ${at}`);
}

/** The owner name of a page's owner number `index`. */
export function ownerName(page: Page, index: number): Name {
  return readName(page.block, page.owners[index])[0];
}

/**
 * The owner number `index` of a page with its records there, RDATA uncompressed.
 *
 * @throws {PageError} the page is damaged
 */
export function readOwner(page: Page, index: number): OwnerRecords {
  const { block, owners } = page;
  const end = index + 1 < owners.length ? owners[index + 1] : block.length;
  const records: ResourceRecord[] = [];
  const [owner, afterOwner] = readName(block, owners[index]);
  let at = afterOwner;
  while (true) {
    if (at + 10 > end) throw damaged(at, "a record cut off");
    const type = block[at] << 8 | block[at + 1];
    const ttl = (block[at + 4] << 24 | block[at + 5] << 16 | block[at + 6] << 8 | block[at + 7]) >>>
      0;
    const length = block[at + 8] << 8 | block[at + 9];
    at += 10;
    if (at + length > end) throw damaged(at, "RDATA cut off");
    records.push({ owner, type, ttl, rdata: readRdata(block, type, at, length) });
    at += length;
    if (at === end) break;
    at = skipName(block, at);
  }
  return { key: canonicalKey(owner), owner, records };
}

function readRdata(block: Uint8Array, type: number, at: number, length: number): Uint8Array {
  // Types whose names are never compressed are most of a zone: a view is enough.
  if (!mayBeCompressed(type)) return block.subarray(at, at + length);
  return decompressRdata(type, messageView(block), at + HEADER_OCTETS, length);
}

/** Types of RFC 1035 with names in their RDATA: NS MD MF CNAME SOA MB MG MR PTR MINFO MX. */
function mayBeCompressed(type: number): boolean {
  return type <= 15 && (type >= 2 && type <= 9 || type === 12 || type === 14 || type === 15);
}

let viewedBlock: Uint8Array | undefined;
let viewedMessage = new Uint8Array(0);

/** The block behind twelve octets, so that offsets are a message's; kept for the next call. */
function messageView(block: Uint8Array): Uint8Array {
  if (viewedBlock !== block) {
    viewedMessage = new Uint8Array(HEADER_OCTETS + block.length);
    viewedMessage.set(block, HEADER_OCTETS);
    viewedBlock = block;
  }
  return viewedMessage;
}

function skipName(block: Uint8Array, at: number): number {
  while (true) {
    const octet = block[at];
    if (octet === 0) return at + 1;
    if (octet >= 0xc0) return at + 2;
    if (octet === undefined || octet > 63) throw damaged(at, "no name");
    at += 1 + octet;
  }
}

/** All owners of a run of pages in canonical order; an owner's parts are put together. */
export function* readOwners(pages: readonly Page[], from = 0, to = pages.length): Generator<
  OwnerRecords
> {
  let open: OwnerRecords | undefined;
  for (let p = from; p < to; p++) {
    const page = pages[p];
    for (let i = 0; i < page.owners.length; i++) {
      const owner = readOwner(page, i);
      if (open && i === 0 && page.part > 0) {
        open = { ...open, records: [...open.records, ...owner.records] };
        continue;
      }
      if (open) yield open;
      open = owner;
    }
  }
  if (open) yield open;
}

/**
 * Index of the page in which an owner stands or would stand: the last whose
 * first owner is at or before the key, and of several parts the first; 0 when
 * the key is before all pages.
 */
export function findPage(pages: readonly Page[], key: string): number {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (pages[middle].firstKey <= key) low = middle + 1;
    else high = middle;
  }
  let index = Math.max(0, low - 1);
  while (index > 0 && pages[index].part > 0 && pages[index].firstKey === key) index--;
  return index;
}

/** Number of the first owner in a page whose key is at or after `key`. */
export function findOwner(page: Page, key: string): number {
  let low = 0;
  let high = page.owners.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (canonicalKey(ownerName(page, middle)) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
