/**
 * What an IXFR is answered with, as whoever keeps the journal gives it.
 *
 * Types only.
 */
import type { Serial } from "../dns/mod.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** The way from a client's serial to a version; or why there is none to send. */
export type Differences =
  | {
    readonly kind: "kept";
    /** Oldest first, each starting where the one before ends; one when condensed. */
    readonly sequences: readonly ZoneDiff[];
  }
  | { readonly kind: "none"; readonly reason: string };

/** Keeps differences. */
export interface DifferenceReader {
  /**
   * The differences that lead from a serial to exactly this version.
   *
   * Never rejects: whatever goes wrong is a reason to send the whole zone.
   */
  differences(version: ZoneVersion, fromSerial: Serial): Promise<Differences>;
}
