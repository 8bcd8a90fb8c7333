/** Why a change is held, in words for an operator. Pure. */
import type { GuardFigures, GuardLimits, HoldReason } from "./guard.ts";

/** The reasons of a hold, with its figures, in one line. */
export function whyHeld(
  reasons: readonly HoldReason[],
  figures: GuardFigures,
  limits: GuardLimits,
): string {
  const some = reasons.filter((reason) => !isSaid(reason, reasons));
  return some.map((reason) => because(reason, figures, limits)).join("; ");
}

/** Whether another reason says it better. */
function isSaid(reason: HoldReason, reasons: readonly HoldReason[]): boolean {
  return reasons.includes("empty") && reason !== "empty";
}

function because(reason: HoldReason, figures: GuardFigures, limits: GuardLimits): string {
  const { owners, left, rrsets, replaced, nsRemoved, nsAdded } = figures;
  switch (reason) {
    case "shrink": {
      const gone = owners - left;
      return `${gone} of ${owners} owners would be gone, ${percent(gone / owners)} ` +
        `(--max-shrink ${percent(limits.maxShrink)})`;
    }
    case "change":
      return `${replaced} of ${rrsets} RRsets would be replaced or gone, ` +
        `${percent(replaced / rrsets)} (--max-change ${percent(limits.maxChange)})`;
    case "empty":
      return "no record would be left";
    case "no-ns":
      return "the zone would have no NS records at its apex";
    case "ns-set":
      return `the NS records of the apex would change by more than one: ` +
        `${nsRemoved} would go, ${nsAdded} would come`;
    case "zone-removed":
      return "the zone is gone from zones";
  }
}

/** A share for people, with a digit behind the point where it has one. */
function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10}%`;
}
