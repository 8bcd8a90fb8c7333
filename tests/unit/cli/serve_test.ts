/** `zonecast serve` as a process: how it starts, ends, and what is said of it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { query } from "../../support/dns_client.ts";
import { systemTest } from "../../support/interop.ts";
import { freePort } from "../../support/ports.ts";
import { type Running, spawn } from "../../support/processes.ts";
import { type TempDir, tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { zonecast } from "./context.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Starts `zonecast serve` with a directory's source, state and control socket. */
function serve(dir: string, port: number, args: string[] = []): Running {
  return spawn(Deno.execPath(), [
    ...["run", "--quiet", "--no-prompt", "--no-check", "--config", `${ROOT}deno.json`],
    ...["--allow-net", "--allow-read", "--allow-write", "--allow-env", `${ROOT}main.ts`, "serve"],
    ...["--source", `sqlite:${dir}/zones.db`, "--state", `${dir}/state.db`],
    ...["--listen", `127.0.0.1:${port}`, "--log-format", "logfmt", ...args],
  ], { name: "zonecast" });
}

/** Runs a command on a directory's source and server; it must succeed. */
async function must(dir: string, ...args: string[]): Promise<string> {
  const env = { ZONECAST_SOURCE: `sqlite:${dir}/zones.db`, ZONECAST_STATE: `${dir}/state.db` };
  const { code, out, err } = await zonecast(args, env);
  assertEquals(code, 0, err);
  return out;
}

async function withZone(): Promise<TempDir> {
  const dir = await tempDir();
  await must(dir.path, "zone", "add", "example.org", "--ns", "ns1");
  await must(dir.path, "set", "example.org", "ns1", "A", "192.0.2.1");
  return dir;
}

systemTest("serve: status, export and a clean end", async (t) => {
  await using dir = await withZone();
  const port = freePort();
  await using server = serve(dir.path, port, ["--secondary", `ns1=127.0.0.1:${freePort()}`]);
  await server.logged(/event="zone published" zone=example\.org\./);

  await t.step("status --json has the server, its zones and its secondaries", async () => {
    const report = JSON.parse(await must(dir.path, "status", "--json"));
    assertEquals(Object.keys(report), ["server", "zones", "secondaries", "problems"]);
    assertEquals(report.server.pid, server.pid);
    assertEquals(report.server.listen, [`127.0.0.1:${port}`]);
    assertEquals(report.server.source.up, true);
    const [zone] = report.zones;
    assertEquals([report.zones.length, zone.zone, zone.records], [1, "example.org.", 3]);
    const [secondary] = report.secondaries;
    assertEquals([secondary.name, secondary.notify], ["ns1", true]);
    assertEquals(secondary.zones[0].notify.serial, zone.serial);
  });

  await t.step("export prints what is served, and imports back to it", async () => {
    const text = await must(dir.path, "export", "example.org");
    assertStringIncludes(text, "\nns1\t3600\tIN\tA\t192.0.2.1\n");
    await must(dir.path, "import", "example.org", await dir.write("zone", text));
    await must(dir.path, "set", "example.org", "www", "A", "192.0.2.2");
    await until(
      async () => (await must(dir.path, "export", "example.org")).includes("\nwww\t"),
      { what: "the new record is published" },
    );
    const after = await must(dir.path, "export", "example.org");
    const plain = (zone: string) =>
      zone.split("\n").filter((line) => !/SOA|serial|^www/.test(line));
    assertEquals(plain(after), plain(text));
  });

  await t.step("a zone that is not served is named", async () => {
    const { code, err } = await zonecast(["export", "b.org", "--state", `${dir.path}/state.db`]);
    assertEquals(code, 1);
    assertStringIncludes(err, "zonecast: The zone b.org is not published");
  });

  await t.step(
    "a second server on the same state file is refused and disturbs nothing",
    async () => {
      await using second = serve(dir.path, freePort());
      assertEquals((await second.ended).code, 1);
      assertMatch(second.log(), /zonecast: Cannot open state file .*another server/);
      assertEquals(JSON.parse(await must(dir.path, "status", "--json")).server.pid, server.pid);
    },
  );

  await t.step("a bad row is a problem in status, and goes when it is mended", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(`${dir.path}/zones.db`);
    database.exec(`insert into records (zone, name, type, content)
      values ('example.org', 'bad', 'A', '1.2.3')`);
    const problems = async () =>
      JSON.parse(await must(dir.path, "status", "--json")).problems.map(
        ({ zone, name, type, content }: Record<string, string>) => [zone, name, type, content],
      );
    await until(async () => (await problems()).length === 1, { what: "the problem is told" });
    assertEquals(await problems(), [["example.org.", "bad", "A", "1.2.3"]]);
    assertMatch(await must(dir.path, "status"), /example\.org\. +bad A +.*1\.2\.3/);
    database.exec("delete from records where name = 'bad'");
    database.close();
    await until(async () => (await problems()).length === 0, { what: "the problem is gone" });
  });

  await t.step("SIGTERM ends it cleanly: exit code 0, socket file removed", async () => {
    assertEquals((await server.stop("SIGTERM")).code, 0);
    assertMatch(server.log(), /event=stopped/);
    for (const entry of Deno.readDirSync(dir.path)) assert(!entry.name.endsWith(".sock"));
  });

  await t.step("with no server, status and export read the state file and say so", async () => {
    const state = ["--state", `${dir.path}/state.db`];
    const exported = await zonecast(["export", "example.org", ...state]);
    assertEquals(exported.code, 0);
    assertStringIncludes(exported.out, "\nwww\t3600\tIN\tA\t192.0.2.2\n");
    assertStringIncludes(exported.err, "zonecast: no server is running at");
    const report = JSON.parse((await zonecast(["status", "--json", ...state])).out);
    assertEquals([report.server, report.zones.length], [undefined, 1]);
  });
});

