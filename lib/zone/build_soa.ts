/**
 * The SOA record that a build's version gets. Pure.
 */
import {
  isAhead,
  isSerial,
  type Name,
  type ResourceRecord,
  type Serial,
  ZonecastError,
} from "../dns/mod.ts";
import type { BuildSettings, SerialRules } from "./build_rules.ts";
import { equalRecords } from "./owner_records.ts";
import { type Problem, zoneProblem } from "./problem.ts";
import { nextSerial } from "./serial_policy.ts";
import { makeSoa, SoaError } from "./soa.ts";
import { withSerial, type ZoneVersion } from "./zone_version.ts";

/** The serial of a version that follows another. */
export function buildSerial(
  { serialFloor }: BuildSettings,
  current: ZoneVersion | undefined,
  rules: SerialRules,
): Serial {
  const floors = [...rules.floors, ...rules.ifChanged ?? []];
  if (serialFloor !== null) floors.push(serialFloor);
  return nextSerial(rules.policy, current?.serial, rules.nowMs, floors);
}

/**
 * The SOA record with a serial; what keeps it from being made is reported.
 *
 * @param zone  the zone as its problems name it
 */
export function buildSoa(
  apex: Name,
  zone: string,
  settings: BuildSettings,
  serial: Serial,
  report: (problem: Problem) => void,
): ResourceRecord | undefined {
  try {
    checkFloor(settings);
    return makeSoa(apex, settings, serial);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    const { code, message, hint } = error;
    const reason = `${zone} has no SOA: ${message}`;
    report(zoneProblem(zone, { type: "SOA", code, reason, hint }));
    return undefined;
  }
}

function checkFloor({ serialFloor }: BuildSettings): void {
  if (serialFloor === null || isSerial(serialFloor)) return;
  throw new SoaError(
    "soa-serial-floor",
    `the zone's serial_floor is ${serialFloor}`,
    "use a whole number from 0 to 4294967295, or null for none",
  );
}

/** Whether the SOA itself asks for a new version: other fields, or a floor above the serial. */
export function soaDiffers(
  { serialFloor }: BuildSettings,
  current: ZoneVersion,
  soa: ResourceRecord,
  floors: readonly Serial[],
): boolean {
  return !equalRecords(withSerial(soa, 0), withSerial(current.soa, 0)) ||
    [...floors, serialFloor].some((floor) => floor !== null && isAhead(floor, current.serial));
}
