/**
 * Problems as they travel over the control socket: one by one, then their numbers.
 * Pure.
 */
import { canonicalKey, parseName, ZonecastError } from "../dns/mod.ts";
import type { JsonObject } from "../ops/mod.ts";
import type { KnownProblem, ProblemCount } from "../zone/mod.ts";
import { notPublished } from "./errors.ts";
import type { ZoneName } from "./forms.ts";

/** One problem. */
export interface ListedProblem extends JsonObject {
  readonly zone: string;
  readonly severity: string;
  readonly scope: string;
  /** Of the row or owner as written; empty where the zone is meant. */
  readonly name: string;
  /** Empty where the owner or the zone is meant. */
  readonly type: string;
  /** Empty where no one row is meant. */
  readonly content: string;
  readonly code: string;
  readonly reason: string;
  readonly hint?: string;
  /** ISO 8601 in UTC. */
  readonly since: string;
}

/** How many there are, those that are not listed among them. */
export interface ProblemNumbers extends JsonObject {
  readonly errors: number;
  readonly warnings: number;
}

export type ProblemsPart =
  | { readonly problem: ListedProblem }
  | { readonly numbers: ProblemNumbers };

/** What is known of problems. */
export interface KnownProblems {
  readonly problems: Iterable<KnownProblem>;
  readonly counts: Iterable<ProblemCount>;
  /** Whether a zone, by its apex's key, is published. */
  isPublished(apexKey: string): boolean;
}

/**
 * The problems of a zone, or of all; their numbers last.
 *
 * @throws {CommandError} "zone-not-published": nothing is known of such a zone
 */
export function* problemsParts(
  { problems, counts, isPublished }: KnownProblems,
  zone: ZoneName | undefined,
): Generator<ProblemsPart, void> {
  const key = zone && canonicalKey(zone.apex);
  const isMeant = ({ zone: text }: { readonly zone: string }) =>
    key === undefined || keyOf(text) === key;
  const numbers = { errors: 0, warnings: 0 };
  for (const count of counts) {
    if (!isMeant(count)) continue;
    numbers.errors += count.errors;
    numbers.warnings += count.warnings;
  }
  if (zone && numbers.errors + numbers.warnings === 0 && !isPublished(key!)) {
    throw notPublished(zone);
  }
  for (const known of problems) {
    if (!isMeant(known)) continue;
    const { zone, severity, scope, name, type, content, code, reason, hint, since } = known;
    const problem = { zone, severity, scope, name, type, content, code, reason };
    const at = new Date(since).toISOString();
    yield { problem: { ...problem, ...hint !== undefined && { hint }, since: at } };
  }
  yield { numbers };
}

/** Numbers of problems of which no others are known. */
export function countProblems(problems: Iterable<KnownProblem>): ProblemCount[] {
  const counts = new Map<string, { zone: string; errors: number; warnings: number }>();
  for (const { zone, severity } of problems) {
    const count = counts.get(zone) ?? { zone, errors: 0, warnings: 0 };
    counts.set(zone, count);
    count[severity === "error" ? "errors" : "warnings"]++;
  }
  return [...counts.values()];
}

/** Problems of one zone come one after another, and name it alike. */
let [lastText, lastKey]: [string, string | undefined] = ["", undefined];

/** The key of a zone's text; undefined when that is no name. */
function keyOf(text: string): string | undefined {
  if (text === lastText) return lastKey;
  try {
    [lastText, lastKey] = [text, canonicalKey(parseName(text))];
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    [lastText, lastKey] = [text, undefined];
  }
  return lastKey;
}