systemTest("serve: starts with what it last published, also while the source is away", async () => {
  await using dir = await withZone();
  const port = freePort();
  {
    await using first = serve(dir.path, port);
    await first.logged(/event="zone published"/);
    await first.stop("SIGKILL");
  }
  await Deno.rename(`${dir.path}/zones.db`, `${dir.path}/away.db`);
  await using again = serve(dir.path, port);
  await again.logged(/event="source down".*There is no file/);
  const reply = await query({ addr: "127.0.0.1", port }, "ns1.example.org", "A");
  assertEquals(reply.answers?.length, 1);
  const report = JSON.parse(await must(dir.path, "status", "--json"));
  assertEquals([report.zones.length, report.server.source.up], [1, false]);

  await Deno.rename(`${dir.path}/away.db`, `${dir.path}/zones.db`);
  await must(dir.path, "set", "example.org", "back", "A", "192.0.2.9");
  await again.logged(/event="zone published"/);
});

systemTest("serve: what keeps it from starting is one error, and exit code 1", async (t) => {
  await using dir = await withZone();
  const cases: [what: string, args: string[], message: RegExp][] = [
    [
      "an address of another machine",
      ["--listen", "192.0.2.1:5300"],
      /zonecast: Cannot .*192\.0\.2\.1:5300.*\n {2}hint: /,
    ],
    [
      "no directory for the state",
      ["--state", `${dir.path}/none/state.db`],
      /zonecast: Cannot .*none\/state\.db.*\n {2}hint: /,
    ],
    [
      "no directory for the control socket",
      ["--control", `${dir.path}/none/c.sock`],
      /zonecast: Cannot listen on control socket .*none\/c\.sock.*\n {2}hint: /,
    ],
  ];
  for (const [what, args, message] of cases) {
    await t.step(what, async () => {
      const flags = args.filter((arg) => arg.startsWith("--"));
      const base: [string, string][] = [
        ["--listen", `127.0.0.1:${freePort()}`],
        ["--state", `${dir.path}/state.db`],
      ];
      const rest = base.filter(([flag]) => !flags.includes(flag)).flat();
      const { code, err } = await runServe([
        ...["--source", `sqlite:${dir.path}/zones.db`, ...rest, ...args],
      ]);
      assertEquals(code, 1, err);
      assertMatch(err, message);
      assert(!err.includes("    at "), err);
    });
  }
});

/** Runs `zonecast serve`, which must end by itself. */
async function runServe(args: string[]): Promise<{ code: number; err: string }> {
  const server = spawn(Deno.execPath(), [
    ...["run", "--quiet", "--no-prompt", "--no-check", "--config", `${ROOT}deno.json`],
    ...["--allow-net", "--allow-read", "--allow-write", "--allow-env", `${ROOT}main.ts`, "serve"],
    ...args,
  ], { name: "zonecast" });
  const { code } = await server.ended;
  return { code, err: server.log() };
}
