/** Values as they stand in the SQL of statements that go without parameters. Pure. */
import { literal } from "./postgres_client.ts";
import { arrayText } from "./postgres_rows.ts";

export { literal } from "./postgres_client.ts";

/** As the argument of jsonb_to_recordset. */
export function jsonb(value: unknown): string {
  return `${literal(JSON.stringify(value))}::jsonb`;
}

/** An array of texts. */
export function texts(values: readonly string[]): string {
  return `${literal(arrayText(values))}::text[]`;
}
