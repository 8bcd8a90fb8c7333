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
} from "../dns/mod.ts";
import type { OwnerRecords } from "./owner_records.ts";
import { HEADER_OCTETS, type Page } from "./page.ts";
import { damaged } from "./page_error.ts";
import { findPage } from "./page_search.ts";

const nameScratch = new Uint8Array(MAX_NAME_OCTETS + 64);

/** Index after the name that {@link copyName} read last. */
let afterName = 0;

/**
 * Copies the name at an offset of a block, uncompressed; returns its octets.
 *
 * @param out  has room for {@link MAX_NAME_OCTETS} and one
 * @throws {PageError} a pointer that does not go backward, or a cut or overlong name
 */
export function copyName(block: Uint8Array, from: number, out: Uint8Array): number {
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
    for (let i = 0; i <= octet; i++) out[length++] = block[at + i];
    at += 1 + octet;
    if (octet === 0) {
      afterName = next < 0 ? at : next;
      return length;
    }
  }
}

/** The name at an offset of a block in a fresh buffer; {@link afterName} is the index after it. */
function readName(block: Uint8Array, from: number): Name {
  return nameScratch.slice(0, copyName(block, from, nameScratch));
}

/**
 * Whether the name at an offset of a block is this one, octet for octet; read in place.
 *
 * @param name  octets in which it stands uncompressed, from `nameAt` on
 */
export function nameIs(
  block: Uint8Array,
  from: number,
  name: Uint8Array,
  nameAt = 0,
): boolean {
  let at = from;
  let bound = from;
  for (let i = nameAt;;) {
    const octet = block[at];
    if (octet >= 0xc0) {
      at = ((octet & 0x3f) << 8 | block[at + 1]) - HEADER_OCTETS;
      if (!(at < bound) || at < 0) throw damaged(from, "a pointer that does not go backward");
      bound = at;
      continue;
    }
    if (octet !== name[i]) return false;
    if (octet === 0) return true;
    for (let j = 1; j <= octet; j++) if (block[at + j] !== name[i + j]) return false;
    at += 1 + octet;
    i += 1 + octet;
  }
}

/**
 * The owner number `index` of a page with its records there, RDATA uncompressed.
 *
 * @param key  its key, where it is known
 * @throws {PageError} the page is damaged
 */
export function readOwner(page: Page, index: number, key?: string): OwnerRecords {
  const { block, owners } = page;
  const end = index + 1 < owners.length ? owners[index + 1] : block.length;
  const records: ResourceRecord[] = [];
  const owner = readName(block, owners[index]);
  let at = afterName;
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
  return { key: key ?? canonicalKey(owner), owner, records };
}

/**
 * The owner number `index` of page `at`, also where its records go on in the next pages.
 *
 * @param key  its key
 * @throws {PageError} a page is damaged
 */
export function readWholeOwner(
  pages: readonly Page[],
  at: number,
  index: number,
  key: string,
): OwnerRecords {
  const owner = readOwner(pages[at], index, key);
  const end = ownerEnd(pages, at, index, key);
  if (end === at + 1) return owner;
  const parts = [owner.records];
  for (let p = at + 1; p < end; p++) parts.push(readOwner(pages[p], 0, key).records);
  return { ...owner, records: parts.flat() };
}

/** The number of the page behind those that hold owner number `index` of page `at`. */
export function ownerEnd(
  pages: readonly Page[],
  at: number,
  index: number,
  key: string,
): number {
  let end = at + 1;
  if (index < pages[at].owners.length - 1) return end;
  while (end < pages.length && pages[end].part > 0 && pages[end].firstKey === key) end++;
  return end;
}

/** RDATA of a block uncompressed: a view where there is nothing to expand. */
export function readRdata(
  block: Uint8Array,
  type: number,
  at: number,
  length: number,
): Uint8Array {
  // Types whose names are never compressed are most of a zone: a view is enough.
  if (!mayBeCompressed(type)) return block.subarray(at, at + length);
  return decompressRdata(type, messageView(block), at + HEADER_OCTETS, length);
}

/** Types of RFC 1035 with names in their RDATA: NS MD MF CNAME SOA MB MG MR PTR MINFO MX. */
export function mayBeCompressed(type: number): boolean {
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

/** Index after the name at an offset. @throws {PageError} there is none */
export function skipName(block: Uint8Array, at: number): number {
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
 * Owners in canonical order, those behind a key; all without one.
 *
 * @param key  need not be an owner's
 */
export function* readOwnersAfter(
  pages: readonly Page[],
  key: string | undefined,
): Generator<OwnerRecords> {
  const from = key === undefined ? 0 : findPage(pages, key);
  for (const owner of readOwners(pages, from)) {
    if (key === undefined || owner.key > key) yield owner;
  }
}

/** Index behind a page and those that hold further parts of its owner. */
export function groupEnd(pages: readonly Page[], from: number): number {
  let end = from + 1;
  while (end < pages.length && pages[end].part > 0) end++;
  return end;
}
