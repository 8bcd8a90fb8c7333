/** `make run`: the demo serves, and every line it prints to try does what it says. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { mustRun, type Running, spawn } from "../support/processes.ts";
import { untilServed } from "../support/served.ts";
import { until } from "../support/wait.ts";
import { tempDir } from "../support/tempdir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The commands the demo prints, in its order. */
function printedLines(demo: Running): string[] {
  return [...demo.log().matchAll(/^ {2}(\S.*)$/gm)].map(([, line]) => line);
}

/** Processes whose command line names a path. */
function processesWith(path: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(path);
    } catch {
      return false; // ended meanwhile
    }
  }).map(({ name }) => name);
}

interopTest("the demo serves, its printed lines work, and Ctrl-C leaves no process", {
  needs: ["dig"],
}, async (t) => {
  await using dir = await tempDir();
  const port = freePort();
  const server = { addr: "127.0.0.1", port };
  // The Deno that runs the tests: not every machine has one on PATH.
  const env = { DENO: Deno.execPath(), DEMO_PORT: String(port), DEMO_DIR: `${dir.path}/demo` };
  await using demo = spawn(`${ROOT}.ci/demo`, [], { name: "demo", cwd: "/", env });
  await untilServed(server, "www.demo.example", "A", ["192.0.2.1"]);
  const lines = printedLines(demo);
  const sh = (script: string) => mustRun("sh", ["-euc", script], { cwd: ROOT, env });

  await t.step("the dig lines show the zone", async () => {
    const asked = lines.filter((line) => line.startsWith("dig "));
    const [address, soa, axfr] = await Promise.all(asked.map(sh));
    assertMatch(address, /^www\.demo\.example\.\s+60\s+IN\s+A\s+192\.0\.2\.1$/m);
    assertMatch(soa, /^demo\.example\.\s+60\s+IN\s+SOA\s/m);
    assertEquals(axfr.match(/\sIN\sSOA\s/g)?.length, 2);
    assertEquals(asked.length, 3);
  });

  await t.step("the lines that change records are served, and seen in the log", async () => {
    const before = demo.log().length;
    await sh(lines.filter((line) => !line.startsWith("dig ")).join("\n"));
    await untilServed(server, "www.demo.example", "A", ["192.0.2.2"]);
    await untilServed(server, "hello.demo.example", "TXT", ["hello, world"]);
    const published = () => /zone published.*demo\.example/.test(demo.log().slice(before));
    await until(published, { what: "it is seen in the log" });
  });

  await t.step("Ctrl-C ends it", async () => {
    assert(processesWith(dir.path).length > 0);
    const { code } = await demo.stop("SIGINT");
    assertEquals(code, 0, demo.log());
    assertEquals(processesWith(dir.path), []);
  });
});
