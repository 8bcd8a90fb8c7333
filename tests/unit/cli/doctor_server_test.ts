/** What the doctor makes of what a running server tells of itself. */
import { assertEquals, assertMatch } from "@std/assert";
import { flagsFinding, serverFindings } from "../../../lib/cli/doctor_published.ts";
import type { StatusReport } from "../../../lib/cli/status_report.ts";

const SOURCE = {
  description: "postgres db/app",
  up: true,
  since: "2026-01-01T00:00:00.000Z",
  reads: { full: 1, feed: 0 },
};
const SERVER = {
  version: "0",
  pid: 7,
  startedAt: "2026-01-01T00:00:00.000Z",
  listen: ["127.0.0.1:53"],
  source: SOURCE,
};

function report(server: object = {}, more: object = {}): StatusReport {
  return {
    server: { ...SERVER, ...server },
    zones: [],
    secondaries: [],
    problems: [],
    held: [],
    ...more,
  } as unknown as StatusReport;
}

const PROBLEM = {
  zone: "a.",
  severity: "error",
  name: "x.a.",
  type: "A",
  content: "y",
  code: "c",
  reason: "it is bad",
  since: "2026-01-02T03:04:05.000Z",
};
const HELD = { zone: "a.", id: "1f", why: "9 of 10 owners would be gone" };

Deno.test("doctor: a server that is well", () => {
  assertEquals(serverFindings(report()).map(({ check, verdict }) => `${check} ${verdict}`), [
    "running good",
    "source good",
  ]);
});

Deno.test("doctor: what a server is in trouble with, and what mends it", async (t) => {
  const table: [check: string, verdict: string, report: StatusReport, text: RegExp, fix: RegExp][] =
    [
      [
        "source",
        "bad",
        report({ source: { ...SOURCE, up: false, reason: "nobody answers" } }),
        /cannot read postgres db\/app: nobody answers/,
        /source's findings/,
      ],
      [
        "source",
        "bad",
        report({ source: { ...SOURCE, failure: "no right" } }),
        /no right/,
        /source's findings/,
      ],
      [
        "write-back",
        "bad",
        report({ source: { ...SOURCE, writeBackFailure: "no right" } }),
        /no right/,
        /schema apply --role/,
      ],
      [
        "state",
        "bad",
        report({
          unkept: { since: "2026-01-01T00:00:00.000Z", reason: "disk full", hint: "free" },
        }),
        /nothing is kept in the state file: disk full/,
        /free/,
      ],
      [
        "problems",
        "warning",
        report({}, { problems: [{ ...PROBLEM, severity: "warning" }, PROBLEM] }),
        /1 record is not served as written: x\.a\.: it is bad/,
        /zonecast problems/,
      ],
      [
        "held",
        "warning",
        report({}, { held: [HELD, HELD] }),
        /2 changes are held: a\.: 9 of 10/,
        /zonecast held/,
      ],
    ];
  for (const [check, verdict, told, text, fix] of table) {
    await t.step(`${check}: ${text}`, () => {
      const found = serverFindings(told).find((each) => each.check === check);
      assertEquals(found?.verdict, verdict);
      assertMatch(found?.text ?? "", text);
      assertMatch(found?.fix ?? "", fix);
    });
  }
});

Deno.test("doctor: flags that are not the running server's", () => {
  assertEquals(flagsFinding(undefined, ["a"]), undefined);
  assertEquals(flagsFinding(["a", "b"], ["b", "a"]), undefined);
  assertMatch(flagsFinding(["a", "b"], [])?.text ?? "", /has a, b, which these flags do not name/);
  assertMatch(flagsFinding(["a"], ["a", "c"])?.text ?? "", /does not have c/);
});
