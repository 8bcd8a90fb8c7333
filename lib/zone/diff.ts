/**
 * Comparing zones owner by owner, and applying differences.
 *
 * Pure. Spec: RFC 1995 §4 for what a difference holds; DESIGN: equality is of
 * octets, so a changed TTL or letter case is a difference.
 */
import {
  canonicalKey,
  compareOctets,
  type ResourceRecord,
  type Serial,
  ZonecastError,
} from "../dns/mod.ts";
import { equalRecords, normalizeOwner, type OwnerRecords } from "./owner_records.ts";
import { buildPagesPaused } from "./page_build.ts";
import { editPages, editSteps, mergeSmall, type OwnerChange, type Paused } from "./page_edit.ts";
import { readOwners, readWholeOwner } from "./page_read.ts";
import { compareOwner, findOwner, findPage } from "./page_search.ts";
import type { Page } from "./page.ts";
import { listRecords, packRecords, RecordListWriter } from "./record_list.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import { ZoneVersion } from "./zone_version.ts";

/** A difference that does not fit the version it is applied to. */
export class DiffError extends ZonecastError {
  override readonly name = "DiffError";
}

/** Owners compared between two pauses. */
const OWNERS_PER_PAUSE = 256;

/**
 * The owners that differ between two sorted sequences, in canonical order;
 * undefined now and then as a place to pause.
 */
export function* compareOwners(
  before: Iterable<OwnerRecords>,
  after: Paused<OwnerRecords>,
): Generator<OwnerChange | undefined, void> {
  const old = before[Symbol.iterator]();
  let left = old.next();
  let compared = 0;
  for (const right of after) {
    if (right === undefined) {
      yield undefined;
      continue;
    }
    while (!left.done && left.value.key < right.key) {
      yield { key: left.value.key, before: left.value, after: undefined };
      left = old.next();
    }
    if (!left.done && left.value.key === right.key) {
      if (!equalOwners(left.value, right)) {
        yield { key: right.key, before: left.value, after: right };
      }
      left = old.next();
    } else yield { key: right.key, before: undefined, after: right };
    if (++compared % OWNERS_PER_PAUSE === 0) yield undefined;
  }
  for (; !left.done; left = old.next()) {
    yield { key: left.value.key, before: left.value, after: undefined };
  }
}

/** Whether two owners have the same records, octet for octet. */
export function equalOwners(a: OwnerRecords, b: OwnerRecords): boolean {
  return a.records.length === b.records.length &&
    a.records.every((record, i) => equalRecords(record, b.records[i]));
}

/** The records removed and added by changes of owners. */
export function differenceOf(
  changes: Iterable<OwnerChange>,
  fromSoa: ResourceRecord,
  toSoa: ResourceRecord,
): ZoneDiff {
  const difference = new DifferenceWriter();
  for (const change of changes) difference.add(change);
  return difference.finish(fromSoa, toSoa);
}

/** A difference put together owner by owner, in canonical order. */
class DifferenceWriter {
  readonly #removed = new RecordListWriter();
  readonly #added = new RecordListWriter();

