/** What a running server answers about what is held. */
import type { ControlRequest, JsonValue } from "../ops/mod.ts";
import type { Primary } from "../primary.ts";
import type { ZoneTable, ZoneVersion } from "../zone/mod.ts";
import { ZONE } from "./forms.ts";
import { heldOf, type HeldStatus } from "./held_status.ts";
import { differencesParts } from "./history_parts.ts";

/** How long an approval is waited for, in ms: reading a large zone again takes some seconds. */
const APPROVAL_WAIT_MS = 8_000;

/**
 * All that is held, or that of the zone asked for.
 *
 * @throws {CommandError} "zone-not-published"
 */
export function heldParts(
  { primary, zones }: { readonly primary: Primary; readonly zones: ZoneTable },
  request: ControlRequest,
): HeldStatus[] {
  const zone = request.zone === undefined ? undefined : ZONE.parse(String(request.zone));
  return heldOf(primary.status().held, zone, ({ apex }) => zones.get(apex) !== undefined);
}

/** The first records of what is held of a zone, as one difference; none where they are not known. */
export function heldDifference(primary: Primary, { soa, apexKey }: ZoneVersion) {
  const hold = primary.status().held.find((one) => one.apexKey === apexKey);
  return differencesParts(
    hold?.difference && [{ fromSoa: soa, toSoa: soa, ...hold.difference }],
  );
}

/** Approves what is held, and says what became of it, as far as that is soon known. */
export async function approve(primary: Primary, request: ControlRequest): Promise<JsonValue[]> {
  const { apex } = ZONE.parse(String(request.zone));
  const verdict = await primary.approve(apex, String(request.id), APPROVAL_WAIT_MS);
  if (!verdict) return [{ state: "approved" }];
  const { serial, held } = verdict;
  return [serial === undefined ? { state: "changed", held } : { state: "released", serial }];
}
