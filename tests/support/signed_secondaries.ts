/** The four servers as secondaries with TSIG, configured by the very lines `zonecast keygen` prints. */
import type { Server } from "./dns_client.ts";
import { type DnsServer, launch, type SecondaryKind } from "./dns_server.ts";
import { readPdnsSchema } from "./pdns.ts";
import { DatabaseSync } from "node:sqlite";
import { mustRun, which } from "./processes.ts";

/** What keygen printed for one key, by what stands above each part. */
export interface KeyLines {
  /** The whole. */
  readonly text: string;
  part(heading: string): string;
}

/** The parts of keygen's output, without the blanks they are indented by. */
export function readKeyLines(text: string): KeyLines {
  return {
    text,
    part(heading) {
      const [, after] = text.split(`\n${heading}:\n`);
      if (after === undefined) throw new Error(`keygen prints nothing for ${heading}:\n${text}`);
      return after.split("\n\n")[0].replaceAll(/^ {4}/gm, "");
    },
  };
}

/** A zone of a secondary, at its primary, with the lines of its key. */
export interface SignedZone extends Server {
  readonly zone: string;
  readonly lines: KeyLines;
}

/** Puts names and addresses where keygen's lines leave them open. */
function filled(text: string, zone: SignedZone, address: (server: Server) => string) {
  return text.replaceAll("ZONECAST", address(zone)).replaceAll("ZONE", zone.zone);
}

function nsdConfiguration(zones: readonly SignedZone[], dir: string, addr: string, port: number) {
  const own = zones.map((each) =>
    filled(each.lines.part("NSD, nsd.conf"), each, ({ addr, port }) => `${addr}@${port}`)
      // NOTIFY comes from a port of its own.
      .replace(/(allow-notify: [0-9.]+)@[0-9]+/, "$1")
  );
  return `server:
  ip-address: ${addr}@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${dir}"
  database: ""
  zonelistfile: "${dir}/zone.list"
  pidfile: "${dir}/nsd.pid"
  xfrdfile: "${dir}/xfrd.state"
  xfrdir: "${dir}"
  xfrd-reload-timeout: 0
  zonefiles-write: 0
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  verbosity: 2
remote-control:
  control-enable: no
${own.join("\n")}
`;
}

function knotConfiguration(zones: readonly SignedZone[], dir: string, addr: string, port: number) {
  const own = zones.map((each, index) =>
    filled(each.lines.part("Knot, knot.conf"), each, ({ addr, port }) => `${addr}@${port}`)
      .replace(/(acl:\n.*\n\s*address: [0-9.]+)@[0-9]+/, "$1")
      // One remote and one list for each zone.
      .replaceAll(/\b(id|master|acl): zonecast$/gm, `$1: zonecast${index}`)
  );
  return `server:
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
    zonefile-sync: -1
${own.join("\n")}
`;
}

function bindConfiguration(zones: readonly SignedZone[], dir: string, addr: string, port: number) {
  const own = zones.map((each) =>
    filled(each.lines.part("BIND, named.conf"), each, ({ addr, port }) => `${addr} port ${port}`)
  );
  return `options {
  directory "${dir}";
  pid-file none;
  session-keyfile "${dir}/session.key";
  listen-on port ${port} { ${addr}; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  notify no;
  serial-query-rate 1000;
  transfers-in 100;
  transfers-per-ns 100;
  min-refresh-time 1;
  min-retry-time 1;
};
controls { };
${own.join("\n")}
`;
}

function pdnsConfiguration(dir: string, addr: string, port: number): string {
  return `launch=gsqlite3
gsqlite3-database=${dir}/pdns.sqlite3
gsqlite3-pragma-synchronous=0
local-address=${addr}
local-port=${port}
socket-dir=${dir}
daemon=no
guardian=no
secondary=yes
xfr-cycle-interval=1
security-poll-suffix=
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
receiver-threads=1
retrieval-threads=1
loglevel=6
`;
}

/** The database of PowerDNS, made by the commands that keygen prints. */
async function makePdnsDatabase(zones: readonly SignedZone[], dir: string): Promise<void> {
  const database = new DatabaseSync(`${dir}/pdns.sqlite3`);
  database.exec(await readPdnsSchema("sqlite3"));
  database.close();
  const pdnsutil = (args: string[]) =>
    mustRun(which("pdnsutil") ?? "pdnsutil", [`--config-dir=${dir}`, ...args]);
  for (const each of zones) {
    const { addr, port } = each;
    await pdnsutil(["create-secondary-zone", each.zone, `${addr}:${port}`]);
    await pdnsutil(["set-meta", each.zone, "IXFR", "1"]);
    for (const line of filled(each.lines.part("PowerDNS"), each, () => addr).split("\n")) {
      const [command, ...args] = line.split(" ");
      if (command !== "pdnsutil") throw new Error(`keygen prints for PowerDNS: ${line}`);
      await pdnsutil(args.map((arg) => arg.replaceAll("'", "")));
    }
  }
}

const PROGRAMS = { nsd: "nsd", knot: "knotd", bind: "named", pdns: "pdns_server" } as const;

/** Starts one with all its zones, whose primaries need not run yet. */
export function startSignedSecondary(
  kind: SecondaryKind,
  port: number,
  zones: readonly SignedZone[],
): Promise<DnsServer> {
  return launch({
    name: kind,
    program: PROGRAMS[kind],
    port,
    async configure({ dir, addr, port }) {
      const write = (name: string, text: string) => Deno.writeTextFile(`${dir}/${name}`, text);
      switch (kind) {
        case "nsd":
          await write("nsd.conf", nsdConfiguration(zones, dir, addr, port));
          return ["-d", "-c", `${dir}/nsd.conf`];
        case "knot":
          await write("knot.conf", knotConfiguration(zones, dir, addr, port));
          return ["-c", `${dir}/knot.conf`];
        case "bind":
          await write("named.conf", bindConfiguration(zones, dir, addr, port));
          return ["-g", "-n", "1", "-c", `${dir}/named.conf`];
        case "pdns":
          await write("pdns.conf", pdnsConfiguration(dir, addr, port));
          await makePdnsDatabase(zones, dir);
          return [`--config-dir=${dir}`];
      }
    },
  });
}
