/**
 * An RRset found where it stands in a page: nothing is decoded, nothing allocated.
 *
 * Owns: where the RRset found last stands. Spec: RFC 1034 §4.3.2 (what is met on the way down).
 */
import { type NameKey, TYPE } from "../dns/mod.ts";
import type { Page } from "./page.ts";
import { damaged } from "./page_error.ts";
import { indexedOwner } from "./page_index.ts";
import { nameIs, skipName } from "./page_read.ts";
import { findPageIn } from "./page_fences.ts";
import { findOwnerOf, orderOfOwner } from "./page_search.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** Most records of an RRset that is found. */
export const MAX_RRSET_RECORDS = 64;

/** What an owner has beside the RRset looked for, added up. */
const HAS_NS = 1;
const HAS_DNAME = 2;
const HAS_MORE = 4;

/** No record has this type. */
const NO_TYPE = -1;

export class RrsetPlace {
  /** The block it stands in. */
  block: Uint8Array = new Uint8Array(0);
  /** Its records. */
  count = 0;
  /** Offset of each behind its owner: there type, class, TTL, length and RDATA follow. */
  readonly at = new Uint16Array(MAX_RRSET_RECORDS);
  /** Octets of each from there on. */
  readonly octets = new Uint16Array(MAX_RRSET_RECORDS);

  /**
   * Finds the RRset that is the answer to a question.
   *
   * @param key  of a name below the version's apex
   * @param message  in which the name stands uncompressed, from `nameAt` on
   * @param type  not NS, CNAME, DNAME or one that is asked of the parent
   * @returns false where it is not there, and where this cannot tell: at or below a zone cut or
   *   a DNAME, for a name in another case, or an owner or an RRset that is very large
   * @throws {PageError} a page is damaged
   */
  find(
    version: ZoneVersion,
    key: NameKey,
    message: Uint8Array,
    nameAt: number,
    type: number,
  ): boolean {
    const { pages } = version;
    key.share(version.apexKey.length);
    if (pages.length === 0 || this.#isDelegated(version, key)) return false;
    const at = findPageIn(version, key, key.length);
    const page = pages[at];
    const index = ownerNamed(page, key, message, nameAt);
    if (index < 0 || isParted(pages, at, index)) return false;
    return (this.#scan(page, index, type) & (HAS_NS | HAS_MORE)) === 0 && this.count > 0;
  }

  /** Whether a name above the key's is a zone cut, or has a DNAME, or may. */
  #isDelegated(version: ZoneVersion, key: NameKey): boolean {
    const { pages, apexKey } = version;
    for (let labels = key.labels - 1; labels >= 0; labels--) {
      const length = key.ends[labels];
      if (length < apexKey.length) break;
      const isApex = length === apexKey.length;
      const at = isApex ? 0 : findPageIn(version, key, length); // the apex sorts first
      const index = isApex ? 0 : findOwnerOf(pages[at], key, length);
      if (index === pages[at].owners.length) continue;
      if (orderOfOwner(pages[at], index, key, length) !== 0) continue;
      if (isParted(pages, at, index)) return true;
      const met = this.#scan(pages[at], index, NO_TYPE);
      if (met & (isApex ? HAS_DNAME : HAS_DNAME | HAS_NS)) return true;
    }
    return false;
  }

  /** Takes the records of a type; returns what else there is that decides about answers. */
  #scan({ block, owners }: Page, index: number, type: number): number {
    const end = index + 1 < owners.length ? owners[index + 1] : block.length;
    let met = 0;
    this.block = block;
    this.count = 0;
    for (let at = skipName(block, owners[index]);; at = skipName(block, at)) {
      const octets = 10 + (block[at + 8] << 8 | block[at + 9]);
      if (at + octets > end) throw damaged(at, "a record cut off");
      const found = block[at] << 8 | block[at + 1];
      if (found === type) {
        if (this.count === MAX_RRSET_RECORDS) return HAS_MORE;
        this.at[this.count] = at;
        this.octets[this.count++] = octets;
      } else if (found === TYPE.NS) met |= HAS_NS;
      else if (found === TYPE.DNAME) met |= HAS_DNAME;
      at += octets;
      if (at === end) return met;
    }
  }
}

/** The number of the owner with this name, octet for octet; -1 where there is none. */
function ownerNamed(page: Page, key: NameKey, message: Uint8Array, nameAt: number): number {
  const indexed = indexedOwner(page, key.hashes[key.labels], message, nameAt);
  if (indexed !== undefined) return indexed;
  const found = findOwnerOf(page, key, key.length);
  if (found === page.owners.length) return -1;
  return nameIs(page.block, page.owners[found], message, nameAt) ? found : -1;
}

/** Whether records of an owner may stand in other pages too. */
function isParted(pages: readonly Page[], at: number, index: number): boolean {
  if (index === 0 && pages[at].part > 0) return true;
  return index === pages[at].owners.length - 1 && at + 1 < pages.length && pages[at + 1].part > 0;
}
