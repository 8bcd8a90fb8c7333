/**
 * Which serial the next version gets.
 *
 * Pure: takes the time. Spec: RFC 1982 (serials on a circle), RFC 1912 §2.2
 * (the date form).
 */
import { addSerial, compareSerials, isAhead, type Serial } from "../dns/mod.ts";

/** How serials are chosen; each gives a serial ahead of the one before. */
export type SerialPolicy = "unixtime" | "increment" | "date";

/** All policies, for flags. */
export const SERIAL_POLICIES: readonly SerialPolicy[] = ["unixtime", "increment", "date"];

/**
 * The serial of the next version: what the policy wants where that is ahead of
 * the last one, else the last one plus 1; above every floor that can be passed.
 *
 * Never 0, which some secondaries take for "no serial".
 *
 * @param previous  the serial served now; undefined for a zone's first version
 * @param nowMs  ms since the epoch
 * @param floors  serials the new one must be above; one that RFC 1982 does not
 *   let us reach from `previous` in a single step is left out
 */
export function nextSerial(
  policy: SerialPolicy,
  previous: Serial | undefined,
  nowMs: number,
  floors: readonly Serial[] = [],
): Serial {
  let serial = wanted(policy, previous, nowMs);
  if (previous !== undefined && !isAhead(serial, previous)) serial = addSerial(previous, 1);
  for (const floor of floors) {
    const above = addSerial(floor, 1);
    const order = compareSerials(serial, floor);
    if (order === 1 || order === undefined) continue;
    if (previous === undefined || isAhead(above, previous)) serial = above;
  }
  return serial === 0 ? 1 : serial;
}

function wanted(policy: SerialPolicy, previous: Serial | undefined, nowMs: number): Serial {
  if (policy === "unixtime") return Math.floor(nowMs / 1000) % 2 ** 32;
  if (policy === "increment") return previous === undefined ? 1 : addSerial(previous, 1);
  const now = new Date(nowMs);
  const date = now.getUTCFullYear() * 10_000 + (now.getUTCMonth() + 1) * 100 + now.getUTCDate();
  return date * 100;
}