  add({ before, after }: OwnerChange): void {
    compareRecordLists(before?.records ?? [], after?.records ?? [], this.#removed, this.#added);
  }

  finish(fromSoa: ResourceRecord, toSoa: ResourceRecord): ZoneDiff {
    return { fromSoa, toSoa, removed: this.#removed.finish(), added: this.#added.finish() };
  }
}

/** Where records go one by one. */
type RecordSink = Pick<RecordListWriter, "add">;

/** What leads from one list to another; both are sorted by type, then RDATA. */
export function compareRecordLists(
  before: readonly ResourceRecord[],
  after: readonly ResourceRecord[],
  removed: RecordSink,
  added: RecordSink,
): void {
  let a = 0;
  let b = 0;
  while (a < before.length || b < after.length) {
    const order = a === before.length
      ? 1
      : b === after.length
      ? -1
      : before[a].type - after[b].type || compareOctets(before[a].rdata, after[b].rdata);
    if (order < 0) removed.add(before[a++]);
    else if (order > 0) added.add(after[b++]);
    else {
      if (!equalRecords(before[a], after[b])) {
        removed.add(before[a]);
        added.add(after[b]);
      }
      a++;
      b++;
    }
  }
}

/**
 * A zone's first version; yields after each page as a place to pause.
 *
 * @param owners  in canonical order, without the SOA; every owner at or under the
 *   apex. They are taken as the pages fill: their octets need not last
 */
export function* firstVersion(
  soa: ResourceRecord,
  owners: Paused<OwnerRecords>,
): Generator<undefined, ZoneVersion> {
  const pages: Page[] = [];
  for (const page of buildPagesPaused(owners)) {
    if (page) pages.push(page);
    yield undefined;
  }
  return new ZoneVersion(soa, mergeSmall(pages, new Set(pages)));
}

/**
 * The version that follows when owners change, and the difference that leads to
 * it; yields as places to pause.
 *
 * @param changes  in canonical order; taken one by one, so that their octets need
 *   not last
 */
export function* nextVersion(
  current: ZoneVersion,
  changes: Paused<OwnerChange>,
  soa: ResourceRecord,
): Generator<undefined, { version: ZoneVersion; diff: ZoneDiff }> {
  const difference = new DifferenceWriter();
  const pages = yield* editSteps(current.pages, changes, (change) => difference.add(change));
  return {
    version: new ZoneVersion(soa, pages, current),
    diff: difference.finish(current.soa, soa),
  };
}

/** The difference that leads from one version to another. */
export function diffVersions(from: ZoneVersion, to: ZoneVersion): ZoneDiff {
  const changes: OwnerChange[] = [];
  for (const change of compareOwners(readOwners(from.pages), readOwners(to.pages))) {
    if (change) changes.push(change);
  }
  return differenceOf(changes, from.soa, to.soa);
}

/** The owner of a version with this key; undefined when it has none. Leaves the SOA out. */
export function getOwner(pages: readonly Page[], key: string): OwnerRecords | undefined {
  if (pages.length === 0) return undefined;
  const at = findPage(pages, key);
  const index = findOwner(pages[at], key);
  if (index === pages[at].owners.length || compareOwner(pages[at], index, key) !== 0) {
    return undefined;
  }
  return readWholeOwner(pages, at, index, key);
}

/**
 * The version a difference leads to.
 *
 * @throws {DiffError} the difference starts from another serial, removes a record
 *   that is not there, or adds one that is
 */
export function applyDiff(version: ZoneVersion, diff: ZoneDiff): ZoneVersion {
  if (!equalRecords(diff.fromSoa, version.soa)) {
    throw new DiffError("diff-other-soa", "Cannot apply difference: it starts from another SOA");
  }
  const edits = new Map<string, { removed: ResourceRecord[]; added: ResourceRecord[] }>();
  const editOf = (record: ResourceRecord) => {
    const key = canonicalKey(record.owner);
    let edit = edits.get(key);
    if (!edit) edits.set(key, edit = { removed: [], added: [] });
    return edit;
  };
  for (const record of listRecords(diff.removed)) editOf(record).removed.push(record);
  for (const record of listRecords(diff.added)) editOf(record).added.push(record);
  const changes = [...edits.keys()].sort().map((key): OwnerChange => {
    const before = getOwner(version.pages, key);
    return { key, before, after: editOwner(key, before, edits.get(key)!, version.serial) };
  });
  return new ZoneVersion(diff.toSoa, editPages(version.pages, changes));
}

function editOwner(
  key: string,
  before: OwnerRecords | undefined,
  edit: { removed: ResourceRecord[]; added: ResourceRecord[] },
  serial: Serial,
): OwnerRecords | undefined {
  const records = new Map<string, ResourceRecord>();
  for (const record of before?.records ?? []) records.set(octetText(record), record);
  for (const record of edit.removed) {
    if (!records.delete(octetText(record))) throw new DiffError("diff-not-there", missing(serial));
  }
  for (const record of edit.added) {
    const text = octetText(record);
    if (records.has(text)) throw new DiffError("diff-there-already", missing(serial));
    records.set(text, record);
  }
  if (records.size === 0) return undefined;
  const normal = normalizeOwner([...records.values()]).records;
  return { key, owner: normal[0].owner, records: normal };
}

const latin1 = new TextDecoder("latin1");

/** All octets of a record as a string; two records have the same only if they are the same. */
function octetText(record: ResourceRecord): string {
  return latin1.decode(packRecords([record]).octets);
}

function missing(serial: Serial): string {
  return `Cannot apply difference: it does not fit the records of serial ${serial}`;
}
