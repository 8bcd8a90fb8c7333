/** `zonecast cutover` on a real move: Knot as parent and as old provider, BIND as new secondary. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { CutoverStep } from "../../lib/cli/cutover_plan.ts";
import { observe } from "../../lib/cli/cutover_observe.ts";
import { Resolver } from "../../lib/cli/cutover_resolve.ts";
import { CUTOVER_SHAPE } from "../../lib/cli/cutover_shape.ts";
import { misfits } from "../../lib/cli/json_shape.ts";
import { Progress } from "../../lib/cli/progress.ts";
import { parseName } from "../../lib/dns/mod.ts";
import { Asker } from "../../lib/server/mod.ts";
import { startFilePrimary } from "../support/file_primaries.ts";
import { interopTest } from "../support/interop.ts";
import { startKnotPrimary } from "../support/knot.ts";
import { startBind } from "../support/bind.ts";
import { versionOfFile } from "../support/our_primary.ts";
import { freePort } from "../support/ports.ts";
import { newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { startZonecast } from "../support/zonecast.ts";

const ZONE = "move.example.";
const RECORDS = "www 300 A 192.0.2.1\n@ 300 MX 10 mail\nmail 300 A 192.0.2.2\n";

/** The zone at the old provider. */
const atOld = (serial: number, ttl: number, records = RECORDS) =>
  `$ORIGIN ${ZONE}\n@ 300 SOA ns1.old.test. hostmaster ${serial} 3600 600 86400 300
@ ${ttl} NS ns1.old.test.\n${records}`;
/** The parent: who is delegated to, and what else stands there. */
const atParent = (serial: number, server: string, more = "") =>
  `$ORIGIN example.\n@ 300 SOA ns.example. hostmaster.example. ${serial} 3600 600 86400 300
@ 300 NS ns.example.\nns 300 A 127.0.0.1\nmove 2 NS ${server}\n${more}`;

interface Report {
  readonly over: boolean;
  readonly parent: readonly {
    readonly nameServers: readonly string[] | null;
    readonly ds: number[];
  }[];
  readonly old: readonly { readonly hasZone: boolean; readonly ttl: number | null }[];
  readonly new: readonly { readonly serial: number | null }[];
  readonly steps: readonly (Omit<CutoverStep, "from"> & { readonly from: string })[];
}

