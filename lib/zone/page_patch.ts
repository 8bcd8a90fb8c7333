/**
 * Changing records of a page where they stand: what most large changes are, other
 * addresses or TTLs for owners that stay, costs a copy of the page's octets
 * instead of decoding and packing all its owners. So does what most small changes
 * are, an owner more.
 *
 * Pure. An owner can be changed so when its name is spelled as before and its
 * records have the same types and RDATA lengths; then all pointers stay right.
 */
import type { OwnerRecords } from "./owner_records.ts";
import type { Page } from "./page.ts";
import { insertOwner } from "./page_insert.ts";
import { mayBeCompressed, nameIs, skipName } from "./page_read.ts";
import { compareOwner, findOwner } from "./page_search.ts";
import { RECORD_FIXED_OCTETS } from "./record_list.ts";

/** One page being changed. Owns its copy of the page's octets. */
export class PagePatch {
  readonly #before: Page;
  /** Undefined before the first change. */
  #after: Page | undefined;
  /** Where the next owner is looked for: changes come in order. */
  #from = 0;
  /** Whether there is an owner more: then nothing is changed where it stood. */
  #hasGrown = false;

  /** @param page  holds whole owners: neither its first nor its last goes on in another */
  constructor(page: Page) {
    this.#before = page;
  }

  /** The page with the changes made; the one given where there is none. */
  get page(): Page {
    return this.#after ?? this.#before;
  }

  /**
   * Changes an owner, or adds one, if that can be done in place.
   *
   * @param key  above those of changes before
   * @returns whether it is done; when not, nothing was changed
   * @throws {PageError} the page is damaged
   */
  apply(key: string, after: OwnerRecords | undefined): boolean {
    if (!after || after.records.length === 0 || this.#hasGrown) return false;
    const { owners } = this.#before;
    const index = this.#from = findOwner(this.#before, key, this.#from);
    if (index === owners.length || compareOwner(this.#before, index, key) !== 0) {
      return this.#insert(index, after);
    }
    if (!this.#fits(index, after)) return false;
    const page = this.#after ??= { ...this.#before, block: this.#before.block.slice() };
    write(page.block, owners[index], after);
    return true;
  }

  #insert(index: number, owner: OwnerRecords): boolean {
    if (this.#after) return false; // a page that much is changed of is better made anew
    this.#after = insertOwner(this.#before, index, owner);
    return this.#hasGrown = this.#after !== undefined;
  }

  /** Whether records take the very place of those an owner has. */
  #fits(index: number, { owner, records }: OwnerRecords): boolean {
    const { block, owners } = this.#before;
    const end = index + 1 < owners.length ? owners[index + 1] : block.length;
    let at = owners[index];
    if (!nameIs(block, at, owner)) return false;
    for (const { type, rdata } of records) {
      if (at === end || mayBeCompressed(type)) return false;
      at = skipName(block, at);
      if (type !== (block[at] << 8 | block[at + 1])) return false;
      if (rdata.length !== (block[at + 8] << 8 | block[at + 9])) return false;
      at += RECORD_FIXED_OCTETS + rdata.length;
    }
    return at === end;
  }
}

/** Writes the TTLs and RDATA of an owner whose records have their lengths. */
function write(block: Uint8Array, from: number, { records }: OwnerRecords): void {
  let at = from;
  for (const { ttl, rdata } of records) {
    at = skipName(block, at) + 4; // type and class stay
    block[at++] = ttl >>> 24;
    block[at++] = ttl >>> 16;
    block[at++] = ttl >>> 8;
    block[at++] = ttl;
    at += 2; // so does RDLENGTH
    for (let i = 0; i < rdata.length; i++) block[at++] = rdata[i];
  }
}
