/** The scenarios of `make bench` in which the work grows, in their short form. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { mustRun } from "../support/processes.ts";
import { tempDir } from "../support/tempdir.ts";

const MAIN = new URL("../bench/main.ts", import.meta.url).pathname;
/** How long it may take on a busy machine, in ms. */
const PATIENCE_MS = 400_000;
const SCENARIOS = ["growth", "many-secondaries", "many-zones", "burst"];

interface Report {
  readonly failures: readonly string[];
  readonly scenarios: readonly {
    readonly name: string;
    readonly rows: readonly { readonly server: string; readonly median: number }[];
    readonly notes: readonly string[];
  }[];
}

interopTest(
  "the bench measures growing work, compares it with the table, and draws a plot",
  { needs: ["gcc"] },
  async () => {
    await using dir = await tempDir();
    const [json, svg] = [`${dir.path}/bench.json`, `${dir.path}/growth.svg`];
    const run = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all", MAIN];
    const flags = ["--quick", `--only=${SCENARIOS}`, `--json=${json}`, `--svg=${svg}`];
    await mustRun(Deno.execPath(), [...run, ...flags], { timeoutMs: PATIENCE_MS });
    const report: Report = JSON.parse(await Deno.readTextFile(json));
    assertEquals(report.failures, []);
    assertEquals(report.scenarios.map(({ name }) => name), SCENARIOS);
    for (const { name, rows, notes } of report.scenarios) {
      assert(rows.some(({ server, median }) => server === "zonecast" && median > 0), name);
      assert(notes.some((note) => note.includes("table's")), `${name} compares: ${notes}`);
    }
    assertStringIncludes(await Deno.readTextFile(svg), "commit → NOTIFY");
  },
);
