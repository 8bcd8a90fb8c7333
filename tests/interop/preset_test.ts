/**
 * A preset at work: a network of the test's own has the provider's addresses, and a real NSD there
 * is notified, transfers and is watched as the table says.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { PRESETS } from "../../lib/cli/preset_table.ts";
import { interopTest } from "../support/interop.ts";
import { makeNetwork } from "../support/network.ts";
import { spawn } from "../support/processes.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { zonecastCli, zonecastCommand } from "../support/zonecast.ts";

/** Where zonecast is; the provider's addresses come from the table. */
const OURS = "198.51.100.1";

interopTest("--preset: NSD at the provider's addresses is notified, transfers and goes live", {
  needs: ["nsd", "ip"],
  ignore: Deno.uid() === 0 ? undefined : "only root may make what it runs in",
}, async () => {
  const { transfer, servers: [{ notify, watch }] } = PRESETS.find(({ name }) => name === "he")!;
  const pulls = transfer.find((address) => !address.includes(":"))!;
  await using net = await makeNetwork([OURS, pulls, ...notify, ...watch]);
  await using dir = await tempDir();
  await dir.write(
    "nsd.conf",
    `
server:
${[...new Set([...notify, ...watch])].map((ip) => `  ip-address: ${ip}`).join("\n")}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${dir.path}"
  database: ""
  zonelistfile: "${dir.path}/zone.list"
  pidfile: "${dir.path}/nsd.pid"
  xfrdfile: "${dir.path}/xfrd.state"
  xfrdir: "${dir.path}"
  xfrd-reload-timeout: 0
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "example.org"
  zonefile: "example.org.zone"
  allow-notify: ${OURS} NOKEY
  request-xfr: ${OURS} NOKEY
  outgoing-interface: ${pulls}
  min-retry-time: 1
`,
  );
  const source = `sqlite:${dir.path}/zones.db`;
  const env = { ZONECAST_SOURCE: source, ZONECAST_STATE: `${dir.path}/state.db` };
  const added = await zonecastCli(
    ["zone", "add", "example.org", "--ns", "ns1.he.net.", "--ns", "ns2.he.net."],
    { env },
  );
  assertEquals(added.code, 0, added.stderr);
  await using _nsd = spawn("ip", net.within("nsd", ["-d", "-c", `${dir.path}/nsd.conf`]), {
    name: "nsd",
  });
  const [program, args] = zonecastCommand();
  const serve = ["serve", "--listen", `${OURS}:53`, "--preset", `he,via=${OURS}`];
  await using zonecast = spawn("ip", net.within(program, [...args, ...serve]), {
    name: "zonecast",
    env,
  });
  const report = await until(async () => {
    const { code, stdout } = await zonecastCli(["status", "--json"], { env });
    if (code !== 0) return false;
    const report = JSON.parse(stdout);
    return report.secondaries[0]?.zones[0]?.state === "live" && report;
  }, { what: "the provider is live", seen: () => zonecast.log().slice(-2000) });
  const [{ name, address, zones: [zone] }, ...others] = report.secondaries;
  assertEquals([name, address, others], ["he", `${notify[0]}:53`, []]);
  assertEquals([zone.serial, zone.transfer.serial], [
    report.zones[0].serial,
    report.zones[0].serial,
  ]);
  assertMatch(
    zonecast.log(),
    new RegExp(`event="transfer sent" client=${pulls.replaceAll(".", "\\.")} `),
  );
});
