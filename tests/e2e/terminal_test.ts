/** What commands do at a terminal and nowhere else: colour, progress. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { interopTest } from "../support/interop.ts";
import { run, spawn } from "../support/processes.ts";
import { tempDir } from "../support/tempdir.ts";
import { startZonecast, zonecastCommand } from "../support/zonecast.ts";

interopTest("colour: at a terminal, and not where NO_COLOR is set or TERM is dumb", {
  needs: ["script"],
}, async () => {
  await using dir = await tempDir();
  const env = { ZONECAST_SOURCE: `sqlite:${dir.path}/zones.db`, TERM: "xterm" };
  const file = await dir.write("zone", "@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS ns1\n");
  const [program, args] = zonecastCommand();
  const line = [program, ...args, "import", "example.org", file, "--dry-run"].join(" ");
  const shown = async (more: Record<string, string>) => {
    const { stdout } = await run("script", ["-qec", line, "/dev/null"], {
      env: { ...env, ...more },
    });
    return stdout;
  };
  assertStringIncludes(await shown({ NO_COLOR: "" }), "\x1b[32m+ example.org.");
  for (const more of [{ NO_COLOR: "1", TERM: "xterm" }, { NO_COLOR: "", TERM: "dumb" }]) {
    const text = await shown(more);
    assertMatch(text, /^\+ example\.org\./);
    assert(!text.includes("\x1b"), text);
  }
  const piped = await run("sh", ["-c", line], { env: { ...env, NO_COLOR: "" } });
  assert(!piped.stdout.includes("\x1b"));
});

interopTest("progress: at a terminal, once it has taken a while, and gone at the end", {
  needs: ["script"],
}, async () => {
  await using dir = await tempDir();
  // A file that others write to keeps a command waiting: SQLite's lock.
  const env = { ZONECAST_SOURCE: `sqlite:${dir.path}/zones.db`, TERM: "xterm" };
  await using server = await startZonecast({ source: env.ZONECAST_SOURCE });
  await server.mustCli(["zone", "add", "example.org", "--ns", "ns1"]);
  const db = new DatabaseSync(`${dir.path}/zones.db`);
  db.exec("begin immediate");
  const [program, args] = zonecastCommand();
  const line = [program, ...args, "set", "example.org", "www", "A", "192.0.2.1"].join(" ");
  await using waiting = spawn("script", ["-qec", line, "/dev/null"], { env });
  await waiting.logged(/waiting for the source: seconds \d/);
  db.exec("rollback");
  const { code } = await waiting.ended;
  db.close();
  const stdout = waiting.log();
  assertEquals(code, 0, stdout);
  assert(stdout.endsWith("\r\x1b[Kset www.example.org. A 192.0.2.1\r\n"), stdout);
});
