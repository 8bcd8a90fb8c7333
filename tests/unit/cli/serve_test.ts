/** `zonecast serve` as a process: how it starts, ends, and what is said of it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { streamEncode } from "dns-packet";
import { query } from "../../support/dns_client.ts";
import { systemTest } from "../../support/interop.ts";
import { freePort } from "../../support/ports.ts";
import { until } from "../../support/wait.ts";
import { zonecast } from "./context.ts";
import { makeSite, type Site, spawnServe } from "./served.ts";

async function withZone(): Promise<Site> {
  const site = await makeSite();
  await site.must("zone", "add", "example.org", "--ns", "ns1");
  await site.must("set", "example.org", "ns1", "A", "192.0.2.1");
  return site;
}

systemTest("serve: status, export and a clean end", async (t) => {
  await using site = await withZone();
  const port = freePort();
  await using server = site.serve([
    "--listen",
    `127.0.0.1:${port}`,
    "--secondary",
    // Not watched: nobody is there, and the first serial would wait for an answer.
    `ns1=127.0.0.1:${freePort()},watch=off`,
  ]);
  await server.logged(/event="zone published" zone=example\.org\./);

  await t.step("status --json has the server, its zones and its secondaries", async () => {
    const report = JSON.parse(await site.must("status", "--json"));
    assertEquals(Object.keys(report), ["server", "zones", "secondaries", "problems", "held"]);
    assertEquals(report.server.pid, server.pid);
    assertEquals(report.server.listen, [`127.0.0.1:${port}`]);
    assertEquals(report.server.source.up, true);
    const [zone] = report.zones;
    assertEquals([report.zones.length, zone.zone, zone.records], [1, "example.org.", 3]);
    const [secondary] = report.secondaries;
    assertEquals([secondary.name, secondary.notify], ["ns1", true]);
    assertEquals(secondary.zones[0].notify.serial, zone.serial);
    assertEquals(secondary.zones[0].state, "unknown"); // nobody answers there
    assert(report.server.source.reads.full >= 1);
  });

  await t.step("export prints what is served, and imports back to it", async () => {
    const text = await site.must("export", "example.org");
    assertStringIncludes(text, "\nns1\t3600\tIN\tA\t192.0.2.1\n");
    await site.must("import", "example.org", await site.write("zone", text));
    await site.must("set", "example.org", "www", "A", "192.0.2.2");
    await until(
      async () => (await site.must("export", "example.org")).includes("\nwww\t"),
      { what: "the new record is published" },
    );
    const after = await site.must("export", "example.org");
    const plain = (zone: string) =>
      zone.split("\n").filter((line) => !/SOA|serial|^www/.test(line));
    assertEquals(plain(after), plain(text));
  });

  await t.step("a zone that is not served is named", async () => {
    const { code, err } = await zonecast(["export", "b.org", "--state", `${site.path}/state.db`]);
    assertEquals(code, 1);
    assertStringIncludes(err, "zonecast: The zone b.org is not published");
  });

  await t.step(
    "a second server on the same state file is refused and disturbs nothing",
    async () => {
      await using second = site.serve();
      assertEquals((await second.ended).code, 1);
      assertMatch(second.log(), /zonecast: Cannot open state file .*another server/);
      assertEquals(JSON.parse(await site.must("status", "--json")).server.pid, server.pid);
    },
  );

  await t.step("a bad row is a problem in status, and goes when it is mended", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(`${site.path}/zones.db`);
    database.exec(`insert into records (zone, name, type, content)
      values ('example.org', 'bad', 'A', '1.2.3')`);
    const problems = async () =>
      JSON.parse(await site.must("status", "--json")).problems.map(
        ({ zone, name, type, content }: Record<string, string>) => [zone, name, type, content],
      );
    await until(async () => (await problems()).length === 1, { what: "the problem is told" });
    assertEquals(await problems(), [["example.org.", "bad", "A", "1.2.3"]]);
    assertMatch(await site.must("status"), /example\.org\. +bad A +.*1\.2\.3/);
    database.exec("delete from records where name = 'bad'");
    database.close();
    await until(async () => (await problems()).length === 0, { what: "the problem is gone" });
  });

  await t.step("SIGTERM ends it cleanly: exit code 0, socket file removed", async () => {
    assertEquals((await server.stop("SIGTERM")).code, 0);
    assertMatch(server.log(), /event=stopped/);
    for (const entry of Deno.readDirSync(site.path)) assert(!entry.name.endsWith(".sock"));
  });

  await t.step("with no server, status and export read the state file and say so", async () => {
    const state = ["--state", `${site.path}/state.db`];
    const exported = await zonecast(["export", "example.org", ...state]);
    assertEquals(exported.code, 0);
    assertStringIncludes(exported.out, "\nwww\t3600\tIN\tA\t192.0.2.2\n");
    assertStringIncludes(exported.err, "zonecast: no server is running at");
    const report = JSON.parse((await zonecast(["status", "--json", ...state])).out);
    assertEquals([report.server, report.zones.length], [undefined, 1]);
  });
});

systemTest("serve: starts with what it last published, also while the source is away", async () => {
  await using site = await withZone();
  const port = freePort();
  {
    await using first = site.serve(["--listen", `127.0.0.1:${port}`]);
    await first.logged(/event="zone published"/);
    await first.stop("SIGKILL");
  }
  await Deno.rename(`${site.path}/zones.db`, `${site.path}/away.db`);
  await using again = site.serve(["--listen", `127.0.0.1:${port}`]);
  await again.logged(/event="source down".*There is no file/);
  const reply = await query({ addr: "127.0.0.1", port }, "ns1.example.org", "A");
  assertEquals(reply.answers?.length, 1);
  const report = JSON.parse(await site.must("status", "--json"));
  assertEquals([report.zones.length, report.server.source.up], [1, false]);

  await Deno.rename(`${site.path}/away.db`, `${site.path}/zones.db`);
  await site.must("set", "example.org", "back", "A", "192.0.2.9");
  await again.logged(/event="zone published"/);
});

systemTest("serve: what keeps it from starting is one error, and exit code 1", async (t) => {
  await using site = await withZone();
  const cases: [what: string, args: string[], message: RegExp][] = [
    [
      "an address of another machine",
      ["--listen", "192.0.2.1:5300"],
      /zonecast: Cannot .*192\.0\.2\.1:5300.*\n {2}hint: /,
    ],
    [
      "no directory for the state",
      ["--state", `${site.path}/none/state.db`],
      /zonecast: Cannot .*none\/state\.db.*\n {2}hint: /,
    ],
    [
      "no directory for the control socket",
      ["--control", `${site.path}/none/c.sock`],
      /zonecast: Cannot listen on control socket .*none\/c\.sock.*\n {2}hint: /,
    ],
  ];
  for (const [what, args, message] of cases) {
    await t.step(what, async () => {
      const flags = args.filter((arg) => arg.startsWith("--"));
      const base: [string, string][] = [
        ["--listen", `127.0.0.1:${freePort()}`],
        ["--state", `${site.path}/state.db`],
      ];
      const rest = base.filter(([flag]) => !flags.includes(flag)).flat();
      const { code, err } = await runServe([
        ...["--source", `sqlite:${site.path}/zones.db`, ...rest, ...args],
      ]);
      assertEquals(code, 1, err);
      assertMatch(err, message);
      assert(!err.includes("    at "), err);
    });
  }
});

/** Runs `zonecast serve`, which must end by itself. */
async function runServe(args: string[]): Promise<{ code: number; err: string }> {
  const server = spawnServe(args);
  const { code } = await server.ended;
  return { code, err: server.log() };
}

