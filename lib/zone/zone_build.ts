/**
 * From what a source says of one zone to its next version.
 *
 * Owns: the rows read for the zone, until {@link ZoneBuild.finish}. Pure otherwise.
 */
import { canonicalKey, formatName, type Name, parseName, type ResourceRecord } from "../dns/mod.ts";
import type {
  BuildResult,
  BuildRules,
  BuildSettings,
  ReadOwners,
  SerialRules,
} from "./build_rules.ts";
import { CandidateZone } from "./candidate.ts";
import { BelowDname } from "./below_dname.ts";
import { buildSerial, buildSoa, soaDiffers } from "./build_soa.ts";
import { checkApex, heldProblem } from "./checks.ts";
import { firstVersion, getOwner, nextVersion } from "./diff.ts";
import { guardedVersion, TOGETHER } from "./guarded_version.ts";
import { ownerChanges } from "./owner_changes.ts";
import { askOwners, keyOf } from "./owner_texts.ts";
import type { OwnerChange } from "./page_edit.ts";
import { afterThem, chain, firstOf } from "./paused.ts";
import { readPlainRow } from "./plain_row.ts";
import { FoundProblems, ProblemBudget } from "./found_problems.ts";
import { type Problem, problemGroup, WHOLE_ZONE, zoneProblem } from "./problem.ts";
import { readRow, type RowText, type RowZone } from "./rows.ts";
import { ServedRecords } from "./served_records.ts";
import { WireRecord } from "./wire_record.ts";
import type { ZoneVersion } from "./zone_version.ts";

export type {
  BuildResult,
  BuildRules,
  BuildSettings,
  ReadOwners,
  SerialRules,
} from "./build_rules.ts";

/** One zone being read and built. */
export class ZoneBuild {
  readonly apex: Name;
  readonly problems: FoundProblems;
  /** Whether {@link finish} has judged the owners read. */
  isJudged = false;
  readonly #zone: RowZone;
  readonly #candidate: CandidateZone;
  /** The records served now, to be ticked off; undefined where they are compared at the end. */
  #served: ServedRecords | undefined;
  /** Whose rows were added; undefined means those of all owners. */
  #owners: ReadonlySet<string> | undefined;
  /** Which DNAMEs there are; made when owners are judged. */
  #dnames: BelowDname | undefined;
  /** Problem groups that this build has the last word on; made when asked for. */
  #groups: Set<string> | undefined;
  /** Rows added. */
  #rows = 0;

