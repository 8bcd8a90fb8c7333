/**
 * From what a source says of one zone to its next version.
 *
 * Owns: the rows read for the zone, until {@link ZoneBuild.finish}. Pure otherwise.
 */
import {
  canonicalKey,
  formatName,
  isAhead,
  isSerial,
  type Name,
  parseName,
  type Serial,
  ZonecastError,
} from "../dns/mod.ts";
import { CandidateZone } from "./candidate.ts";
import { checkApex, checkOwners } from "./checks.ts";
import { compareOwners, firstVersion, getOwner, nextVersion } from "./diff.ts";
import { equalRecords, type OwnerRecords } from "./owner_records.ts";
import type { OwnerChange } from "./page_edit.ts";
import { readOwners } from "./page_read.ts";
import {
  type Problem,
  problemGroup,
  readRow,
  type RowText,
  type RowZone,
  WHOLE_ZONE,
  zoneProblem,
} from "./rows.ts";
import { nextSerial, type SerialPolicy } from "./serial_policy.ts";
import { makeSoa, SoaError, type SoaSettings } from "./soa.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import { withSerial, type ZoneVersion } from "./zone_version.ts";

/** A zone as a source has it. */
export interface BuildSettings extends SoaSettings {
  /** Presentation format; a missing trailing dot is allowed. */
  readonly name: string;
  /** The served serial must be above this one (set by an import); null without. */
  readonly serialFloor: number | null;
}

/** How the next serial is chosen. */
export interface SerialRules {
  readonly policy: SerialPolicy;
  /** ms since the epoch. */
  readonly nowMs: number;
  readonly floors: readonly Serial[];
}

/** Owners in the source's normal form that were read; "all" stands for every owner. */
export type ReadOwners = ReadonlySet<string> | "all";

/** What became of a zone. */
export type BuildResult =
  /** Owners were read of a zone of which nothing is known: all of it must be read. */
  | { kind: "incomplete" }
  /** No record differs from what is served. */
  | { kind: "unchanged" }
  /** The zone as a whole cannot be served as the source has it; its problem was reported. */
  | { kind: "held" }
  | { kind: "changed"; version: ZoneVersion; diff: ZoneDiff | undefined };

/** One zone being read and built. */
export class ZoneBuild {
  readonly apex: Name;
  readonly problems: Problem[] = [];
  readonly #zone: RowZone;
  readonly #candidate = new CandidateZone();
  /** Problem groups that this build has the last word on; undefined means all. */
  #groups: Set<string> | undefined;
  /** Keys of the owners read, as far as they are names; undefined means all. */
  #keys: Set<string> | undefined;

