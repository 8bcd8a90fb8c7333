/**
 * The README's move from a managed provider, every command as it stands there: in a network of the
 * test's own with the very addresses, a real BIND for the provider, real NSD and Knot for the
 * secondaries, a real Postgres.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { makeNetwork, type Network } from "../support/network.ts";
import { startPostgres } from "../support/postgres.ts";
import { type Outcome, run, type Running, spawn } from "../support/processes.ts";
import { noteSecret } from "../support/secrets.ts";
import { readKeyLines } from "../support/signed_secondaries.ts";
import { type TempDir, tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { zonecastCommand } from "../support/zonecast.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
const SECTION = /^## Move from a managed provider\n([^]*?)^## /m.exec(README)![1];
/** Its blocks in their order: commands behind "sh", else the flags file. */
const BLOCKS = [...SECTION.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text,
}));

const ZONE = "example.org";
const OURS = "198.51.100.1";
const PROVIDER = "203.0.113.53";
const NSD = "192.0.2.53";
const KNOT = "192.0.2.153";
/** A server of org, and the resolver of this network. */
const PARENT = "192.0.2.10";
/** The provider's, ahead of the time as some are. */
const SERIAL = 3_000_000_000;

const PROVIDER_ZONE = `$ORIGIN ${ZONE}.
$TTL 3600
@ IN SOA ns1.provider.example. hostmaster.provider.example. ${SERIAL} 7200 900 1209600 300
@ 1 IN NS ns1.provider.example.
@ 1 IN NS ns2.provider.example.
@ IN MX 10 mail
@ IN TXT "v=spf1 mx -all"
mail 300 IN A 198.51.100.25
www 300 IN A 198.51.100.80
*.apps 60 IN CNAME www
`;

/** The place where it happens: network, directory, environment. */
interface Place {
  readonly network: Network;
  readonly dir: TempDir;
  readonly env: Record<string, string>;
}

/** The README's paths, as they are here. */
function here(text: string, { dir }: Place): string {
  return text.replaceAll("/etc/zonecast", `${dir.path}/etc`);
}

/** Runs one of the README's blocks as a shell does. */
async function runBlock(text: string, place: Place): Promise<Outcome> {
  const script = await place.dir.write("script", here(text, place));
  return await run("ip", place.network.within("sh", ["-e", script]), {
    cwd: place.dir.path,
    env: place.env,
  });
}

/** Runs a block that must succeed; returns what it printed. */
async function must(text: string, place: Place): Promise<string> {
  const { code, stdout, stderr } = await runBlock(text, place);
  assertEquals(code, 0, `${text}\n${stderr}${stdout}`);
  return stdout;
}

async function startServer(
  name: string,
  program: string,
  config: (dir: string) => string,
  args: (file: string) => string[],
  { network, dir }: Place,
): Promise<Running> {
  const own = `${dir.path}/${name}`;
  await Deno.mkdir(own);
  await Deno.writeTextFile(`${own}/conf`, config(own));
  return spawn("ip", network.within(program, args(`${own}/conf`)), { name });
}

/** The serial that a server shows; undefined while it shows none. */
async function serialAt(address: string, { network }: Place): Promise<number | undefined> {
  const dig = ["+short", "+time=1", "+tries=1", `@${address}`, ZONE, "SOA"];
  const { stdout } = await run("ip", network.within("dig", dig));
  const serial = /^\S+\. \S+\. (\d+) /m.exec(stdout)?.[1];
  return serial === undefined ? undefined : Number(serial);
}

const bindConfig = (dir: string) =>
  `include "${dir}/../move.key";
options { directory "${dir}"; pid-file none; session-keyfile "${dir}/session.key";
  listen-on port 53 { ${PROVIDER}; }; listen-on-v6 { none; }; recursion no;
  dnssec-validation no; empty-zones-enable no; notify no; };
controls { };
zone "${ZONE}" { type primary; file "${dir}/../provider.zone"; check-integrity no;
  allow-transfer { key "move"; }; };
`;

/** The parent's zone: whom it names for ours. */
function parentZone(nameServers: readonly string[]): string {
  return `$ORIGIN org.
@ 3600 IN SOA a.nic.example. hostmaster.nic.example. ${
    Math.floor(Date.now() / 1000)
  } 7200 900 1209600 300
@ 3600 IN NS a.nic.example.
${nameServers.map((name) => `example 1 IN NS ${name}`).join("\n")}
`;
}

const EXAMPLE_ZONE = `$ORIGIN example.
@ 3600 IN SOA a.nic hostmaster.nic 1 7200 900 1209600 300
@ 3600 IN NS a.nic
a.nic 3600 IN A ${PARENT}
ns1.provider 3600 IN A ${PROVIDER}
ns2.provider 3600 IN A ${PROVIDER}
ns1.new 3600 IN A ${NSD}
ns2.new 3600 IN A ${KNOT}
`;

