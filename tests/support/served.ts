/** What a server serves of a zone, in a form that is easy to state in a test. */
import { query, type QueryType, type Server } from "./dns_client.ts";
import { DEADLINE_MS, until } from "./wait.ts";

/** The data of an RRset as sorted text; the RCODE where there is none, NODATA for an empty answer. */
export async function served(
  server: Server,
  name: string,
  type: QueryType,
): Promise<string | string[]> {
  const { rcode, answers } = await query(server, name, type);
  if (rcode !== "NOERROR") return rcode;
  if (!answers?.length) return "NODATA";
  return answers.map((answer) => "data" in answer ? String(answer.data) : "").sort();
}

/** Waits until a name's RRset is as stated. */
export async function untilServed(
  server: Server,
  name: string,
  type: QueryType,
  wanted: string | string[],
  timeoutMs = DEADLINE_MS,
): Promise<void> {
  let seen: string | string[] | undefined;
  await until(async () => {
    seen = await served(server, name, type);
    return JSON.stringify(seen) === JSON.stringify(wanted);
  }, { what: `${name} ${type} is ${wanted}`, timeoutMs, seen: () => seen });
}
