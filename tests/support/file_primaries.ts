/** NSD, Knot and BIND as primaries of master files, to be asked the questions we are asked. */
import { type DnsServer, launch } from "./dns_server.ts";
import { startKnotPrimary } from "./knot.ts";

/** Master files by zone name, absolute. */
export type ZoneFiles = Readonly<Record<string, string>>;

export type FilePrimary = "nsd" | "knot" | "bind";

export const FILE_PRIMARIES: readonly FilePrimary[] = ["nsd", "knot", "bind"];

async function writeZones(dir: string, zones: ZoneFiles): Promise<void> {
  for (const [zone, text] of Object.entries(zones)) {
    await Deno.writeTextFile(`${dir}/${zone}zone`, `$ORIGIN ${zone}\n${text}\n`);
  }
}

/** Rate limits are off; UDP answers as long as ours. */
function nsdConfiguration(dir: string, addr: string, port: number, zones: ZoneFiles): string {
  return `
server:
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
  ipv4-edns-size: 1232
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  minimal-responses: no
  verbosity: 1
remote-control:
  control-enable: no
${
    Object.keys(zones).map((zone) => `zone:\n  name: "${zone}"\n  zonefile: "${zone}zone"`).join(
      "\n",
    )
  }
`;
}

/** Loads what it would warn of; does not turn records of an RRset around. */
function bindConfiguration(dir: string, addr: string, port: number, zones: ZoneFiles): string {
  const zoneOf = (zone: string) => `
zone "${zone}" { type primary; file "${zone}zone"; check-names ignore; check-integrity no; };`;
  return `
options {
  directory "${dir}";
  pid-file none;
  session-keyfile "${dir}/session.key";
  listen-on port ${port} { ${addr}; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses no-auth;
  minimal-any yes;
  max-udp-size 1232;
  notify no;
};
logging { category query-errors { null; }; category client { null; }; };
controls { };
${Object.keys(zones).map(zoneOf).join("")}
`;
}

/** Starts one, and waits until it answers. */
export function startFilePrimary(kind: FilePrimary, zones: ZoneFiles): Promise<DnsServer> {
  switch (kind) {
    case "knot":
      return startKnotPrimary({
        zones: Object.fromEntries(
          Object.entries(zones).map(([zone, text]) => [zone, `$ORIGIN ${zone}\n${text}\n`]),
        ),
        secondaries: [],
      });
    case "nsd":
      return launch({
        name: "nsd-primary",
        program: "nsd",
        async configure({ dir, addr, port }) {
          await writeZones(dir, zones);
          await Deno.writeTextFile(
            `${dir}/nsd.conf`,
            nsdConfiguration(dir, addr, port, zones),
          );
          return ["-d", "-c", `${dir}/nsd.conf`];
        },
      });
    case "bind":
      return launch({
        name: "bind-primary",
        program: "named",
        async configure({ dir, addr, port }) {
          await writeZones(dir, zones);
          await Deno.writeTextFile(`${dir}/named.conf`, bindConfiguration(dir, addr, port, zones));
          return ["-g", "-n", "1", "-c", `${dir}/named.conf`];
        },
      });
  }
}