/** Has the parent's zone, and answers whatever a resolver is asked for here. */
const parentConfig = (dir: string) =>
  `options { directory "${dir}"; pid-file none;
  session-keyfile "${dir}/session.key"; listen-on port 53 { ${PARENT}; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; empty-zones-enable no; notify no; };
controls { };
zone "org" { type primary; file "${dir}/../org.zone"; check-integrity no; };
zone "example" { type primary; file "${dir}/../example.zone"; check-integrity no; };
`;

const nsdConfig = (lines: string) => (dir: string) =>
  `server:
  ip-address: ${NSD}
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
remote-control:
  control-enable: no
${lines.replace(/^(\s*)request-xfr:.*$/m, `$&\n$1outgoing-interface: ${NSD}\n$1min-retry-time: 1`)}
`;

const knotConfig = (lines: string) => (dir: string) =>
  `server:
  rundir: "${dir}"
  listen: ${KNOT}@53
log:
  - target: stderr
    any: info
database:
  storage: "${dir}"
template:
  - id: default
    storage: "${dir}"
    zonefile-sync: -1
${lines.replace(/^(\s*)address: .*$/m, `$&\n$1via: ${KNOT}`)}
`;

/** A wrapper in a directory of PATH, so that \`zonecast\` is what is tested. */
async function installZonecast(dir: TempDir): Promise<void> {
  const [program, args] = zonecastCommand();
  await Deno.mkdir(`${dir.path}/bin`);
  const path = await dir.write(
    "bin/zonecast",
    `#!/bin/sh\nexec ${[program, ...args].join(" ")} "$@"\n`,
  );
  await Deno.chmod(path, 0o755);
}

