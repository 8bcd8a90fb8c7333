import { assertEquals, assertStringIncludes } from "@std/assert";
import { readiness, readinessText } from "../../../../lib/cli/http/readiness.ts";

const UP = { up: true, since: 0, reason: undefined };
const AWAY = { up: false, since: 0, reason: "connection refused", hint: "start Postgres" };

Deno.test("readiness: zones served and changes published is all it takes", () => {
  const state = readiness({ zones: 1, link: UP, failure: undefined, stopped: undefined });
  assertEquals(state, { ready: true, reasons: [], remarks: [] });
  assertEquals(readinessText(state), "ready\n");
});

Deno.test("readiness: a source that is away is a remark while zones are served", () => {
  const state = readiness({ zones: 1, link: AWAY, failure: "x", stopped: undefined });
  assertEquals(state.ready, true);
  assertEquals(state.remarks.map(({ code }) => code), ["source-away"]);
  assertStringIncludes(readinessText(state), "connection refused\n  start Postgres");
});

Deno.test("readiness: without a zone it is not ready, and says what to do", () => {
  const away = readiness({ zones: 0, link: AWAY, failure: "x", stopped: undefined });
  assertEquals([away.ready, away.reasons[0].code], [false, "no-zone"]);
  assertEquals(away.reasons[0].hint, "start Postgres");
  const empty = readiness({ zones: 0, link: UP, failure: undefined, stopped: undefined });
  assertStringIncludes(empty.reasons[0].hint!, "zonecast zone add");
});

Deno.test("readiness: when nothing can be published it is not ready, whatever is served", () => {
  const stopped = { reason: "disk full", hint: "make room" };
  const state = readiness({ zones: 9, link: UP, failure: "disk full", stopped });
  assertEquals([state.ready, state.reasons.length, state.remarks.length], [false, 1, 0]);
  assertStringIncludes(
    readinessText(state),
    "not ready\n- nothing can be published: disk full\n  make room",
  );
});
