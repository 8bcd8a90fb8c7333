/** What `zonecast check --json` prints. Pure. */
import type { Forecast } from "../primary.ts";
import { listRecords } from "../zone/mod.ts";
import type { Baseline } from "./check_baseline.ts";
import { recordJson, records } from "./json_output.ts";
import { list, number, object, orNull, text, word, yesNo } from "./json_shape.ts";

const KINDS = ["unchanged", "first", "changed", "refused", "removed"];

export const CHECK_SHAPE = object("what would be published", {
  comparedWith: word("what is served now, by", ["server", "state file", "nothing"]),
  good: yesNo("whether all of it can be published"),
  zones: list(
    "each zone that is served or in the source",
    object("a zone", {
      zone: text("absolute"),
      outcome: word("what would become of it, apart from what is held", KINDS),
      serial: orNull(number("the serial served now")),
      records: orNull(number("records it would have, the SOA counted")),
      removed: records("records that would go; but for first versions all"),
      added: records("records that would come"),
      held: orNull(object("what the guard would hold", {
        id: text("stands for exactly this content"),
        reasons: list(
          "why",
          word("a reason", ["shrink", "change", "empty", "no-ns", "ns-set", "zone-removed"]),
        ),
        why: text("the same in words, with figures"),
        owners: number("owners that would be served as before"),
        removed: number("records of theirs that would go"),
        added: number("records of theirs that would come"),
      })),
    }),
  ),
  problems: list(
    "what cannot be served as written, or hardly should be",
    object("a problem", {
      zone: text("as the source has it"),
      severity: word("error: not served as written; warning: served", ["error", "warning"]),
      name: text("of the row or owner; empty where the zone is meant"),
      type: text("empty where the owner or the zone is meant"),
      content: text("empty where no one row is meant"),
      code: text("which problem, machine-readable"),
      reason: text("what is wrong"),
      hint: orNull(text("what to do")),
    }),
  ),
});

/** Whether all of it can be published; warnings do not hinder that. */
export function isGood({ zones, problems }: Forecast): boolean {
  return problems.every(({ severity }) => severity === "warning") &&
    zones.every(({ kind, hold }) => kind !== "refused" && !hold);
}

/** The report; its shape is {@link CHECK_SHAPE}. */
export function checkReport({ from }: Baseline, { zones, problems }: Forecast) {
  return {
    comparedWith: from,
    good: isGood({ zones, problems }),
    zones: zones.map(({ zone, kind, current, next, diff, hold }) => ({
      zone,
      outcome: kind,
      serial: current?.serial ?? null,
      records: (next ?? (kind === "removed" ? undefined : current))?.records ?? null,
      removed: diff ? Array.from(listRecords(diff.removed), recordJson) : [],
      added: diff ? Array.from(listRecords(diff.added), recordJson) : [],
      held: hold
        ? {
          id: hold.id,
          reasons: [...hold.reasons],
          why: hold.why,
          owners: hold.ownerCount,
          removed: hold.removedCount,
          added: hold.addedCount,
        }
        : null,
    })),
    problems: problems.map(({ zone, severity, name, type, content, code, reason, hint }) => ({
      zone,
      severity,
      name,
      type,
      content,
      code,
      reason,
      hint: hint ?? null,
    })),
  };
}
