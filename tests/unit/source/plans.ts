/** The plans Postgres makes, as tests look at them. */
import type postgres from "postgres";

/** A node of EXPLAIN (FORMAT JSON). */
interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly Plans?: readonly Plan[];
}

function nodes(plan: Plan): string[] {
  const { "Node Type": type, "Relation Name": relation, "Index Name": index } = plan;
  const own = relation ?? index ? [`${type} on ${relation ?? index}`] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(nodes)];
}

/** "Node Type on relation" of every node of a query's plan that reads a table or an index. */
export async function scansOf(
  sql: postgres.Sql,
  query: string,
  parameters: string[] = [],
): Promise<string[]> {
  const [row] = await sql.unsafe(`explain (format json) ${query}`, parameters);
  const [{ Plan: plan }] = row["QUERY PLAN"] as { Plan: Plan }[];
  return nodes(plan).sort();
}
