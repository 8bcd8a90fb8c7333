/**
 * Finding the records of a name in a version.
 *
 * Pure. Spec: RFC 8020 and RFC 4592 §2.2.2 (a name with names below it exists,
 * though it owns no records).
 */
import { canonicalKey, type Name, type ResourceRecord } from "../dns/mod.ts";
import { getOwner } from "./diff.ts";
import { BELOW, compareOwner, findOwner, findPage } from "./page_read.ts";
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
  const order = orderOfNext(version.pages, key);
  const owner = order === 0 ? getOwner(version.pages, key) : undefined;
  if (key === version.apexKey) {
    return {
      kind: "found",
      owner: owner?.owner ?? version.apex,
      records: [version.soa, ...owner?.records ?? []],
    };
  }
  if (owner) return { kind: "found", owner: owner.owner, records: owner.records };
  return { kind: order === BELOW ? "empty" : "missing" };
}

/**
 * How the first owner at or after a name stands to it: 0 it is the name, {@link BELOW}
 * it lies below, positive it lies beyond; undefined there is none.
 */
function orderOfNext(pages: readonly Page[], key: string): number | undefined {
  if (pages.length === 0) return undefined;
  const at = findPage(pages, key);
  const index = findOwner(pages[at], key);
  if (index < pages[at].owners.length) return compareOwner(pages[at], index, key);
  return at + 1 < pages.length ? compareOwner(pages[at + 1], 0, key) : undefined;
}
