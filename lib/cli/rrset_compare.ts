/**
 * Whether two servers have the same RRsets.
 *
 * Compared is what resolvers see: letter case of names counts for nothing (RFC 4343), the order of
 * records neither, TTLs count (RFC 2181 §5.2), unless they are left out. Pure.
 */
import {
  canonicalKey,
  canonicalRdata,
  compareOctets,
  equalNames,
  equalOctets,
  type Name,
  type ResourceRecord,
  TYPE,
} from "../dns/mod.ts";
import { normalizeOwner, type OwnerRecords } from "../zone/mod.ts";

/** An RRset that is not the same on both sides. */
export interface RRsetDifference {
  readonly owner: Name;
  readonly type: number;
  /** As we publish it; empty: we have none. */
  readonly ours: readonly ResourceRecord[];
  /** As the other server has it; empty: it has none. */
  readonly theirs: readonly ResourceRecord[];
}

/** What is left out of a comparison. */
export interface IgnoreRule {
  /** Undefined: of any owner. */
  readonly owner: Name | undefined;
  readonly type: number;
}

export interface CompareRules {
  readonly ignore: readonly IgnoreRule[];
  readonly ignoreTtl: boolean;
}

/** Whether an RRset is left out. */
export function isIgnored({ ignore }: CompareRules, owner: Name, type: number): boolean {
  return ignore.some((rule) =>
    rule.type === type && (rule.owner === undefined || equalNames(rule.owner, owner))
  );
}

/** The records of one owner by type; signatures by the type they cover. */
export function rrsetsOf(records: readonly ResourceRecord[]): Map<string, ResourceRecord[]> {
  const sets = new Map<string, ResourceRecord[]>();
  for (const record of records) {
    const { type, rdata } = record;
    const key = type === TYPE.RRSIG ? `${type} ${rdata[0] << 8 | rdata[1]}` : String(type);
    const set = sets.get(key);
    if (set) set.push(record);
    else sets.set(key, [record]);
  }
  return sets;
}

/** Whether two RRsets are the same to a resolver. */
export function equalRRsets(
  ours: readonly ResourceRecord[],
  theirs: readonly ResourceRecord[],
  { ignoreTtl }: Pick<CompareRules, "ignoreTtl">,
): boolean {
  if (ours.length !== theirs.length) return false;
  if (!ignoreTtl && ours.some(({ ttl }, index) => ttl !== theirs[index].ttl)) return false;
  const canonical = (records: readonly ResourceRecord[]) =>
    records.map(({ type, rdata }) => canonicalRdata(type, rdata)).sort(compareOctets);
  const [a, b] = [canonical(ours), canonical(theirs)];
  return a.every((octets, index) => equalOctets(octets, b[index]));
}

/** What differs between the records of one owner, and how many RRsets were compared. */
export function compareOwnerRecords(
  ours: readonly ResourceRecord[],
  theirs: readonly ResourceRecord[],
  rules: CompareRules,
): { differences: RRsetDifference[]; compared: number } {
  const [left, right] = [rrsetsOf(ours), rrsetsOf(normalizeOwner(theirs).records)];
  const differences: RRsetDifference[] = [];
  let compared = 0;
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const mine = left.get(key) ?? [];
    const other = right.get(key) ?? [];
    const [{ owner, type }] = mine.length > 0 ? mine : other;
    if (isIgnored(rules, owner, type)) continue;
    compared++;
    if (!equalRRsets(mine, other, rules)) {
      differences.push({ owner, type, ours: mine, theirs: other });
    }
  }
  return { differences, compared };
}

/** The records of another server, gathered in any order. */
export class GatheredZone {
  readonly #owners = new Map<string, ResourceRecord[]>();
  #records = 0;

  get records(): number {
    return this.#records;
  }

  add(record: ResourceRecord): void {
    const key = canonicalKey(record.owner);
    const records = this.#owners.get(key);
    if (records) records.push(record);
    else this.#owners.set(key, [record]);
    this.#records++;
  }

  /**
   * The differences from a zone, in its order; owners that it has not come last. Yields undefined
   * now and then as a place to pause. Empties what was gathered.
   *
   * @param owners  the zone, its SOA among the apex's records
   * @returns how many RRsets were compared
   */
  *compare(
    owners: Iterable<OwnerRecords>,
    rules: CompareRules,
  ): Generator<RRsetDifference | undefined, number> {
    let compared = 0;
    let passed = 0;
    const judge = function* (ours: readonly ResourceRecord[], theirs: readonly ResourceRecord[]) {
      const found = compareOwnerRecords(ours, theirs, rules);
      compared += found.compared;
      yield* found.differences;
      if (++passed % OWNERS_PER_PAUSE === 0) yield undefined;
    };
    for (const { key, records } of owners) {
      const theirs = this.#owners.get(key) ?? [];
      this.#owners.delete(key);
      yield* judge(records, theirs);
    }
    for (const key of [...this.#owners.keys()].sort()) yield* judge([], this.#owners.get(key)!);
    this.#owners.clear();
    return compared;
  }
}

/** Owners compared between two pauses. */
const OWNERS_PER_PAUSE = 512;
