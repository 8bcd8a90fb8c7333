/** What most whole-system tests begin with: a database with the schema, a zone, zonecast serving it. */
import type postgres from "postgres";
import { serialOf, type Server } from "./dns_client.ts";
import type { TestPostgres } from "./postgres.ts";
import { DEADLINE_MS, until } from "./wait.ts";
import { startZonecast, type Zonecast, zonecastCli, type ZonecastOptions } from "./zonecast.ts";

export interface SourceDatabase {
  readonly url: string;
  readonly sql: postgres.Sql;
  /** A zonecast command on this source; it must succeed. Returns its standard output. */
  mustCli(args: readonly string[], input?: string): Promise<string>;
}

let databases = 0;

/** A fresh database with the schema applied, and zones `zones`, each with the two NS records of {@link NS}. */
export async function sourceDatabase(
  server: TestPostgres,
  zones: readonly string[],
): Promise<SourceDatabase> {
  const url = await server.createDatabase(`source${databases++}`);
  const sql = server.connect(url);
  const mustCli = (args: readonly string[], input?: string) => mustZonecast(url, args, input);
  await mustCli(["schema", "apply"]);
  for (const zone of zones) await sql`insert into zonecast.zones ${sql(zoneRow(zone))}`;
  await sql`insert into zonecast.records (zone, name, type, content)
    select name, '@', 'NS', ns from zonecast.zones, unnest(${[...NS]}::text[]) as ns`;
  return { url, sql, mustCli };
}

/** The name servers of every zone of {@link sourceDatabase}; no zone holds their addresses. */
export const NS = ["ns1.servers.example.", "ns2.servers.example."] as const;

function zoneRow(zone: string) {
  return {
    name: zone.replace(/\.$/, ""),
    mname: NS[0],
    rname: "hostmaster.servers.example.",
    default_ttl: 300,
  };
}

/** A command on a source that must succeed. Returns its standard output. */
export async function mustZonecast(
  source: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await zonecastCli(args, {
    env: { ZONECAST_SOURCE: source },
    input,
  });
  if (code === 0) return stdout;
  throw new Error(`zonecast ${args.join(" ")} exited with ${code}:\n${stderr}${stdout}`);
}

/** zonecast serving a source, once it has published all of `zones`. */
export async function serveZones(
  options: ZonecastOptions & { readonly zones: readonly string[] },
): Promise<Zonecast> {
  const server = await startZonecast({
    args: ["--allow-transfer", "127.0.0.1"],
    ...options,
  });
  try {
    for (const zone of options.zones) await newSerial(server, zone, undefined);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * The serial a server shows as soon as it is not `old` any more.
 *
 * @param old  undefined: any serial will do
 * @throws {Error} none in time; the new one is not above the old (RFC 1982)
 */
export async function newSerial(
  server: Server,
  zone: string,
  old: number | undefined,
  timeoutMs = DEADLINE_MS,
): Promise<number> {
  const serial = await until(async () => {
    const shown = await serialOf(server, zone);
    return shown !== old && shown;
  }, { what: `a serial of ${zone} other than ${old}`, timeoutMs, intervalMs: 5 });
  if (old !== undefined && ((serial - old) >>> 0) >= 2 ** 31) {
    throw new Error(`The serial of ${zone} fell from ${old} to ${serial}`);
  }
  return serial;
}
