/**
 * Finding the records of a name in a version.
 *
 * Pure. Spec: RFC 8020 and RFC 4592 §2.2.2 (a name with names below it exists,
 * though it owns no records).
 */
import { canonicalKey, type Name, type ResourceRecord } from "../dns/mod.ts";
import { BELOW, compareOwner, findOwner, findPage, readWholeOwner } from "./page_read.ts";
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
 */
export function lookupOwner(version: ZoneVersion, name: Name): Lookup {
  const key = canonicalKey(name);
  const found = lookupKey(version.pages, key);
  if (key !== version.apexKey) return found;
  const { owner, records } = found.kind === "found" ? found : { owner: version.apex, records: [] };
  return { kind: "found", owner, records: [version.soa, ...records] };
}

const EMPTY: Lookup = { kind: "empty" };
const MISSING: Lookup = { kind: "missing" };

/** What stands at a name, the SOA left out: told by the first owner at or after it. */
function lookupKey(pages: readonly Page[], key: string): Lookup {
  if (pages.length === 0) return MISSING;
  let at = findPage(pages, key);
  let index = findOwner(pages[at], key);
  if (index === pages[at].owners.length) {
    if (++at === pages.length) return MISSING;
    index = 0;
  }
  const order = compareOwner(pages[at], index, key);
  if (order !== 0) return order === BELOW ? EMPTY : MISSING;
  const { owner, records } = readWholeOwner(pages, at, index, key);
  return { kind: "found", owner, records };
}
