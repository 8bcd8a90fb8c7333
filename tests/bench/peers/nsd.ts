/** NSD as a primary. */
import type { Peer } from "./peer.ts";

export const NSD: Peer = {
  name: "NSD",
  program: "nsd",
  package: "nsd",
  setup:
    "a server process per core (its default is one) with a socket each, response rate limiting off (Debian builds it in), no remote control",
  versionArgs: ["-v"],
  loadMs: 120_000,
  async configure({ dir, addr, port }, { zone, secondaries = [] }) {
    const notified = secondaries.map(({ addr, port }) => `  notify: ${addr}@${port} NOKEY\n`);
    await Deno.writeTextFile(
      `${dir}/nsd.conf`,
      `
server:
  ip-address: ${addr}@${port}
  server-count: ${navigator.hardwareConcurrency}
  reuseport: yes
  tcp-count: 200
  username: ""
  chroot: ""
  zonesdir: "${dir}"
  database: ""
  zonelistfile: "${dir}/zone.list"
  pidfile: "${dir}/nsd.pid"
  xfrdfile: "${dir}/xfrd.state"
  xfrdir: "${dir}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "${zone.name}"
  zonefile: "${zone.file}"
  provide-xfr: 127.0.0.0/8 NOKEY
${notified.join("")}`,
    );
    return ["-d", "-c", `${dir}/nsd.conf`];
  },
};
