/**
 * Raising a zone's serial above another one without changing a record.
 *
 * Pure. Spec: RFC 1982 §3 (a serial is ahead of those up to 2^31 - 1 behind it,
 * so that a way longer than that takes two steps, and a secondary must have taken
 * the first before the second is taken).
 */
import {
  addSerial,
  compareSerials,
  isAhead,
  MAX_SERIAL_INCREMENT,
  type Serial,
} from "../dns/mod.ts";
import { NO_RECORDS } from "./record_list.ts";
import type { ZoneDiff } from "./zone_diff.ts";
import { withSerial, ZoneVersion } from "./zone_version.ts";

/** Where one step towards a serial above another leads. */
export type RaiseStep =
  /** It is above already. */
  | { readonly kind: "above" }
  /** There in one step. */
  | { readonly kind: "raise"; readonly serial: Serial }
  /** As far as one step may go; a second one leads there. */
  | { readonly kind: "halfway"; readonly serial: Serial };

/** The next step from a serial to the lowest above another; never to 0, as {@link nextSerial}. */
export function raiseStep(current: Serial, above: Serial): RaiseStep {
  if (isAhead(current, above)) return { kind: "above" };
  const target = firstAbove(above);
  if (isAhead(target, current)) return { kind: "raise", serial: target };
  const farthest = addSerial(current, MAX_SERIAL_INCREMENT);
  return {
    kind: "halfway",
    serial: farthest === 0 ? addSerial(current, MAX_SERIAL_INCREMENT - 1) : farthest,
  };
}

/**
 * Whether a server that shows a serial and would take the current version would
 * not take one of the next serial any more: it must have the current one first.
 */
export function wouldBeLeftBehind(shown: Serial, current: Serial, next: Serial): boolean {
  return compareSerials(shown, current) === -1 && !isAhead(next, shown);
}

/** The same zone under another serial, which must be ahead; its pages are shared. */
export function raisedVersion(
  previous: ZoneVersion,
  serial: Serial,
): { readonly version: ZoneVersion; readonly diff: ZoneDiff } {
  const soa = withSerial(previous.soa, serial);
  return {
    version: new ZoneVersion(soa, previous.pages),
    diff: { fromSoa: previous.soa, toSoa: soa, removed: NO_RECORDS, added: NO_RECORDS },
  };
}

function firstAbove(serial: Serial): Serial {
  const next = addSerial(serial, 1);
  return next === 0 ? 1 : next;
}
