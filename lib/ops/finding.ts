/**
 * What an examination found: one thing, with a verdict and, where it is not good, what to do.
 * Types and order only.
 */

/**
 * - good: as it should be.
 * - warning: works, and may yet surprise.
 * - bad: something does not work, or will not.
 * - unknown: it could not be found out from here, and the text says why.
 */
export type FindingVerdict = "good" | "warning" | "bad" | "unknown";

export interface Finding {
  /** What was examined, stable and machine-readable: "triggers". */
  readonly check: string;
  /** Of whom: "postgres", "server", "machine", or the name of a secondary. */
  readonly subject: string;
  readonly verdict: FindingVerdict;
  /** What was found, one sentence without a full stop. */
  readonly text: string;
  /** What to do, for an operator; there for whatever is bad. */
  readonly fix?: string;
}

/** The worst of some verdicts, the unknown left aside; good for none. */
export function worstVerdict(findings: Iterable<Finding>): FindingVerdict {
  let worst: FindingVerdict = "good";
  for (const { verdict } of findings) {
    if (verdict === "bad") return "bad";
    if (verdict === "warning") worst = "warning";
  }
  return worst;
}
