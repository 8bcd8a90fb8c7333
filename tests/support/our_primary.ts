/** Our own server in this process, serving master files. */
import { parseName } from "../../lib/dns/mod.ts";
import { createLogger } from "../../lib/ops/mod.ts";
import { DnsServer, type DnsServerOptions } from "../../lib/server/mod.ts";
import { readMasterFile, ZoneTable, type ZoneVersion } from "../../lib/zone/mod.ts";
import type { Server } from "./dns_client.ts";
import type { ZoneFiles } from "./file_primaries.ts";
import { versionOf } from "./zone_version.ts";

/** The version a master file makes. */
export function versionOfFile(zone: string, text: string): ZoneVersion {
  const origin = parseName(zone);
  const { records, soa } = readMasterFile(text, { file: `${zone}zone`, origin });
  if (!soa) throw new Error(`${zone} has no SOA record`);
  return versionOf(records.filter((record) => record !== soa), soa);
}

export interface OurPrimary extends Server, AsyncDisposable {
  readonly zones: ZoneTable;
}

/** Starts it on a free port of loopback. */
export async function startOurPrimary(
  files: ZoneFiles,
  options: Partial<DnsServerOptions> = {},
): Promise<OurPrimary> {
  const zones = new ZoneTable();
  for (const [zone, text] of Object.entries(files)) zones.set(versionOfFile(zone, text));
  const server = new DnsServer({
    zones,
    listen: [{ ip: "127.0.0.1", port: 0 }],
    secondaries: [],
    allowTransfer: [],
    log: createLogger({ format: "text", level: "error", journal: false }),
    ...options,
  });
  await server.start();
  const [{ ip, port }] = server.addresses;
  return {
    addr: ip,
    port,
    zones,
    [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }),
  };
}
