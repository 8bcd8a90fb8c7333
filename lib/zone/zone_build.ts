/**
 * From what a source says of one zone to its next version.
 *
 * Owns: the rows read for the zone, until {@link ZoneBuild.finish}. Pure otherwise.
 */
import {
  canonicalKey,
  formatName,
  isAhead,
  type Name,
  parseName,
  type Serial,
  ZonecastError,
} from "../dns/mod.ts";
import { CandidateZone } from "./candidate.ts";
import { checkApex, checkOwners } from "./checks.ts";
import { compareOwners, firstVersion, nextVersion } from "./diff.ts";
import { equalRecords, type OwnerRecords } from "./owner_records.ts";
import type { OwnerChange } from "./page_edit.ts";
import { readOwners } from "./page_read.ts";
import { type Problem, readRow, type RowText, type RowZone } from "./rows.ts";
import { nextSerial, type SerialPolicy } from "./serial_policy.ts";
import { makeSoa, type SoaSettings } from "./soa.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import { withSerial, type ZoneVersion } from "./zone_version.ts";

/** A zone as a source has it. */
export interface BuildSettings extends SoaSettings {
  readonly name: string;
  /** The served serial must be above this one; null without. */
  readonly serialFloor: number | null;
}

/** How the next serial is chosen. */
export interface SerialRules {
  readonly policy: SerialPolicy;
  /** ms since the epoch. */
  readonly nowMs: number;
  readonly floors: readonly Serial[];
}

/** What became of a zone. */
export type BuildResult =
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
    const serial = this.#serial(current, rules);
    const soa = this.#soa(serial);
    if (!soa) return { kind: "held" };
    let apex: OwnerRecords | undefined;
    const zone = this.#zone;
    const owners = watch(
      checkOwners(this.#candidate.owners(), zone, current, (p) => this.problems.push(p)),
      (owner) => {
        if (owner.key === zone.apexKey) apex = owner;
      },
    );
    const changes: OwnerChange[] = [];
    for (const change of compareOwners(currentOwners(current), owners)) {
      if (change) changes.push(change);
      else yield;
    }
    const missing = checkApex(zone, apex);
    if (missing) {
      this.problems.push(missing);
      return { kind: "held" };
    }
    if (!current) {
      const version = yield* firstVersion(soa, changes.map(({ after }) => after!));
      return { kind: "changed", version, diff: undefined };
    }
    if (changes.length === 0 && !this.#soaDiffers(current, soa)) return { kind: "unchanged" };
    return { kind: "changed", ...nextVersion(current, changes, soa) };
  }

  #serial(current: ZoneVersion | undefined, rules: SerialRules): Serial {
    const { serialFloor } = this.settings;
    const floors = serialFloor === null ? rules.floors : [...rules.floors, serialFloor];
    return nextSerial(rules.policy, current?.serial, rules.nowMs, floors);
  }

  #soa(serial: Serial) {
    try {
      return makeSoa(this.apex, this.settings, serial);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      const { code, message, hint } = error;
      const zone = this.#zone.name;
      const reason = `${zone} has no SOA: ${message}`;
      this.problems.push({
        zone,
        scope: "zone",
        name: "",
        type: "SOA",
        content: "",
        code,
        reason,
        hint,
      });
      return undefined;
    }
  }

  /** Whether the SOA itself asks for a new version: other fields, or a floor above the serial. */
  #soaDiffers(current: ZoneVersion, soa: ReturnType<typeof makeSoa>): boolean {
    const { serialFloor } = this.settings;
    return !equalRecords(withSerial(soa, 0), withSerial(current.soa, 0)) ||
      serialFloor !== null && isAhead(serialFloor, current.serial);
  }
}

function currentOwners(current: ZoneVersion | undefined): Iterable<OwnerRecords> {
  return current ? readOwners(current.pages) : [];
}

/** The same sequence; each owner is shown to `see` as it passes. */
function* watch(
  owners: Iterable<OwnerRecords | undefined>,
  see: (owner: OwnerRecords) => void,
): Generator<OwnerRecords | undefined, void> {
  for (const owner of owners) {
    if (owner) see(owner);
    yield owner;
  }
}
