/** `make bench` in its short form: everything but meaningful figures. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { mustRun } from "../support/processes.ts";
import { tempDir } from "../support/tempdir.ts";

const MAIN = new URL("../bench/main.ts", import.meta.url).pathname;
/** How long it may take on a busy machine, in ms. */
const PATIENCE_MS = 240_000;

interface Report {
  readonly failures: readonly string[];
  readonly scenarios: readonly {
    readonly name: string;
    readonly rows: readonly { readonly server: string; readonly median: number }[];
    readonly notes: readonly string[];
    readonly goals: readonly { readonly verdict: string }[];
  }[];
}

interopTest("the bench measures, compares and reports", { needs: ["gcc"] }, async () => {
  await using dir = await tempDir();
  const json = `${dir.path}/bench.json`;
  const table = await mustRun(
    Deno.execPath(),
    [
      ...["run", "--quiet", "--no-prompt", "--no-check", "--allow-all", MAIN],
      ...["--quick", "--only=axfr,questions,clients", `--json=${json}`],
    ],
    { timeoutMs: PATIENCE_MS },
  );
  const report: Report = JSON.parse(await Deno.readTextFile(json));

  assertEquals(report.failures, []);
  assertEquals(report.scenarios.map(({ name }) => name), ["axfr", "questions", "clients"]);
  for (const { name, rows, notes, goals } of report.scenarios) {
    assertStringIncludes(table, `${name}: `);
    assert(rows.some(({ server, median }) => server === "zonecast" && median > 0), name);
    assert(notes.some((note) => /^compared: all \d+ records/.test(note)), notes.join("\n"));
    assert(goals.every(({ verdict }) => verdict === "not measured"), "the short form judges");
  }
  assertStringIncludes(table, "÷ zonecast");
});
