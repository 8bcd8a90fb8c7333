/** `make test`'s runner: what it ends with, by which a failure is found. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { run } from "./processes.ts";
import { tempDir } from "./tempdir.ts";

const RUNNER = new URL("../../.ci/test.ts", import.meta.url).pathname;

const runTests = (args: string[]) =>
  run(Deno.execPath(), ["run", "--no-prompt", "--allow-all", RUNNER, ...args]);

const FAILING = `
Deno.test("is good", () => {});
Deno.test("has steps => odd", async (t) => {
  await t.step("first", () => {
    console.error("--- log of server (pid 1)\\n" + "a line of its log\\n".repeat(50) + "the last line");
    throw new Error("first reason\\n" + "and more\\n".repeat(50));
  });
  await t.step("second", () => {
    throw new Error("second reason");
  });
});
Deno.test.ignore("is not run", () => {});
`;

Deno.test("the test runner ends with each failure, its reason and its logs, and says how many", async () => {
  await using dir = await tempDir();
  await dir.write("failing_test.ts", FAILING);
  await dir.write("good_test.ts", `Deno.test("one", () => {}); Deno.test("two", () => {});`);
  await dir.write(
    "uncaught_test.ts",
    `Deno.test("waits", async () => {
      Promise.reject(new Error("nobody's"));
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`,
  );
  await dir.write("missing_test.ts", `import "./nothing.ts";`);
  await dir.write("no_test_file.ts", `throw new Error("it ran");`);
  const { code, stdout } = await runTests([dir.path]);
  assertEquals(code, 1, stdout);

  const end = stdout.slice(stdout.indexOf("=== the slowest files"));
  assertMatch(end, /=== output of \S+failing_test\.ts: has steps => odd\n[^=]*the last line\n/);
  assert(end.split("a line of its log").length < 30, "a log is shown in part");
  assertMatch(end, /=== FAILED \S+failing_test\.ts: has steps => odd \.\.\. first\n.*first reason/);
  assert(end.split("and more").length < 40, "a message is shown in part");
  assertMatch(end, /second reason/);
  assertMatch(end, /uncaught_test\.ts: \(uncaught error\)\n.*nobody's/);
  assertMatch(end, /missing_test\.ts: \(the file exited with 1 before .*\)\n.*nothing\.ts/);
  const names = end.slice(end.indexOf("=== all that failed")).trim().split("\n");
  assertEquals(names.slice(1, -2).map((line) => line.replace(/^.*\//, "")).sort(), [
    "failing_test.ts: has steps => odd ... first",
    "failing_test.ts: has steps => odd ... second",
    "missing_test.ts: (the file exited with 1 before its tests were counted)",
    "uncaught_test.ts: (uncaught error)",
  ]);
  assertMatch(names.at(-1)!, /^NOT GOOD: 3 passed, 4 failed, 1 skipped; 4 of 4 files in \d+ s$/);
  // What .ci/run adds up: one line for each file.
  assertEquals([...stdout.matchAll(/^(ok|FAILED) \| \d+ passed.* \| \d+ failed/gm)].length, 4);
});

Deno.test("the test runner takes one file, and flags of deno test; good ends with 0", async () => {
  await using dir = await tempDir();
  const path = await dir.write(
    "good_test.ts",
    `Deno.test("one", () => {}); Deno.test("two", () => {});`,
  );
  const { code, stdout } = await runTests([path, "--filter=one"]);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /good: 1 passed, 0 failed, 0 skipped; 1 of 1 files in \d+ s\n$/);
  assertEquals((await runTests([`${dir.path}/no_test.ts`])).code, 1);
});
