/**
 * What changed between two versions of a zone.
 *
 * Pure. Spec: RFC 1995 §4 (a difference sequence: old SOA, records removed,
 * new SOA, records added).
 */
import type { ResourceRecord } from "../dns/mod.ts";
import type { RecordList } from "./record_list.ts";

/**
 * The step from one version to the next. The SOA records stand in no list.
 * A record that changed its TTL or the case of a name is in both lists.
 */
export interface ZoneDiff {
  /** SOA of the version the difference starts from. */
  readonly fromSoa: ResourceRecord;
  /** SOA of the version it leads to. */
  readonly toSoa: ResourceRecord;
  /** In canonical order. */
  readonly removed: RecordList;
  /** In canonical order. */
  readonly added: RecordList;
}
