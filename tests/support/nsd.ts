/** NSD as a secondary. */
import { type DnsServer, launch, type SecondaryOptions } from "./dns_server.ts";

function configuration(dir: string, addr: string, port: number, options: SecondaryOptions): string {
  const { primary, transferFrom = "127.0.0.1", writesFiles = true, tls } = options;
  const zones = options.zones.map((zone) => `
zone:
  name: "${zone}"
  zonefile: "${zone}zone"
  allow-notify: 127.0.0.0/8 ${tls?.tsig.name ?? "NOKEY"}
  request-xfr: ${primary.addr}@${primary.port} ${tls ? `${tls.tsig.name} xot` : "NOKEY"}
  outgoing-interface: ${transferFrom}
  provide-xfr: 127.0.0.0/8 NOKEY
  min-retry-time: 1
`);
  // Debian builds NSD with response rate limiting on; a test asks often.
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
  xfrd-reload-timeout: 0
  zonefiles-write: ${writesFiles ? 1 : 0}
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  verbosity: 2
${
    tls
      ? `  tls-cert-bundle: "${tls.ca}"
  ip-address: ${addr}@${tls.listen.port}
  tls-port: ${tls.listen.port}
  tls-service-key: "${tls.listen.key}"
  tls-service-pem: "${tls.listen.cert}"`
      : ""
  }
remote-control:
  control-enable: no
${
    tls
      ? `tls-auth:\n  name: xot\n  auth-domain-name: ${tls.hostname}
key:\n  name: "${tls.tsig.name}"\n  algorithm: hmac-sha256\n  secret: "${tls.tsig.secret}"`
      : ""
  }
${zones.join("")}`;
}

export function startNsd(options: SecondaryOptions): Promise<DnsServer> {
  return launch({
    name: "nsd",
    program: "nsd",
    addr: options.addr,
    port: options.port,
    async configure({ dir, addr, port }) {
      await Deno.writeTextFile(`${dir}/nsd.conf`, configuration(dir, addr, port, options));
      return ["-d", "-c", `${dir}/nsd.conf`];
    },
  });
}
