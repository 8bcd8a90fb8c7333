/** What `check --json` says is good: as its exit code says. */
import { assertEquals } from "@std/assert";
import { checkReport } from "../../../lib/cli/check_report.ts";
import type { Forecast } from "../../../lib/primary.ts";

const PROBLEM = {
  zone: "example.org.",
  group: "zone",
  owner: null,
  scope: "rrset",
  name: "www",
  type: "A",
  content: "",
  code: "ttls-differ",
  reason: "its TTLs differ",
  hint: undefined,
} as const;

function report(severity: "error" | "warning") {
  const found: Forecast = { zones: [], problems: [{ ...PROBLEM, severity }] };
  return checkReport({ from: "nothing" } as Parameters<typeof checkReport>[0], found);
}

Deno.test("check --json: what is only warned of is good, and told as a warning", () => {
  const { good, problems } = report("warning");
  assertEquals(good, true);
  assertEquals(problems.map(({ severity }) => severity), ["warning"]);
  assertEquals(report("error").good, false);
});
