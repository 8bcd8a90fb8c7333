/** YADIFA as a primary. */
import type { Peer } from "./peer.ts";

export const YADIFA: Peer = {
  name: "YADIFA",
  program: "yadifad",
  package: "yadifa",
  setup:
    "as many threads as it takes by itself, max-tcp-queries raised, response rate limiting left out",
  versionArgs: ["--version"],
  loadMs: 120_000,
  async configure({ dir, addr, port }, { zone, secondaries = [] }) {
    for (const place of ["data", "xfr", "keys", "log"]) await Deno.mkdir(`${dir}/${place}`);
    await Deno.symlink(zone.file, `${dir}/data/zone`);
    const notified = secondaries.map(({ addr, port }) => `${addr} port ${port}`).join(",");
    await Deno.writeTextFile(
      `${dir}/yadifad.conf`,
      `
<main>
  daemon off
  chroot off
  logpath "${dir}/log"
  pidfile "${dir}/yadifad.pid"
  datapath "${dir}/data"
  keyspath "${dir}/keys"
  xfrpath "${dir}/xfr"
  user ${Deno.uid() === 0 ? "root" : Deno.env.get("USER") ?? "yadifa"}
  group ${Deno.uid() === 0 ? "root" : Deno.env.get("USER") ?? "yadifa"}
  port ${port}
  listen ${addr} port ${port}
  max-tcp-queries 255
  allow-query any
  allow-transfer 127.0.0.0/8
  allow-control none
</main>
<channels>
  stderr STDERR
</channels>
<loggers>
  system EMERG,ALERT,CRIT,ERR,WARNING stderr
  server EMERG,ALERT,CRIT,ERR,WARNING stderr
  database EMERG,ALERT,CRIT,ERR,WARNING stderr
  zone EMERG,ALERT,CRIT,ERR,WARNING stderr
</loggers>
<zone>
  type primary
  domain ${zone.name.slice(0, -1)}
  file zone
  ${notified ? `also-notify ${notified}` : "notify-auto false"}
</zone>
`,
    );
    return ["-c", `${dir}/yadifad.conf`];
  },
};
