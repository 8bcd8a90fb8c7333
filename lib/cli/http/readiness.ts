/**
 * Whether the server does its work: what `/readyz` says.
 *
 * Ready means that zones are served and that changes can be published. A source that is away does
 * not make it unready: the last known zones are served, and no other instance would do better. Nor
 * do problems, held changes or secondaries that lag: what is served is right. Pure.
 */
import type { JsonObject } from "../../ops/mod.ts";
import type { SourceLink } from "../../source/mod.ts";

/** Something an operator should know, and what to do. */
export interface Remark extends JsonObject {
  readonly code: string;
  readonly reason: string;
  readonly hint?: string;
}

export interface Readiness extends JsonObject {
  readonly ready: boolean;
  /** Why it is not; empty when it is. */
  readonly reasons: Remark[];
  /** What else is not as it should be. */
  readonly remarks: Remark[];
}

/** What is looked at. */
export interface ReadinessInputs {
  readonly zones: number;
  readonly link: SourceLink;
  /** Why the last read failed. */
  readonly failure: string | undefined;
  /** Why the state file cannot be written; undefined when it can. */
  readonly stopped: { readonly reason: string; readonly hint?: string } | undefined;
}

export function readiness({ zones, link, failure, stopped }: ReadinessInputs): Readiness {
  const reasons: Remark[] = [];
  const remarks: Remark[] = [];
  if (zones === 0) {
    reasons.push({
      code: "no-zone",
      reason: link.up || failure === undefined
        ? "no zone is served"
        : `no zone is served, and none can be read: ${link.reason ?? failure}`,
      hint: link.up
        ? "add one with `zonecast zone add`; `zonecast status` shows what keeps those there are back"
        : link.hint ?? "see to it that the source can be reached",
    });
  }
  if (stopped) {
    reasons.push({
      code: "publication-stopped",
      reason: `nothing can be published: ${stopped.reason}`,
      hint: stopped.hint ?? "see to it that the state file can be written",
    });
  }
  if (!link.up) {
    remarks.push({
      code: "source-away",
      reason: `the source is away${link.reason ? `: ${link.reason}` : ""}`,
      hint: link.hint ?? "the zones as last published are served on; changes wait",
    });
  } else if (failure !== undefined && !stopped) {
    remarks.push({
      code: "read-failing",
      reason: `the last read failed: ${failure}`,
      hint: "the zones as last published are served on; it is tried again every few seconds",
    });
  }
  return { ready: reasons.length === 0, reasons, remarks };
}

/** The same for people, and for whoever looks at a probe's output. */
export function readinessText({ ready, reasons, remarks }: Readiness): string {
  const lines = [...reasons, ...remarks].map(({ reason, hint }) =>
    `- ${reason}${hint ? `\n  ${hint}` : ""}\n`
  );
  return (ready ? "ready\n" : "not ready\n") + lines.join("");
}
