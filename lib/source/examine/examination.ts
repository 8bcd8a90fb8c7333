/** What the examiners of a Postgres source share. Types, and findings in short. */
import type { Finding, FindingVerdict } from "../../ops/mod.ts";
import type { Sql } from "../postgres_client.ts";

/** What an examiner gets. */
export interface Examined {
  readonly sql: Sql;
  /** Without secrets. */
  readonly description: string;
  /** The role connected as. */
  readonly role: string;
  readonly standby: boolean;
  /** Names of the relations of the schema that are there, without it: "records". */
  readonly relations: ReadonlySet<string>;
}

/** A finding about Postgres. */
export function found(
  check: string,
  verdict: FindingVerdict,
  text: string,
  fix?: string,
): Finding {
  return { check, subject: "postgres", verdict, text, fix };
}

/** A list for people: "a, b and 3 more". */
export function listed(items: readonly string[], most = 5): string {
  if (items.length <= most) return items.join(", ");
  return `${items.slice(0, most).join(", ")} and ${items.length - most} more`;
}
