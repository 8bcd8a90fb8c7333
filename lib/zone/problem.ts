/**
 * What is wrong with rows, owners and zones of a source, as it is told of. Pure.
 */

/** An error is not served as written; what is warned of is. */
export type Severity = "error" | "warning";

/** Something in the source that cannot be served as it stands, or hardly should be. */
export interface Problem {
  /** Zone name: the apex as text or, where the source's text stands for no zone, that. */
  readonly zone: string;
  /**
   * Which owner it belongs to, so that it goes away when that owner is read
   * again without it: the {@link canonicalKey}, or the source's text where that
   * is no name; {@link WHOLE_ZONE} for the zone.
   */
  readonly group: string;
  /**
   * The owner in its normal form: absolute, lower case, one form of escapes; null
   * for the zone, and for a row whose name is none in a source without normal forms.
   */
  readonly owner: string | null;
  /** What is meant: with an error, what is not served as written. */
  readonly scope: "row" | "owner" | "rrset" | "zone";
  readonly severity: Severity;
  /** The row or owner, as text; empty for a zone. */
  readonly name: string;
  /** RR TYPE as text; empty where the whole owner or zone is meant. */
  readonly type: string;
  /** The row's content, cut to {@link SHOWN_CHARACTERS}; empty where no one row is meant. */
  readonly content: string;
  /** Stable, kebab-case. */
  readonly code: string;
  readonly reason: string;
  /** What to do next; undefined when the reason says it. */
  readonly hint: string | undefined;
}

/** What is wrong, without where. */
export type Flaw = Pick<Problem, "code" | "reason" | "hint">;

/** The {@link Problem.group} of problems of the zone itself; no owner's key or text is this. */
export const WHOLE_ZONE = "zone";

/** The {@link Problem.group} of rows that belong to no zone. */
export const STRAY_ROWS = "rows";

/** Characters of a bad row's content that are shown. */
const SHOWN_CHARACTERS = 200;

/** A problem of the zone itself, or of its one RRset of `type`. */
export function zoneProblem(
  zone: string,
  what: Flaw & { readonly type?: "SOA"; readonly severity?: Severity; readonly group?: string },
): Problem {
  return {
    zone,
    group: WHOLE_ZONE,
    owner: null,
    scope: "zone",
    severity: "error",
    name: "",
    type: "",
    content: "",
    ...what,
  };
}

/** The group of an owner, by its key or, where it is no name, by its text. */
export function problemGroup(key: string | undefined, text: string): string {
  return key === undefined ? `text ${text.toLowerCase()}` : `key ${key}`;
}

/** A bad row's content as it is shown. */
export function shownContent(content: string): string {
  return content.length > SHOWN_CHARACTERS ? content.slice(0, SHOWN_CHARACTERS) + "…" : content;
}

/** Whether a problem keeps a row or an owner from being served as written. */
export function isBadRow({ scope, severity }: Problem): boolean {
  return severity === "error" && scope !== "zone";
}

/**
 * A number that two problems share only if they are the same: of one zone and
 * owner, with one code, and about the same row. The reason may differ.
 *
 * 53 bits: with ten thousand problems the odds that any two meet are 1 in 10^8.
 */
export function identityOf(problem: Problem): number {
  const { zone, group, scope, name, type, content, code } = problem;
  const text = [zone, group, scope, name, type, content, code].join("\x00");
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 2654435761);
    b = Math.imul(b ^ c, 1597334677);
  }
  a = Math.imul(a ^ a >>> 16, 2246822507) ^ Math.imul(b ^ b >>> 13, 3266489909);
  b = Math.imul(b ^ b >>> 16, 2246822507) ^ Math.imul(a ^ a >>> 13, 3266489909);
  return 4294967296 * (b & 0x1fffff) + (a >>> 0);
}
