/**
 * Finding the records of a name in a version.
 *
 * Pure. Spec: RFC 8020 and RFC 4592 §2.2.2 (a name with names below it exists,
 * though it owns no records).
 */
import { canonicalKey, type Name, type ResourceRecord } from "../dns/mod.ts";
import { getOwner } from "./diff.ts";
import { findOwner, findPage, ownerName } from "./page_read.ts";
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
  const owner = getOwner(version.pages, key);
  if (key === version.apexKey) {
    return {
      kind: "found",
      owner: owner?.owner ?? version.apex,
      records: [version.soa, ...owner?.records ?? []],
    };
  }
  if (owner) return { kind: "found", owner: owner.owner, records: owner.records };
  return hasNamesBelow(version, key) ? { kind: "empty" } : { kind: "missing" };
}

/** Whether an owner stands below a name that owns no records itself. */
function hasNamesBelow(version: ZoneVersion, key: string): boolean {
  const { pages } = version;
  if (pages.length === 0) return false;
  const at = findPage(pages, key);
  const index = findOwner(pages[at], key);
  const next = index < pages[at].owners.length
    ? canonicalKey(ownerName(pages[at], index))
    : pages[at + 1]?.firstKey;
  return next !== undefined && next.startsWith(key);
}
