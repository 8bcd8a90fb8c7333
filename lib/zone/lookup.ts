/**
 * Finding the records of a name in a version.
 *
 * Pure, but that it keeps the large owner it read last. Spec: RFC 8020 and RFC 4592
 * §2.2.2 (a name with names below it exists,
 * though it owns no records).
 */
import { canonicalKey, type Name, type ResourceRecord } from "../dns/mod.ts";
import { type AnswerRoom, readOwnerWithin } from "./answer_read.ts";
import { ownerEnd, readWholeOwner } from "./page_read.ts";
import { BELOW, compareOwner, findOwner, findPage } from "./page_search.ts";
import type { OwnerRecords } from "./owner_records.ts";
import type { Page } from "./page.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** What a zone has at a name. */
export type Lookup =
  | { kind: "found"; owner: Name; records: readonly ResourceRecord[] }
  /** An empty non-terminal: no records, but names below it. */
  | { kind: "empty" }
  | { kind: "missing" };

/**
 * What stands at exactly this name, without regard to wildcards or cuts.
 * At the apex the records include the SOA. RDATA is uncompressed.
 *
 * @param room  in an answer: no more is read than {@link readOwnerWithin} does; all where it
 *   is left out, or large
 */
export function lookupOwner(
  version: ZoneVersion,
  name: Name,
  room?: AnswerRoom,
): Lookup {
  const key = canonicalKey(name);
  const found = lookupKey(version.pages, key, room);
  if (key !== version.apexKey) return found;
  const { owner, records } = found.kind === "found" ? found : { owner: version.apex, records: [] };
  return { kind: "found", owner, records: [version.soa, ...records] };
}

/** An answer with so much room goes over TCP, and may take whatever an RRset takes. */
const LARGE_ROOM_OCTETS = 0x4000;

const EMPTY: Lookup = { kind: "empty" };
const MISSING: Lookup = { kind: "missing" };

/** What stands at a name, the SOA left out: told by the first owner at or after it. */
function lookupKey(pages: readonly Page[], key: string, room?: AnswerRoom): Lookup {
  if (pages.length === 0) return MISSING;
  let at = findPage(pages, key);
  let index = findOwner(pages[at], key);
  if (index === pages[at].owners.length) {
    if (++at === pages.length) return MISSING;
    index = 0;
  }
  const order = compareOwner(pages[at], index, key);
  if (order !== 0) return order === BELOW ? EMPTY : MISSING;
  const { owner, records } = room && room.octets < LARGE_ROOM_OCTETS
    ? readOwnerWithin(pages, at, index, key, room)
    : readAt(pages, at, index, key);
  return { kind: "found", owner, records };
}

/** The owner last read that takes several pages, and these. */
let lastLarge: { readonly pages: readonly Page[]; readonly owner: OwnerRecords } | undefined;

/**
 * The owner number `index` of page `at`.
 *
 * One of thousands of records takes ms to read, and is asked for again and again: the last
 * of them is kept, one for all zones, for as long as its pages are the same.
 */
function readAt(pages: readonly Page[], at: number, index: number, key: string): OwnerRecords {
  const end = ownerEnd(pages, at, index, key);
  if (end === at + 1) return readWholeOwner(pages, at, index, key);
  const known = lastLarge;
  if (known?.pages.length === end - at && known.owner.key === key) {
    if (known.pages.every((page, i) => page === pages[at + i])) return known.owner;
  }
  const owner = readWholeOwner(pages, at, index, key);
  lastLarge = { pages: pages.slice(at, end), owner };
  return owner;
}
