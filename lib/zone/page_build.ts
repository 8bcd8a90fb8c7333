/**
 * Building pages from owners in canonical order.
 *
 * Pure (a buffer is reused between calls). The rules: a page is cut near
 * {@link FRESH_PAGE_OCTETS}, holds whole owners, and never passes
 * {@link MAX_BLOCK_OCTETS}; an owner too big for one page spans several; a record
 * is never cut. Compression: owner names always, RDATA names only in the types
 * of RFC 1035 (RFC 3597 §4).
 */
import { rdataNames, type ResourceRecord } from "../dns/mod.ts";
import { NameWriter } from "../wire/mod.ts";
import type { OwnerRecords } from "./owner_records.ts";
import { HEADER_OCTETS, type Page } from "./page.ts";
import { RECORD_FIXED_OCTETS, recordOctets } from "./record_list.ts";

/** Octets left free behind a page for a TSIG record with the longest key name (RFC 8945 §4.2). */
const TSIG_RESERVE_OCTETS = 512;

/** The most octets a page's block may have, so that header and TSIG fit one message with it. */
export const MAX_BLOCK_OCTETS = 65_535 - HEADER_OCTETS - TSIG_RESERVE_OCTETS;

/**
 * An edited page is cut in two beyond this: pointers reach no farther than
 * offset 0x3FFF, so records behind it would be sent with ever less compression.
 */
export const PAGE_CUT_OCTETS = 0x4000 - HEADER_OCTETS;

/** What a fresh page is filled to: room to grow by a seventh before it must be cut. */
export const FRESH_PAGE_OCTETS = 14 * 1024;

/** A page below this is put together with a neighbour. */
export const MIN_PAGE_OCTETS = 4 * 1024;

/** Whether a record fits a message with its owner, header and a TSIG; one that does not is a bad row. */
export function recordFits(record: ResourceRecord): boolean {
  return recordOctets(record) <= MAX_BLOCK_OCTETS;
}

/** Where one page at a time is written. */
class PageScratch {
  readonly names = new NameWriter();
  readonly octets = new Uint8Array(MAX_BLOCK_OCTETS);
}

/** For pages that are written without a pause. */
const shared = new PageScratch();
/** For pages written with pauses, while none are: it takes 80 KB, and a read may build thousands of zones. */
let spare: PageScratch | undefined;

/** One page under construction. */
class PageWriter {
  #at = 0;
  #records = 0;
  #owners: number[] = [];
  #firstKey = "";
  #part = 0;

  constructor(readonly scratch: PageScratch) {
    scratch.names.reset();
  }

  get octets(): number {
    return this.#at;
  }

  /** Starts an owner (or its part) here. */
  beginOwner(key: string, part: number): void {
    if (this.#owners.length === 0) {
      this.#firstKey = key;
      this.#part = part;
    }
    this.#owners.push(this.#at);
  }

  add(record: ResourceRecord): void {
    const { owner, type, ttl, rdata } = record;
    const { names, octets: scratch } = this.scratch;
    let at = names.write(scratch, HEADER_OCTETS, this.#at, owner);
    scratch[at++] = type >> 8;
    scratch[at++] = type;
    scratch[at++] = 0;
    scratch[at++] = 1; // class IN
    scratch[at++] = ttl >>> 24;
    scratch[at++] = ttl >>> 16;
    scratch[at++] = ttl >>> 8;
    scratch[at++] = ttl;
    const end = writeRdata(this.scratch, at + 2, type, rdata);
    const length = end - at - 2;
    scratch[at] = length >> 8;
    scratch[at + 1] = length;
    this.#at = end;
    this.#records++;
  }

  finish(): Page {
    return {
      block: this.scratch.octets.slice(0, this.#at),
      owners: Uint32Array.from(this.#owners),
      records: this.#records,
      firstKey: this.#firstKey,
      part: this.#part,
    };
  }
}

/** Writes RDATA with its compressible names compressed; returns the index after it. */
function writeRdata(
  { names, octets: scratch }: PageScratch,
  at: number,
  type: number,
  rdata: Uint8Array,
): number {
  let from = 0;
  for (const name of rdataNames(type, rdata)) {
    if (!name.compressible) continue;
    scratch.set(rdata.subarray(from, name.at), at);
    at += name.at - from;
    from = name.at + name.length;
    at = names.write(scratch, HEADER_OCTETS, at, rdata.subarray(name.at, from));
  }
  if (rdata.length - from < 32) {
    for (let i = from; i < rdata.length; i++) scratch[at++] = rdata[i];
    return at;
  }
  scratch.set(from === 0 ? rdata : rdata.subarray(from), at);
  return at + rdata.length - from;
}

/** Upper bound of the octets an owner takes in a page: only its own repetitions compressed. */
export function ownerOctets(owner: OwnerRecords): number {
  let octets = owner.owner.length - 2;
  for (const record of owner.records) octets += 2 + RECORD_FIXED_OCTETS + record.rdata.length;
  return octets;
}

/**
 * Pages of the owners given, each filled up to `target` octets, or near it.
 *
 * No other page may be built between two of them, since all share one buffer.
 *
 * @param owners  in canonical order, no key twice, none without records; every
 *   record passes {@link recordFits}
 * @param target  octets; an owner that would pass it begins the next page
 */
export function* buildPages(
  owners: Iterable<OwnerRecords>,
  target: number = FRESH_PAGE_OCTETS,
): Generator<Page, void> {
  for (const page of writePages(owners, target, shared)) if (page) yield page;
}

/** As {@link buildPages}, with places to pause: undefined where the owners have it, and as such. */
export function* buildPagesPaused(
  owners: Iterable<OwnerRecords | undefined>,
): Generator<Page | undefined, void> {
  const scratch = spare ?? new PageScratch();
  spare = undefined;
  try {
    yield* writePages(owners, FRESH_PAGE_OCTETS, scratch);
  } finally {
    spare = scratch;
  }
}

function* writePages(
  owners: Iterable<OwnerRecords | undefined>,
  target: number,
  scratch: PageScratch,
): Generator<Page | undefined, void> {
  let page: PageWriter | undefined;
  for (const owner of owners) {
    if (!owner) {
      yield undefined;
      continue;
    }
    const octets = ownerOctets(owner);
    if (page && page.octets + octets > target) {
      yield page.finish();
      page = undefined;
    }
    if (octets > MAX_BLOCK_OCTETS) {
      yield* buildParts(owner, scratch);
      continue;
    }
    page ??= new PageWriter(scratch);
    page.beginOwner(owner.key, 0);
    for (const record of owner.records) page.add(record);
  }
  if (page) yield page.finish();
}

/** Pages of one owner that does not fit a single one; cut between records. */
function* buildParts(owner: OwnerRecords, scratch: PageScratch): Generator<Page, void> {
  let part = 0;
  let page: PageWriter | undefined;
  for (const record of owner.records) {
    if (page && page.octets + 2 + RECORD_FIXED_OCTETS + record.rdata.length > MAX_BLOCK_OCTETS) {
      yield page.finish();
      page = undefined;
    }
    if (!page) {
      page = new PageWriter(scratch);
      page.beginOwner(owner.key, part++);
    }
    page.add(record);
  }
  if (page) yield page.finish();
}
