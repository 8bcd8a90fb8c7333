/**
 * Which owners lie below a DNAME, where nobody could see them: an answer for a
 * name there comes from the DNAME.
 *
 * Knot refuses a zone that has any. Whether a DNAME stands above an owner is a
 * matter of what is served there, so an owner is asked about after those above it.
 * Owns: what was decided in one build. Spec: RFC 6672 §2.4.
 */
import { TYPE } from "../dns/mod.ts";
import { getOwner } from "./diff.ts";
import type { OwnerRecords } from "./owner_records.ts";
import type { Page } from "./page.ts";

export class BelowDname {
  /** Owners that had a DNAME or are to have one, decided in this build: whether they have. */
  readonly #decided = new Map<string, boolean>();
  /** The last name asked about that was another's parent, and the key of the DNAME there or above. */
  #parent = "";
  #above: string | undefined;
  /** The last owner that was given a DNAME it did not have: all served below it goes. */
  #new: string | undefined;
  /** Whether a DNAME came or went. */
  hasChanged = false;

  /** @param pages  of the version served now; none for a zone's first */
  constructor(readonly apexKey: string, readonly pages: readonly Page[]) {}

  /** The key of the DNAME that an owner, by its key, lies below; undefined when there is none. */
  above(key: string): string | undefined {
    if (key.length <= this.apexKey.length) return undefined;
    const parent = parentOf(key);
    if (parent !== this.#parent || parent === "") {
      this.#above = this.#at(parent);
      this.#parent = parent;
    }
    return this.#above;
  }

  /** Whether what is served in a page, or of an owner, by its first key, may have come to lie below one. */
  mayBeNewlyBelow(key: string): boolean {
    return this.#new !== undefined && key.startsWith(this.#new);
  }

  /** An owner becomes this; in canonical order. */
  decide(key: string, before: OwnerRecords | undefined, after: OwnerRecords | undefined): void {
    const had = hasDname(before);
    const has = hasDname(after);
    if (!had && !has) return;
    this.#decided.set(key, has);
    if (had === has) return;
    this.hasChanged = true;
    if (has) this.#new = key;
  }

  /** The key of the DNAME at a name or above it. */
  #at(key: string): string | undefined {
    // From the apex down: the highest hides all below.
    for (let end = this.apexKey.length; end <= key.length; end = key.indexOf("\x00", end) + 1) {
      const name = key.slice(0, end);
      if (this.#decided.get(name) ?? hasDname(getOwner(this.pages, name))) return name;
      if (end === key.length) break;
    }
    return undefined;
  }
}

function hasDname(owner: OwnerRecords | undefined): boolean {
  return owner !== undefined && owner.records.some(({ type }) => type === TYPE.DNAME);
}

/** The key of the name one label up: keys end each label, from the root down, with a zero. */
function parentOf(key: string): string {
  return key.slice(0, key.lastIndexOf("\x00", key.length - 2) + 1);
}