interopTest("cutover: from the first look to the last, with TTLs of seconds", {
  needs: ["knot", "bind"],
}, async (t) => {
  await using dir = await tempDir();
  // The secondary first: a primary whose secondaries are silent waits for their serials.
  const primary = { addr: "127.0.0.1", port: freePort() };
  await using fresh = await startBind({ zones: [ZONE], primary });
  await using zonecast = await startZonecast({
    source: `sqlite:${dir.path}/zones.db`,
    port: primary.port,
    args: ["--secondary", `bind=127.0.0.1:${fresh.port}`],
  });
  await zonecast.mustCli(
    ["import", ZONE, "-"],
    atOld(1, 300).replaceAll("ns1.old.test.", "ns1.new.test."),
  );
  const serial = await newSerial(zonecast, ZONE, undefined);
  await fresh.reaches(ZONE, serial);
  const old = await startKnotPrimary({ zones: { [ZONE]: atOld(1, 2) }, secondaries: [] });
  await using _ = old;
  const ds = `move 2 DS 12345 13 2 ${"00".repeat(32)}\n`;
  await using parent = await startKnotPrimary({
    zones: { "example.": atParent(1, "ns1.old.test.", ds) },
    secondaries: [],
  });
  const plan = `${dir.path}/plan.json`;
  const flags = [
    ...["--parent", `127.0.0.1:${parent.port}`, "--plan", plan, "--ttl", "1", "--timeout", "2s"],
    ...[
      "--at",
      `ns1.new.test=127.0.0.1:${fresh.port}`,
      "--at",
      `ns1.old.test=127.0.0.1:${old.port}`,
    ],
    ...["--rate", "1000"],
  ];
  const look = async () => {
    const { code, stdout, stderr } = await zonecast.cli(["cutover", ZONE, "--json", ...flags]);
    assert(stdout !== "", stderr);
    const report = JSON.parse(stdout) as Report;
    assertEquals([...misfits(CUTOVER_SHAPE, JSON.parse(stdout))], []);
    assertEquals(code, report.over ? 0 : 3);
    return { ...report, of: (id: string) => report.steps.find((step) => step.id === id)?.state };
  };
  const untilState = (id: string, state: string) =>
    until(async () => (await look()).of(id) === state, { what: `step ${id} is ${state}` });

  await t.step("at first: who points where, DS records and a TTL to be rid of", async () => {
    const { parent, old, new: fresh, steps, of } = await look();
    assertEquals(parent[0].nameServers, ["ns1.old.test."]);
    assertEquals(parent[0].ds, [12345]);
    assertEquals([old[0].hasZone, old[0].ttl], [true, 2]);
    assertEquals(fresh[0].serial, serial);
    assertEquals(steps.map(({ id, state }) => `${id} ${state}`), [
      "serve done",
      "same done",
      "dnssec now",
      "lower now",
      "switch later",
      "announce later",
      "expire later",
      "off later",
      "raise done",
    ]);
    assertEquals(of("switch"), "later");
    const { code, stdout } = await zonecast.cli(["cutover", ZONE, ...flags]);
    assertEquals(code, 3);
    assertMatch(stdout, /\n {2}parent 127\.0\.0\.1:\d+: ns1\.old\.test\. \(TTL 2\), DS 12345/);
    assertMatch(stdout, /3\. NOW {4}no DS record/);
    assertMatch(stdout, /5\. later {2}the parent names the new servers {2}not before 20/);
    assertEquals(stdout.includes("\x1b"), false);
  });
  await t.step("other records at the old server", async () => {
    await old.load(ZONE, atOld(2, 2, RECORDS.replace("192.0.2.1", "192.0.2.99")));
    await untilState("same", "now");
    await old.load(ZONE, atOld(3, 2));
    await untilState("same", "done");
  });
  await t.step("DS removed, TTL lowered: both run out, then it is time", async () => {
    await parent.load("example.", atParent(2, "ns1.old.test."));
    await old.load(ZONE, atOld(4, 1));
    await untilState("lower", "done");
    await untilState("switch", "now");
    assertEquals((await look()).of("dnssec"), "done");
  });
  await t.step("the parent names the new server; what is remembered runs out", async () => {
    await parent.load("example.", atParent(3, "ns1.new.test."));
    await untilState("switch", "done");
    await untilState("off", "now");
    assertEquals((await look()).of("expire"), "done");
  });
  await t.step("the old one is switched off: over, with 0", async () => {
    await old.stop();
    const { over, of } = await look();
    assertEquals([over, of("off")], [true, "done"]);
  });
  await t.step("a parent that is silent, a plan file of another zone, wrong usage", async () => {
    const silent = await zonecast.cli(
      ["cutover", ZONE, "--parent", `127.0.0.1:${freePort()}`, ...flags.slice(2)],
    );
    assertEquals(silent.code, 1);
    assertStringIncludes(silent.stderr, "No server of the parent zone could be asked");
    await Deno.writeTextFile(plan, "{}");
    const spoilt = await zonecast.cli(["cutover", ZONE, ...flags]);
    assertEquals(spoilt.code, 1);
    assertStringIncludes(spoilt.stderr, "it is no plan of zonecast's");
    assertEquals((await zonecast.cli(["cutover", ZONE, "--ttl", "soon"])).code, 2);
  });
});

interopTest(
  "cutover: parent and servers are found by a resolver",
  { needs: ["bind"] },
  async () => {
    // It serves root and parent; asked with RD it answers as a resolver would.
    await using bind = await startFilePrimary("bind", {
      ".": `@ 300 SOA ns.root. host.root. 1 3600 600 86400 300\n@ 300 NS ns.root.
ns.root. 300 A 127.0.0.1\nexample. 300 NS ns.example.\nns.example. 300 A 127.0.0.1
ns1.new.test. 300 A 127.0.0.1\nns1.old.test. 300 A 127.0.0.1\n`,
      "example.": atParent(1, "ns1.old.test."),
    });
    using asker = new Asker({ triesMs: [500, 2_500] }); // the old server answers nothing
    const resolver = new Resolver(asker, { ip: bind.addr, port: bind.port }, bind.port);
    assertEquals(await resolver.parentOf(parseName(ZONE)), {
      parent: "example.",
      names: ["ns.example."],
    });
    assertEquals(await resolver.addresses("ns1.new.test."), ["127.0.0.1"]);
    const text = atOld(7, 300).replaceAll("ns1.old.test.", "ns1.new.test.");
    const context = { errIsTerminal: false } as ConstructorParameters<typeof Progress>[0];
    const { facts } = await observe({
      asker,
      zone: parseName(ZONE),
      version: versionOfFile(ZONE, text),
      parents: [],
      places: new Map([["ns1.old.test.", { ip: "127.0.0.1", port: freePort() }]]),
      resolver: () => Promise.resolve(resolver),
      progress: new Progress(context),
      sample: 5,
      rate: 100,
      knownOld: [],
      now: 0,
    });
    const [parent] = facts.parent;
    assertEquals([parent.fault, parent.delegation], [undefined, {
      names: ["ns1.old.test."],
      ttl: 2,
    }]);
    assertEquals(facts.fresh.map(({ name, isAuthoritative }) => [name, isAuthoritative]), [
      ["ns1.new.test.", false],
    ]);
    assertStringIncludes(facts.old[0].fault ?? "", "does not answer");
  },
);
