/**
 * Reading of an owner what an answer has room for.
 *
 * An RRset of thousands of records fits no datagram: such an answer is truncated, and is
 * asked for again and again by those who flood. So its cost follows what can be sent, not
 * what the owner has.
 *
 * Pure. Damage throws {@link PageError}, as far as it is met.
 */
import { MAX_NAME_OCTETS, type ResourceRecord, TYPE } from "../dns/mod.ts";
import type { OwnerRecords } from "./owner_records.ts";
import type { Page } from "./page.ts";
import { damaged } from "./page_error.ts";
import { copyName, mayBeCompressed, ownerEnd, readRdata, skipName } from "./page_read.ts";

/** The room in an answer. */
export interface AnswerRoom {
  /** At most what the message may take. */
  readonly octets: number;
  /** The QTYPE: of it, and of types that may be part of any answer, whole RRsets are read. */
  readonly type: number;
}

/** Types of which records may be in an answer whatever is asked for. */
const IN_ANY_ANSWER: ReadonlySet<number> = new Set([
  TYPE.A,
  TYPE.AAAA,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.DNAME,
  TYPE.DS,
  TYPE.RRSIG,
]);

/** The shortest owner, the root, and what stands before the RDATA. */
const LEAST_RECORD_OCTETS = 11;

/** No RRset. */
const NO_RRSET = -1;

const nameScratch = new Uint8Array(MAX_NAME_OCTETS + 64);

/**
 * The owner number `index` of page `at`: every RRset it has, but of one that is not wanted the
 * first record alone, and of one that has no room only as many as show that, the first ones.
 *
 * What is left out is passed by, and in pages that have nothing else not even that.
 *
 * @param key  its key
 * @throws {PageError} a page is damaged
 */
export function readOwnerWithin(
  pages: readonly Page[],
  at: number,
  index: number,
  key: string,
  room: AnswerRoom,
): OwnerRecords {
  const records: ResourceRecord[] = [];
  const { block, owners } = pages[at];
  const owner = nameScratch.slice(0, copyName(block, owners[index], nameScratch));
  const end = ownerEnd(pages, at, index, key);
  let rrset = NO_RRSET;
  let left = 0;
  for (let p = at; p < end; p++) {
    const { block, owners } = pages[p];
    const first = p === at ? index : 0;
    const stop = first + 1 < owners.length ? owners[first + 1] : block.length;
    const next = p + 1 < end ? firstRrset(pages[p + 1]) : NO_RRSET;
    for (let from = owners[first]; from < stop;) {
      from = skipName(block, from);
      const rdataAt = from + 10;
      if (rdataAt > stop) throw damaged(from, "a record cut off");
      const length = block[from + 8] << 8 | block[from + 9];
      if (rdataAt + length > stop) throw damaged(rdataAt, "RDATA cut off");
      const type = block[from] << 8 | block[from + 1];
      const found = rrsetAt(block, from);
      if (found !== rrset) {
        rrset = found;
        left = isWanted(type, room) ? room.octets : 0;
      }
      // Types stand in order: all the rest of the page is of it too.
      if (left < 0 && next === rrset) break;
      if (left >= 0) {
        const rdata = readRdata(block, type, rdataAt, length);
        records.push({ owner, type, ttl: ttlAt(block, from + 4), rdata });
        left -= LEAST_RECORD_OCTETS + (mayBeCompressed(type) ? 0 : length);
      }
      from = rdataAt + length;
      if (left < 0) from = passBy(block, from, stop, type);
    }
  }
  return { key, owner, records };
}

/** Where records of a type end that follow each other: thousands, so nothing else is looked at. */
function passBy(block: Uint8Array, from: number, stop: number, type: number): number {
  if (type === TYPE.RRSIG) return from;
  let at = from;
  // The owner of all but the first is a pointer.
  while (
    at < stop && block[at] >= 0xc0 && block[at + 2] === type >> 8 && block[at + 3] === (type & 0xff)
  ) {
    at += 12 + (block[at + 10] << 8 | block[at + 11]);
  }
  if (at > stop) throw damaged(from, "a record cut off");
  return at;
}

function isWanted(type: number, { type: asked }: AnswerRoom): boolean {
  return type === asked || asked === TYPE.ANY || IN_ANY_ANSWER.has(type);
}

/** Seconds. */
function ttlAt(block: Uint8Array, at: number): number {
  return (block[at] << 24 | block[at + 1] << 16 | block[at + 2] << 8 | block[at + 3]) >>> 0;
}

/** Which RRset the record is of whose type stands there; signatures are told apart by what they cover. */
function rrsetAt(block: Uint8Array, at: number): number {
  const type = block[at] << 8 | block[at + 1];
  return type === TYPE.RRSIG ? type << 16 | block[at + 10] << 8 | block[at + 11] : type << 16;
}

/** The RRset that a page begins with. */
function firstRrset({ block, owners }: Page): number {
  return rrsetAt(block, skipName(block, owners[0]));
}