interopTest("README: the move from a managed provider, every command of it", {
  needs: ["bind", "nsd", "knot", "dig", "ip"],
  ignore: Deno.uid() === 0 ? undefined : "only root may make what it runs in",
}, async (t) => {
  await using postgres = await startPostgres();
  await postgres.createDatabase("app");
  const [{ unix_socket_directories: sockets }] = await postgres.sql`show unix_socket_directories`;
  const database = `postgres://postgres@/app?host=${sockets}&port=${postgres.port}`;
  await using dir = await tempDir();
  await using network = await makeNetwork([OURS, PROVIDER, NSD, KNOT, PARENT], PARENT);
  await installZonecast(dir);
  for (const name of ["etc", "etc/keys", "state", "run"]) await Deno.mkdir(`${dir.path}/${name}`);
  const place: Place = {
    network,
    dir,
    env: {
      PATH: `${dir.path}/bin:${Deno.env.get("PATH")}`,
      ZONECAST_DATABASE: database,
      // As the unit's StateDirectory and RuntimeDirectory.
      STATE_DIRECTORY: `${dir.path}/state`,
      RUNTIME_DIRECTORY: `${dir.path}/run`,
    },
  };
  const [take, keygen, flags, check, serve, doctor, switching, afterwards] = BLOCKS;
  assertEquals(BLOCKS.map(({ language }) => language), [
    "sh",
    "sh",
    "",
    "sh",
    "sh",
    "sh",
    "sh",
    "sh",
  ]);

  await must("zonecast keygen move --out move.key", place);
  noteSecret(/secret "(.*?)"/.exec(await Deno.readTextFile(`${dir.path}/move.key`))![1]);
  await dir.write("provider.zone", PROVIDER_ZONE);
  await dir.write("org.zone", parentZone(["ns1.provider.example.", "ns2.provider.example."]));
  await dir.write("example.zone", EXAMPLE_ZONE);
  const named = (file: string) => ["-g", "-c", file];
  await using parent = await startServer("parent", "named", parentConfig, named, place);
  await using provider = await startServer(
    "provider",
    "named",
    bindConfig,
    (file) => ["-g", "-c", file],
    place,
  );
  await until(async () => await serialAt(PROVIDER, place) === SERIAL, {
    what: "the provider answers",
  });

  await t.step("take the zone over", async () => {
    const text = await must(take.text, place);
    assertStringIncludes(text, "+ www.example.org.\t300\tIN\tA\t198.51.100.80\n");
    assertMatch(
      text,
      /would import zone example\.org .*nothing was changed\nimported zone example\.org: /,
    );
    const rows = await postgres.connect(
      database.replace(/\?.*/, "").replace("@/", `@127.0.0.1:${postgres.port}/`),
    )`
      select name, type, content from zonecast.records where type = 'NS' order by content`;
    assertEquals(rows.map(({ content }) => content), ["ns1.new.example.", "ns2.new.example."]);
  });

  const printed = (await must(keygen.text, place)).split(/^(?=\S+: the key )/m);
  const [nsdLines, knotLines] = printed.map((text, index) => {
    const part = readKeyLines(text).part(["NSD, nsd.conf", "Knot, knot.conf"][index]);
    noteSecret(/secret: "?([A-Za-z0-9+/=]{20,})/.exec(part)![1]);
    return part.replaceAll("ZONECAST", OURS).replaceAll("ZONE", ZONE);
  });
  await using _nsd = await startServer(
    "nsd",
    "nsd",
    nsdConfig(nsdLines),
    (file) => ["-d", "-c", file],
    place,
  );
  await using _knot = await startServer(
    "knot",
    "knotd",
    knotConfig(knotLines),
    (file) => ["-c", file],
    place,
  );

  await t.step("the flags file is good", async () => {
    const text = flags.text.replace(/^source .*$/m, `source ${database}`);
    await dir.write("etc/flags", here(text, place));
    assertEquals(await must(check.text, place), "good: 4 flags set\n");
  });

  const script = await dir.write("serve", `exec ${here(serve.text, place)}`);
  await using zonecast = spawn("ip", network.within("sh", [script]), {
    name: "zonecast",
    cwd: dir.path,
    env: place.env,
  });
  const serial = await until(() => serialAt(OURS, place), { what: "zonecast publishes" });
  assertEquals(serial, SERIAL + 1);
  for (const address of [NSD, KNOT]) {
    await until(async () => await serialAt(address, place) === serial, {
      what: `${address} shows ${serial}`,
      seen: () => zonecast.log().slice(-3000),
    });
  }

  await t.step("doctor and verify find all well", async () => {
    const text = await must(doctor.text, place);
    assert(!/^ {2}BAD/m.test(text), text);
    assertEquals(text.match(/: the same \(/g)?.length, 3, text);
  });

  await t.step(
    "what changes at the provider meanwhile is shown, and taken over again",
    async () => {
      const compare = doctor.text.split("\n").slice(-3).join("\n");
      await dir.write(
        "provider.zone",
        PROVIDER_ZONE.replace(String(SERIAL), String(SERIAL + 5)) + "new IN A 198.51.100.99\n",
      );
      provider.signal("SIGHUP");
      await until(async () => await serialAt(PROVIDER, place) === SERIAL + 5, {
        what: "its change",
      });
      const { code, stdout } = await runBlock(compare, place);
      assertEquals(code, 3, stdout);
      assertStringIncludes(stdout, "- new.example.org.\t3600\tIN\tA\t198.51.100.99");
      await must(take.text.split("\n").slice(3, 5).join("\n"), place);
      await until(async () => (await runBlock(compare, place)).code === 0, { what: "taken over" });
    },
  );

  await t.step("the switch: step by step, until it is over", async () => {
    const first = await runBlock(switching.text, place);
    assertEquals([first.code, first.stderr], [3, ""]);
    assertMatch(
      first.stdout,
      /^ {2}1\. done {3}the new name servers answer with what is published/m,
    );
    assertMatch(first.stdout, /^ {2}4\. later {2}the parent names the new servers /m);
    assertStringIncludes(
      first.stdout,
      "have the registrar name ns1.new.example., ns2.new.example.",
    );
    // The registrar does, and what resolvers were told before runs out.
    await dir.write("org.zone", parentZone(["ns1.new.example.", "ns2.new.example."]));
    parent.signal("SIGHUP");
    await until(async () => {
      const { code, stdout } = await runBlock(switching.text, place);
      return code === 3 && /^ {2}7\. NOW {4}the old servers are switched off/m.test(stdout);
    }, { what: "the old servers are needed no more" });
    await provider.stop();
    await until(async () => {
      const { code, stdout } = await runBlock(switching.text, place);
      return code === 0 && stdout.endsWith("the move is over\n");
    }, { what: "the move is over" });
  });

  await t.step("afterwards: a change goes live on both", async () => {
    const text = await must(afterwards.text, place);
    assertMatch(text, /^set www\.example\.org\. A 192\.0\.2\.80\n/);
    for (const address of [NSD, KNOT]) {
      await until(async () => {
        const dig = ["+short", "+time=1", "+tries=1", `@${address}`, `www.${ZONE}`, "A"];
        return (await run("ip", network.within("dig", dig))).stdout.includes("192.0.2.80");
      }, { what: `${address} answers with the change` });
    }
    const status = await must("zonecast status", place);
    assertEquals(
      status.match(/^ns[12] \(key ns[12]\.new\.example\.\) +example\.org\. +live /gm)?.length,
      2,
      status,
    );
  });
});
