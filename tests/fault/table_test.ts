/** What the table of faults makes of accounts and log lines. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Account } from "./fault.ts";
import { tableMarkdown, tableText } from "./table.ts";
import { logEvents, toldOf } from "./told.ts";

const LINE = `{"event":"source down","level":"warn","time":"2026-01-01T00:00:00.000Z",
"reason":"Cannot reach postgres 127.0.0.1:5432/app: gone","hint":"see /tmp/x/y.db"}`
  .replaceAll("\n", "");

Deno.test("a log line is told without the places of this run, what to do apart", () => {
  const [event] = logEvents(`no JSON\n${LINE}\n{"event":"begun to be`);
  assertEquals(toldOf(event, 5_120), {
    what: "`source down`: Cannot reach postgres: gone (after 5.1 s)",
    hint: "see y.db",
  });
  assertEquals(toldOf(event, -1).what, "`source down`: Cannot reach postgres: gone");
});

const account: Account = {
  fault: { name: "a-fault", what: "a | fault", run: () => Promise.resolve() },
  seconds: 1,
  probe: {
    answers: 1_000,
    questions: 1_010,
    unanswered: 10,
    longestGapMs: 90,
    bad: [],
    serials: [],
  },
  live: [
    { when: "meanwhile", ms: 10 },
    { when: "meanwhile", ms: 1_500 },
    { when: "afterwards", ms: 20 },
  ],
  told: [{ what: "first", hint: "do this" }, { what: "second" }],
};

Deno.test("a row has what was unanswered, the slowest change of each kind, and what is told", () => {
  const [, , group, row] = tableMarkdown([{ title: "Title", of: [account] }]).split("\n");
  assertStringIncludes(group, "**Title**");
  assertEquals(
    row,
    "| a \\| fault | 10 of 1,010, 90 ms on end | 1.5 s after its end; then 20 ms | first<br>second |",
  );
});

Deno.test("what failed is shown as such, and groups without any are left out", () => {
  const failed = { ...account, failure: new Error("the reason") };
  const text = tableText([{ title: "Empty", of: [] }, { title: "Title", of: [failed] }]);
  assertStringIncludes(text, "FAILED a-fault");
  assertStringIncludes(text, "the reason");
  assertEquals(text.includes("Empty"), false);
});
