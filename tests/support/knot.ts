/** Knot DNS as a secondary, and as a primary that serves master files. */
import type { Server } from "./dns_client.ts";
import { type DnsServer, launch, type SecondaryOptions } from "./dns_server.ts";

function serverSection(dir: string, addr: string, port: number): string {
  return `
server:
  rundir: "${dir}"
  listen: ${addr}@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: "${dir}"
template:
  - id: default
    storage: "${dir}"
acl:
  - id: loopback
    address: 127.0.0.0/8
    action: [notify, transfer]
`;
}

function secondaryConfiguration(options: SecondaryOptions): string {
  const { transferFrom = "127.0.0.1", writesFiles = true } = options;
  const zones = options.zones.map((zone) => `
  - domain: "${zone}"
    master: primary
    acl: loopback
    semantic-checks: off
    zonefile-sync: ${writesFiles ? 0 : -1}
`);
  return `
remote:
  - id: primary
    address: ${options.primary.addr}@${options.primary.port}
    via: ${transferFrom}
zone:${zones.join("")}`;
}

export function startKnot(options: SecondaryOptions): Promise<DnsServer> {
  return launch({
    name: "knot",
    program: "knotd",
    addr: options.addr,
    port: options.port,
    async configure({ dir, addr, port }) {
      const text = serverSection(dir, addr, port) + secondaryConfiguration(options);
      await Deno.writeTextFile(`${dir}/knot.conf`, text);
      return ["-c", `${dir}/knot.conf`];
    },
  });
}

export interface KnotPrimary extends DnsServer {
  /** Serves another content of the zone, and notifies. */
  load(zone: string, masterFile: string): Promise<void>;
}

/** Knot serving master files by zone name, notifying `secondaries` of each change. */
export async function startKnotPrimary(
  options: { zones: Record<string, string>; secondaries: readonly Server[] },
): Promise<KnotPrimary> {
  const ids = options.secondaries.map((_, index) => `secondary${index}`);
  const remotes = options.secondaries.map(({ addr, port }, index) => `
  - id: ${ids[index]}
    address: ${addr}@${port}
`);
  const zones = Object.keys(options.zones).map((zone) => `
  - domain: "${zone}"
    file: "${zone}zone"
    acl: loopback
${ids.length > 0 ? `    notify: [${ids.join(", ")}]` : ""}
    zonefile-load: difference
    journal-content: changes
`);
  const remoteSection = remotes.length > 0 ? `remote:${remotes.join("")}` : "";
  const server = await launch({
    name: "knot-primary",
    program: "knotd",
    async configure({ dir, addr, port }) {
      for (const [zone, text] of Object.entries(options.zones)) {
        await Deno.writeTextFile(`${dir}/${zone}zone`, text);
      }
      const text = `${serverSection(dir, addr, port)}${remoteSection}
zone:${zones.join("")}`;
      await Deno.writeTextFile(`${dir}/knot.conf`, text);
      return ["-c", `${dir}/knot.conf`];
    },
  });
  return Object.assign(server, {
    async load(zone: string, masterFile: string) {
      await Deno.writeTextFile(`${server.dir}/${zone}zone`, masterFile);
      server.signal("SIGHUP");
    },
  });
}
