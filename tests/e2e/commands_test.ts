/**
 * Every command: its help, the shape of its JSON, its exit codes, beside a server that is the
 * executable. The commands run in this process, a tenth as long as a process each would take; but
 * `serve`, which is one.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { misfits } from "../../lib/cli/json_shape.ts";
import { startFilePrimary } from "../support/file_primaries.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { noteSecret } from "../support/secrets.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";
import { zonecast } from "../unit/cli/context.ts";
import { COMMAND_CASES, type World } from "./command_cases.ts";

const ZONE = "example.org.";

/** Two versions of the zone, and their serials. */
async function publishTwo(server: Zonecast): Promise<number[]> {
  for (const zone of ["far.example", "example.org"]) {
    await server.mustCli(["zone", "add", zone, "--ns", "ns1.provider.example."]);
  }
  await newSerial(server, "far.example.", undefined);
  const first = await newSerial(server, ZONE, undefined);
  await server.mustCli(["set", "example.org", "www", "A", "192.0.2.1"]);
  return [first, await newSerial(server, ZONE, first)];
}

/** Two zones that are gone from the source, which is held. */
async function holdTwo(server: Zonecast): Promise<{ zone: string; id: string }[]> {
  const zones = ["gone1.example", "gone2.example"];
  for (const zone of zones) {
    await server.mustCli(["zone", "add", zone, "--ns", "ns1.provider.example."]);
  }
  for (const zone of zones) await newSerial(server, `${zone}.`, undefined);
  for (const zone of zones) await server.mustCli(["zone", "remove", zone]);
  return await until(async () => {
    const holds = JSON.parse(await server.mustCli(["held", "--json"]));
    return holds.length === zones.length && holds;
  }, { what: "both removals are held" });
}

/** Changes the zone again and again until it is told to end. */
async function changing(server: Zonecast, end: Promise<unknown>): Promise<void> {
  let ended = false;
  end.finally(() => ended = true);
  for (let i = 1; !ended; i++) {
    await server.mustCli(["set", "example.org", "tail", "TXT", `"change ${i}"`]);
  }
}

interopTest("commands: each as its help and its shape say, with its exit codes", {
  needs: ["nsd"],
}, async (t) => {
  const names = COMMANDS.map(({ name }) => name);
  for (const name of names) {
    assert(
      Object.hasOwn(COMMAND_CASES, name),
      `the command "${name}" has no cases: add a good command line and those that fail to ` +
        "tests/e2e/command_cases.ts",
    );
  }
  assertEquals(Object.keys(COMMAND_CASES).filter((name) => !names.includes(name)), []);
  await using dir = await tempDir();
  await using postgres = await startPostgres();
  await using secondary = startFakeSecondary();
  await using server = await startZonecast({
    source: `sqlite:${dir.path}/zones.db`,
    args: ["--allow-transfer", "127.0.0.1"],
    secondaries: [secondary],
  });
  await using parent = await startFilePrimary("nsd", {
    "org.": "@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS a.nic.example.\n" +
      "example 60 IN NS ns1.provider.example.",
  });
  const world: World = {
    server,
    parent,
    dir: dir.path,
    serials: await publishTwo(server),
    far: (await server.serial("far.example."))!,
    holds: await holdTwo(server),
    nowhere: ["--control", `${dir.path}/none.sock`, "--state", `${dir.path}/none`],
    postgres: await postgres.createDatabase("commands"),
  };
  const env = {
    ZONECAST_SOURCE: `sqlite:${dir.path}/zones.db`,
    ZONECAST_STATE: server.stateFile,
    ZONECAST_CONTROL: server.controlSocket,
  };
  const runIt = async (name: string, line: readonly string[], input?: string) => {
    if (name === "serve") return await server.cli(line, input);
    const { code, out, err } = await zonecast(line, env, input);
    return { code, stdout: out, stderr: err };
  };
  for (const { name, json, jsonLines, examples } of COMMANDS) {
    const { good, input, mayComplain, ends } = COMMAND_CASES[name];
    await t.step(name, async () => {
      const help = await runIt(name, [...name.split(" "), "--help"]);
      assertEquals([help.code, help.stderr], [0, ""]);
      assertStringIncludes(help.stdout, `zonecast ${examples[0]}`);
      for (const run of ["text", "json"] as const) {
        if (run === "json" && !json) continue;
        const line = [...good(world, run), ...run === "json" ? ["--json"] : []];
        const running = runIt(name, line, input);
        if (name === "tail") await changing(server, running);
        const { code, stdout, stderr } = await running;
        for (const [, secret] of stdout.matchAll(/secret:? "?([A-Za-z0-9+/=]{20,})/g)) {
          noteSecret(secret);
        }
        assertEquals([code, mayComplain ? "" : stderr], [0, ""], `${line.join(" ")}: ${stdout}`);
        if (run === "text") assertMatch(stdout, /\S[^]*\n$/);
        else {
          const values = jsonLines ? stdout.trimEnd().split("\n") : [stdout];
          for (const value of values) {
            assertEquals([...misfits(json!, JSON.parse(value))], [], line.join(" "));
          }
        }
        assert(!stdout.includes("\x1b"), "colour where there is no terminal");
      }
      assert(ends.length > 0, `${name}: no command line that fails`);
      for (const [expected, line, says] of ends) {
        const { code, stdout, stderr } = await runIt(name, line(world));
        assertEquals(code, expected, `${line(world).join(" ")}: ${stderr}`);
        assertMatch(stderr + (expected === 3 ? stdout : ""), says);
        if (expected !== 3) assertMatch(stderr, /^zonecast: /m);
      }
    });
  }
  await t.step("serve ends with 0", async () => {
    await server.stop("SIGTERM");
    assertMatch(server.log(), /event=stopped|stopped$/m);
  });
});
