/**
 * What a zone's build is given, what it is to obey, and what becomes of it. Types only.
 */
import type { Serial } from "../dns/mod.ts";
import type { BadRows } from "./checks.ts";
import type { GuardRules } from "./guard.ts";
import type { HeldPart } from "./held_part.ts";
import type { SerialPolicy } from "./serial_policy.ts";
import type { SoaSettings } from "./soa.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import type { ZoneVersion } from "./zone_version.ts";

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
  /** The zone's serial must be above these, whether a record changed or not. */
  readonly floors: readonly Serial[];
  /** The new one must be above these too, where there is one; none by default. */
  readonly ifChanged?: readonly Serial[];
}

/** What a build is to obey. */
export interface BuildRules extends SerialRules {
  /** What of a change is held; without it, nothing but a zone that would lose its NS. */
  readonly guard?: GuardRules;
  /** "keep" where it is not said. */
  readonly badRows?: BadRows;
  /** With "hold": whether rows are bad that were not read now. */
  readonly hasOtherBadRows?: boolean;
}

/** Owners in the source's normal form that were read; "all" stands for every owner. */
export type ReadOwners = ReadonlySet<string> | "all";

/** What became of a zone. */
export type BuildResult =
  /** Owners were read of a zone of which nothing is known: all of it must be read. */
  | { kind: "incomplete" }
  /** Owners were read beside those that are held, and must be judged with them. */
  | { kind: "together" }
  /** No record differs from what is served, but for what the guard holds. */
  | { kind: "unchanged"; held?: HeldPart; stays?: true }
  /** The zone as a whole cannot be served as the source has it; its problem was reported. */
  | { kind: "held" }
  | {
    kind: "changed";
    version: ZoneVersion;
    diff: ZoneDiff | undefined;
    /** What the guard holds. */
    held?: HeldPart;
    /** What it held, and an operator has approved. */
    released?: HeldPart;
    /** What is held beside the owners read stays so. */
    stays?: true;
  };