systemTest("serve: a variable of the environment that is none of ours is warned of", async () => {
  await using site = await withZone();
  await using server = site.serve([], {
    ZONECAST_POLL_INTERVALL: "1s",
    ZONECAST_LOG_LEVEL: "warn",
  });
  await server.logged(
    /level=warn event=".*not known" name=ZONECAST_POLL_INTERVALL hint="did you mean ZONECAST_POLL_INTERVAL\?"/,
  );
});

systemTest("serve: HTTP that others reach is warned of; a taken address is an error", async () => {
  await using site = await withZone();
  await using server = site.serve(["--http", "0.0.0.0:0", "--http", "127.0.0.1:0"]);
  await server.logged(
    /level=warn event="whoever reaches the HTTP address reads all zones" address=0\.0\.0\.0:0/,
  );
  const [, address] = await server.logged(/event="listening for HTTP" address=(127\.0\.0\.1:\d+)/);
  assertEquals(server.log().match(/reads all zones/g)?.length, 1);
  await using other = await withZone();
  await using late = other.serve(["--http", address]);
  await late.logged(/Cannot listen for HTTP on 127\.0\.0\.1:\d+: /);
  assertEquals((await late.ended).code, 1);
});

systemTest("serve: a second signal ends it at once, whatever still runs", async () => {
  await using site = await withZone();
  const text = `"${"x".repeat(250)}"`;
  const lines = Array.from({ length: 40_000 }, (_, n) => `t${n} 60 TXT ${text}`);
  const zone = ["@ 60 SOA a b 1 2 3 4 5", "@ 60 NS ns.b.", ...lines].join("\n");
  assertEquals((await site.run(["import", "example.org", "-"], zone)).code, 0);
  const port = freePort();
  await using server = site.serve(
    ["--listen", `127.0.0.1:${port}`, "--allow-transfer", "127.0.0.1"],
  );
  await server.logged(/event="zone published"/);
  // One transfer of 10 MB, more than the kernel takes of it, and only its beginning is read.
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  const ask = streamEncode({
    id: 1,
    type: "query",
    questions: [{ name: "example.org", type: "AXFR" }],
  });
  await client.write(ask);
  await client.read(new Uint8Array(2));
  server.signal("SIGTERM");
  await server.logged(/event=stopping/);
  server.signal("SIGTERM");
  assertEquals((await server.ended).code, 1);
  assertMatch(server.log(), /event="ending at once"/);
});

systemTest(
  "serve: a password on the command line is warned of, also beside the environment's",
  async () => {
    await using site = await withZone();
    await using server = spawnServe([
      ...["--source", "postgres://app:SECRET@127.0.0.1:1/app", "--state", `${site.path}/state.db`],
      ...["--log-format", "logfmt", "--listen", `127.0.0.1:${freePort()}`],
    ], { ZONECAST_SOURCE: "postgres://app@127.0.0.1:1/app" });
    await server.logged(/event="the source's password stands in the process list"/);
    await server.logged(/event="source down"/);
    assertEquals(server.log().includes("SECRET"), false);
  },
);
