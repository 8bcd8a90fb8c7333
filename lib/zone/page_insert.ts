/**
 * An owner more in a page: the octets behind it move, and the pointers into them
 * with them, instead of decoding and packing all owners of the page.
 *
 * Pure. What most single changes of a large zone are: a new name with addresses.
 * It is written as a page made anew would have it: what stands right before it in
 * canonical order shares the longest ending with it.
 *
 * Limitation: an owner whose RDATA could be compressed, or by which the next one's
 * name could be shorter, is left to a page made anew.
 */
import { TYPE } from "../dns/mod.ts";
import type { OwnerRecords } from "./owner_records.ts";
import { HEADER_OCTETS, type Page } from "./page.ts";
import { PAGE_CUT_OCTETS } from "./page_build.ts";
import { mayBeCompressed, skipName } from "./page_read.ts";
import { nameLabels } from "./page_search.ts";

/** First octet of a compression pointer (RFC 1035 §4.1.4). */
const POINTER = 0xc0;
const POINTER_OCTETS = 2;
/** Type, class, TTL and RDLENGTH (RFC 1035 §4.1.3). */
const FIXED_OCTETS = 10;
const MX_PREFERENCE_OCTETS = 2;

/**
 * The page with the owner in it; undefined where it is better made anew.
 *
 * @param page  holds whole owners
 * @param index  number of the owner that it comes before; above 0
 * @throws {PageError} the page is damaged
 */
export function insertOwner(
  page: Page,
  index: number,
  { owner, records }: OwnerRecords,
): Page | undefined {
  const { block, owners } = page;
  if (index === 0 || records.some(({ type }) => mayBeCompressed(type))) return undefined;
  const before = nameAt(block, owners[index - 1]);
  const added = nameAt(owner, 0);
  const common = commonLabels(added, before);
  const isLast = index === owners.length;
  const next = isLast ? undefined : nameAt(block, owners[index]);
  if (next && commonLabels(next, added) > commonLabels(next, before)) return undefined;
  const at = isLast ? block.length : owners[index];
  const ending: Ending = {
    from: added.labels[added.labels.length - common] ?? owner.length - 1,
    pointer: before.labels[before.labels.length - common] ?? -1,
  };
  const nameOctets = common === 0 ? owner.length : ending.from + POINTER_OCTETS;
  let octets = nameOctets - POINTER_OCTETS;
  for (const { rdata } of records) octets += POINTER_OCTETS + FIXED_OCTETS + rdata.length;
  if (block.length + octets > PAGE_CUT_OCTETS) return undefined;
  const after = new Uint8Array(block.length + octets);
  after.set(block.subarray(0, at));
  after.set(block.subarray(at), at + octets);
  writeOwner(after, at, owner, ending, records);
  movePointers(after, at + octets, at, octets);
  const starts = new Uint32Array(owners.length + 1);
  starts.set(owners.subarray(0, index));
  starts[index] = at;
  for (let i = index; i < owners.length; i++) starts[i + 1] = owners[i] + octets;
  return { ...page, block: after, owners: starts, records: page.records + records.length };
}

/** Where a name's labels start, from the first on; the root left out. */
interface PlacedName {
  readonly octets: Uint8Array;
  readonly labels: Uint32Array;
}

/** Where a name goes on as another one does. */
interface Ending {
  /** Index in the name. */
  readonly from: number;
  /** Offset in the block; -1 where only the root is common. */
  readonly pointer: number;
}

function nameAt(octets: Uint8Array, at: number): PlacedName {
  return { octets, labels: nameLabels(octets, at) };
}

/** How many labels two names end in that are the same, octet for octet. */
function commonLabels(a: PlacedName, b: PlacedName): number {
  const most = Math.min(a.labels.length, b.labels.length);
  let common = 0;
  while (common < most) {
    const atA = a.labels[a.labels.length - common - 1];
    const atB = b.labels[b.labels.length - common - 1];
    if (!isSameLabel(a.octets, atA, b.octets, atB)) break;
    common++;
  }
  return common;
}

function isSameLabel(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  const octets = 1 + a[atA];
  for (let i = 0; i < octets; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}

function writeOwner(
  block: Uint8Array,
  start: number,
  owner: Uint8Array,
  { from, pointer }: Ending,
  records: OwnerRecords["records"],
): void {
  let at = start;
  for (const { type, ttl, rdata } of records) {
    if (at > start) at = writePointer(block, at, start);
    else if (pointer < 0) {
      block.set(owner, at);
      at += owner.length;
    } else {
      block.set(owner.subarray(0, from), at);
      at = writePointer(block, at + from, pointer);
    }
    block[at++] = type >> 8;
    block[at++] = type;
    block[at++] = 0;
    block[at++] = 1; // class IN
    block[at++] = ttl >>> 24;
    block[at++] = ttl >>> 16;
    block[at++] = ttl >>> 8;
    block[at++] = ttl;
    block[at++] = rdata.length >> 8;
    block[at++] = rdata.length;
    block.set(rdata, at);
    at += rdata.length;
  }
}

/** Returns the index behind the pointer. */
function writePointer(block: Uint8Array, at: number, offset: number): number {
  const target = offset + HEADER_OCTETS;
  block[at] = POINTER | target >> 8;
  block[at + 1] = target;
  return at + POINTER_OCTETS;
}

/**
 * Corrects the pointers of all records from an index on, which have moved.
 *
 * @param from  what stood here, and behind, stands `octets` farther
 */
function movePointers(block: Uint8Array, start: number, from: number, octets: number): void {
  for (let at = start; at < block.length;) {
    at = movePointer(block, at, from, octets);
    const type = block[at] << 8 | block[at + 1];
    const rdata = at + FIXED_OCTETS;
    if (mayBeCompressed(type)) {
      const name = type === TYPE.MX ? rdata + MX_PREFERENCE_OCTETS : rdata;
      const next = movePointer(block, name, from, octets);
      if (type === TYPE.SOA || type === TYPE.MINFO) movePointer(block, next, from, octets);
    }
    at = rdata + (block[rdata - 2] << 8 | block[rdata - 1]);
  }
}

/** Corrects the pointer of a name, if it has one; returns the index behind the name. */
function movePointer(block: Uint8Array, at: number, from: number, octets: number): number {
  const end = skipName(block, at);
  let label = at;
  while (block[label] !== 0 && block[label] < POINTER) label += 1 + block[label];
  if (block[label] === 0) return end;
  const offset = ((block[label] & 0x3f) << 8 | block[label + 1]) - HEADER_OCTETS;
  if (offset >= from) writePointer(block, label, offset + octets);
  return end;
}