  /**
   * @param maxRecords  a zone of more is held; what was read of it is let go, so that rows
   *   written by mistake, however many, take no memory
   * @throws {NameError} the zone's name is none
   */
  constructor(
    readonly settings: BuildSettings,
    readonly maxRecords: number = Infinity,
    budget = new ProblemBudget(),
  ) {
    const { name } = settings;
    this.problems = new FoundProblems(budget);
    this.apex = parseName(name);
    this.#zone = {
      name: formatName(this.apex),
      apex: this.apex,
      apexKey: canonicalKey(this.apex),
      defaultTtl: settings.defaultTtl,
    };
    this.#candidate = new CandidateZone(this.#zone);
  }

  /**
   * Has the rows of a read of everything compared with what is served as they come,
   * so that only those that differ are kept; yields as places to pause.
   *
   * @param current  the version that {@link finish} will be called with
   */
  *compareWith(current: ZoneVersion): Generator<undefined, void> {
    this.#served = new ServedRecords(current);
    yield* this.#served.index();
  }

  /** Says whose rows were added; without it, those of all owners. */
  limitTo(owners: ReadOwners): void {
    if (owners !== "all") this.#owners = owners;
  }

  /** How many owners' rows were added; undefined for those of all. */
  get coveredOwners(): number | undefined {
    return this.#owners?.size;
  }

  /** The problem groups that this build says all there is to say of, where these are not all. */
  *coveredGroups(): Generator<string, void> {
    yield WHOLE_ZONE;
    for (const text of this.#owners ?? []) yield problemGroup(keyOf(text), text);
  }

  /** The zone as its problems name it. */
  get zone(): string {
    return this.#zone.name;
  }

  /** {@link canonicalKey} of the apex. */
  get apexKey(): string {
    return this.#zone.apexKey;
  }

  /** Whether this build says all there is to say of a problem group. */
  covers(group: string): boolean {
    if (!this.#owners) return true;
    this.#groups ??= new Set(this.coveredGroups());
    return this.#groups.has(group);
  }

  /** Takes one row; a bad one becomes a problem. */
  add(row: RowText): void {
    if (++this.#rows > this.maxRecords) {
      if (this.#isFirstTooMany) this.#letGo();
      return;
    }
    if (!this.#read(row) || this.#served?.see(scratch)) return;
    this.#candidate.add(scratch);
  }

  get #isFirstTooMany(): boolean {
    return this.#rows === this.maxRecords + 1;
  }

  /** Forgets what was read: the zone will be held whatever else comes. */
  #letGo(): void {
    this.release();
    this.problems.clear();
  }

  /** Reads a row into {@link scratch}; false for a bad one. */
  #read(row: RowText): boolean {
    if (readPlainRow(row, this.#zone, scratch)) return true;
    const { apex, apexKey } = this.#zone;
    const read = readRow(row, this.#zone);
    if ("record" in read) {
      scratch.take(read.record, read.key, apexKey, apex);
      return true;
    }
    this.problems.push(read.problem);
    if (read.key?.startsWith(apexKey)) this.#candidate.trouble(read.key);
    return false;
  }

  /**
   * The zone's next version, in steps that may be paused between. Call once.
   *
   * @param current  the version served now; undefined for a zone's first
   */
  *finish(
    current: ZoneVersion | undefined,
    rules: BuildRules,
  ): Generator<unknown, BuildResult> {
    try {
      return yield* this.#finish(current, rules);
    } finally {
      this.release();
    }
  }

  /** Gives the memory of what was read back; {@link finish} does so too. */
  release(): void {
    this.#candidate.release();
    this.#served?.release();
    this.#served = undefined;
  }

  *#finish(
    current: ZoneVersion | undefined,
    rules: BuildRules,
  ): Generator<unknown, BuildResult> {
    if (!current && this.#owners) return { kind: "incomplete" };
    if (this.#rows > this.maxRecords) return this.#tooLarge();
    const report = (problem: Problem) => this.problems.push(problem);
    const serial = buildSerial(this.settings, current, rules);
    const soa = buildSoa(this.apex, this.zone, this.settings, serial, report);
    yield* this.#sort();
    const changes = this.#changes(current, rules, report);
    const first = yield* firstOf(changes);
    const missing = this.#apexProblem(current, first, rules);
    if (soa && missing) this.problems.push(missing);
    if (!soa || missing && !(current && rules.guard) || this.#mustHold(rules)) {
      // Owners are judged also when the zone is held, or their problems would seem solved.
      for (const _ of changes) yield;
      this.isJudged = true;
      return this.#lacksOwners ? { kind: "incomplete" } : this.#held(rules);
    }
    const result = yield* this.#make(current, soa, rules, chain(first, changes));
    this.isJudged = true;
    if (this.#lacksOwners) return { kind: "incomplete" };
    return this.#mustHold(rules) ? this.#held(rules) : result;
  }

  /** Whether owners must be judged that were not read: they lie below a DNAME that came or went. */
  get #lacksOwners(): boolean {
    return this.#owners !== undefined && this.#dnames?.hasChanged === true;
  }

  /** @param all  the changes; by them the build's problems are noted */
  *#make(
    current: ZoneVersion | undefined,
    soa: ResourceRecord,
    rules: BuildRules,
    all: Generator<OwnerChange | undefined>,
  ): Generator<unknown, BuildResult> {
    if (!current) {
      const version = yield* firstVersion(soa, afterThem(all));
      return { kind: "changed", version, diff: undefined };
    }
    if (!rules.guard) return yield* this.#next(current, soa, rules, all);
    let passes = 0;
    const guarded = yield* guardedVersion(
      current,
      rules.guard,
      () => passes++ === 0 ? all : this.#changes(current, rules, () => {}), // reported once
      (changes) => this.#next(current, soa, rules, changes),
      () => this.#dnames?.hasChanged === true,
    );
    if (guarded === TOGETHER) return { kind: "together" };
    const { result, ...rest } = guarded;
    return { ...result, ...rest };
  }

  /** The version that follows by these changes. */
  *#next(
    current: ZoneVersion,
    soa: ResourceRecord,
    { floors }: SerialRules,
    changes: Iterable<OwnerChange | undefined>,
  ): Generator<undefined, BuildResult> {
    const rest = changes[Symbol.iterator]();
    const first = yield* firstOf(rest);
    if (!first && !soaDiffers(this.settings, current, soa, floors)) return { kind: "unchanged" };
    const all = chain(first, { [Symbol.iterator]: () => rest });
    const next = yield* nextVersion(current, all, soa);
    // The SOA is no row.
    if (next.version.records - 1 > this.maxRecords) return this.#tooLarge();
    return { kind: "changed", ...next };
  }

  #tooLarge(): BuildResult {
    const { name } = this.#zone;
    this.problems.push(zoneProblem(name, {
      code: "zone-too-large",
      reason: `${name} has more than ${this.maxRecords.toLocaleString("en")} records in the source`,
      hint: "remove what is there by mistake, or raise --max-records",
    }));
    return { kind: "held" };
  }

  /** Whether bad rows, as far as they are known yet, keep the zone from being published. */
  #mustHold({ badRows, hasOtherBadRows }: BuildRules): boolean {
    return badRows === "hold" && (this.problems.firstBad !== undefined || hasOtherBadRows === true);
  }

  #held(rules: BuildRules): BuildResult {
    if (this.#mustHold(rules)) this.problems.push(heldProblem(this.#zone));
    return { kind: "held" };
  }

  /** Brings what was read into order, with the owners that were asked for. */
  *#sort(): Generator<undefined, void> {
    if (this.#owners) yield* askOwners(this.#owners, this.#zone, this.#candidate, scratch);
    yield* this.#candidate.sort();
  }

  /**
   * The owners that differ from what is served, among those read; undefined as a place
   * to pause. The same each time.
   */
  #changes(
    current: ZoneVersion | undefined,
    { badRows = "keep" }: BuildRules,
    report: (problem: Problem) => void,
  ): Generator<OwnerChange | undefined, void> {
    const served = this.#served;
    if (served && served.version !== current) {
      throw new RangeError("Cannot build zone: another version became current while it was read");
    }
    if (served?.all && this.#candidate.isEmpty) return nothing();
    const dnames = this.#dnames = new BelowDname(this.apexKey, current?.pages ?? []);
    return ownerChanges({
      zone: this.#zone,
      candidate: this.#candidate,
      served,
      isWhole: current !== undefined && !this.#owners,
      dnames,
      badRows,
      report,
    });
  }

  /** A zone needs NS records at its apex, in what was read or in what is served and not held. */
  #apexProblem(
    current: ZoneVersion | undefined,
    first: OwnerChange | undefined,
    { guard }: BuildRules,
  ): Problem | undefined {
    if (guard?.lacksNs) return checkApex(this.#zone, undefined);
    const { apexKey } = this.#zone;
    // The apex comes before all other owners.
    const apex = first?.key === apexKey ? first.after : current && getOwner(current.pages, apexKey);
    return checkApex(this.#zone, apex);
  }
}

/** No changes. */
function* nothing(): Generator<undefined, void> {}

/** The record of the row being read: one buffer serves all zones. */
const scratch = new WireRecord();
