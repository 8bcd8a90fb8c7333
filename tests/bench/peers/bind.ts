/** BIND as a primary. */
import type { Peer } from "./peer.ts";

export const BIND: Peer = {
  name: "BIND",
  program: "named",
  package: "bind9",
  setup:
    "as many threads as it takes by itself; transfers-out, tcp-clients and the rates of NOTIFY raised, notify-delay 0: its defaults pace it for the Internet; no recursion; zone file as text, its default",
  versionArgs: ["-v"],
  loadMs: 120_000,
  async configure({ dir, addr, port }, { zone, secondaries = [] }) {
    // It writes a journal beside the file when the zone is changed, so it has a link of its own.
    await Deno.symlink(zone.file, `${dir}/zone`);
    const notified = secondaries.map(({ addr, port }) => ` ${addr} port ${port};`).join("");
    await Deno.writeTextFile(
      `${dir}/named.conf`,
      `
options {
  directory "${dir}";
  pid-file none;
  session-keyfile "${dir}/session.key";
  listen-on port ${port} { ${addr}; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  allow-transfer { 127.0.0.0/8; };
  notify explicit;
  notify-delay 0;
  notify-rate 10000;
  startup-notify-rate 10000;
  transfers-out 1000;
  tcp-clients 1000;
};
controls { };
zone "${zone.name}" {
  type primary;
  file "${dir}/zone";
  journal "${dir}/zone.jnl";
  allow-update { 127.0.0.0/8; };
  also-notify {${notified} };
};
`,
    );
    return ["-g", "-c", `${dir}/named.conf`];
  },
};