  /**
   * @throws {NameError} the zone's name is none
   */
  constructor(readonly settings: BuildSettings) {
    const { name } = settings;
    this.apex = parseName(name);
    this.#zone = {
      name: formatName(this.apex),
      apex: this.apex,
      apexKey: canonicalKey(this.apex),
      defaultTtl: settings.defaultTtl,
    };
  }

  /** Says whose rows were added; without it, those of all owners. */
  limitTo(owners: ReadOwners): void {
    if (owners === "all") return;
    this.#groups = new Set([WHOLE_ZONE]);
    this.#keys = new Set();
    for (const text of owners) this.#cover(text, this.#groups, this.#keys);
  }

  #cover(text: string, groups: Set<string>, keys: Set<string>): void {
    let key: string | undefined;
    try {
      key = canonicalKey(parseName(text));
      if (key.startsWith(this.#zone.apexKey)) keys.add(key);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error; // rows of such an owner are bad rows
    }
    groups.add(problemGroup(key, text));
  }

  /** {@link canonicalKey} of the apex. */
  get apexKey(): string {
    return this.#zone.apexKey;
  }

  /** Whether this build says all there is to say of a problem group. */
  covers(group: string): boolean {
    return this.#groups === undefined || this.#groups.has(group);
  }

  /** Takes one row; a bad one becomes a problem. */
  add(row: RowText): void {
    const read = readRow(row, this.#zone);
    if ("record" in read) {
      this.#candidate.add(read.key, read.record);
      return;
    }
    this.problems.push(read.problem);
    if (read.key?.startsWith(this.#zone.apexKey)) this.#candidate.add(read.key, undefined);
  }

  /**
   * The zone's next version, in steps that may be paused between.
   *
   * @param current  the version served now; undefined for a zone's first
   */
  *finish(
    current: ZoneVersion | undefined,
    rules: SerialRules,
  ): Generator<unknown, BuildResult> {
    if (!current && this.#keys) return { kind: "incomplete" };
    const serial = this.#serial(current, rules);
    const soa = this.#soa(serial);
    // Owners are judged also when the zone is held, or their problems would seem solved.
    const changes = yield* this.#changes(current);
    if (!soa) return { kind: "held" };
    const missing = this.#apexProblem(current, changes);
    if (missing) {
      this.problems.push(missing);
      return { kind: "held" };
    }
    if (!current) {
      const version = yield* firstVersion(soa, changes.map(({ after }) => after!));
      return { kind: "changed", version, diff: undefined };
    }
    if (changes.length === 0 && !this.#soaDiffers(current, soa, rules.floors)) {
      return { kind: "unchanged" };
    }
    return { kind: "changed", ...(yield* nextVersion(current, changes, soa)) };
  }

  /** The owners that differ from what is served, among those read. */
  *#changes(current: ZoneVersion | undefined): Generator<undefined, OwnerChange[]> {
    const checked = checkOwners(
      this.#candidate.owners(),
      this.#zone,
      current,
      (problem) => this.problems.push(problem),
    );
    const changes: OwnerChange[] = [];
    const compared = current && this.#keys
      ? yield* comparePart(current, checked, this.#keys)
      : compareOwners(current ? readOwners(current.pages) : [], checked);
    for (const change of compared) {
      if (change) changes.push(change);
      else yield;
    }
    return changes;
  }

  /** A zone needs NS records at its apex, in what was read or in what is served. */
  #apexProblem(
    current: ZoneVersion | undefined,
    changes: readonly OwnerChange[],
  ): Problem | undefined {
    const { apexKey } = this.#zone;
    const change = changes.find(({ key }) => key === apexKey);
    const apex = change ? change.after : current && getOwner(current.pages, apexKey);
    return checkApex(this.#zone, apex);
  }

  #serial(current: ZoneVersion | undefined, rules: SerialRules): Serial {
    const { serialFloor } = this.settings;
    const floors = serialFloor === null ? rules.floors : [...rules.floors, serialFloor];
    return nextSerial(rules.policy, current?.serial, rules.nowMs, floors);
  }

  #soa(serial: Serial) {
    try {
      this.#checkFloor();
      return makeSoa(this.apex, this.settings, serial);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      const { code, message, hint } = error;
      const zone = this.#zone.name;
      const reason = `${zone} has no SOA: ${message}`;
      this.problems.push(zoneProblem(zone, { type: "SOA", code, reason, hint }));
      return undefined;
    }
  }

  #checkFloor(): void {
    const { serialFloor } = this.settings;
    if (serialFloor === null || isSerial(serialFloor)) return;
    throw new SoaError(
      "soa-serial-floor",
      `the zone's serial_floor is ${serialFloor}`,
      "use a whole number from 0 to 4294967295, or null for none",
    );
  }

  /** Whether the SOA itself asks for a new version: other fields, or a floor above the serial. */
  #soaDiffers(
    current: ZoneVersion,
    soa: ReturnType<typeof makeSoa>,
    floors: readonly Serial[],
  ): boolean {
    const { serialFloor } = this.settings;
    return !equalRecords(withSerial(soa, 0), withSerial(current.soa, 0)) ||
      [...floors, serialFloor].some((floor) => floor !== null && isAhead(floor, current.serial));
  }
}

/** Compares the owners read, and those that rows came for, with what is served at their keys. */
function* comparePart(
  current: ZoneVersion,
  checked: Iterable<OwnerRecords | undefined>,
  keys: ReadonlySet<string>,
): Generator<undefined, Iterable<OwnerChange | undefined>> {
  const wanted: OwnerRecords[] = [];
  const all = new Set(keys);
  for (const owner of checked) {
    if (!owner) {
      yield;
      continue;
    }
    wanted.push(owner);
    all.add(owner.key);
  }
  return compareOwners(servedOwners(current, [...all].sort()), wanted);
}

/** What is served at these keys, in their order. */
function* servedOwners(current: ZoneVersion, keys: readonly string[]): Generator<OwnerRecords> {
  for (const key of keys) {
    const owner = getOwner(current.pages, key);
    if (owner) yield owner;
  }
}
