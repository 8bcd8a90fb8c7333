/** Knot DNS as a primary. */
import type { Peer } from "./peer.ts";

export const KNOT: Peer = {
  name: "Knot",
  program: "knotd",
  package: "knot",
  setup:
    "as many workers as it takes by itself; tcp-io-timeout raised: at its 0.5 s it drops clients of a busy machine; zone file without a journal of its content",
  versionArgs: ["--version"],
  loadMs: 120_000,
  async configure({ dir, addr, port }, { zone, secondaries = [] }) {
    const remotes = secondaries.map(({ addr, port }, index) =>
      `  - id: secondary${index}\n    address: ${addr}@${port}\n`
    );
    const ids = secondaries.map((_, index) => `secondary${index}`).join(", ");
    await Deno.writeTextFile(
      `${dir}/knot.conf`,
      `
server:
  rundir: "${dir}"
  listen: ${addr}@${port}
  tcp-max-clients: 1000
  tcp-io-timeout: 30000
log:
  - target: stderr
    any: warning
database:
  storage: "${dir}"
${remotes.length > 0 ? `remote:\n${remotes.join("")}` : ""}
acl:
  - id: loopback
    address: 127.0.0.0/8
    action: [transfer, update]
template:
  - id: default
    storage: "${dir}"
zone:
  - domain: "${zone.name}"
    file: "${zone.file}"
    acl: loopback
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: changes
${ids ? `    notify: [${ids}]` : ""}
`,
    );
    return ["-c", `${dir}/knot.conf`];
  },
};
