import { assertEquals, assertMatch } from "@std/assert";
import { ZonecastError } from "../../../lib/dns/mod.ts";
import {
  createLogger,
  type Fields,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
} from "../../../lib/ops/mod.ts";

const NOON = Date.UTC(2026, 0, 2, 12, 0, 0, 7);

function lineOf(
  format: LogFormat,
  event: string,
  fields?: Fields,
  journal = false,
): string {
  const lines: string[] = [];
  createLogger({
    format,
    level: "debug",
    journal,
    write: (line) => lines.push(line),
    now: () => NOON,
  }).info(event, fields);
  assertEquals(lines.length, 1);
  return lines[0];
}

Deno.test("log: a line in each format", async (t) => {
  const fields = { zone: "example.org.", serial: 7, note: "two words" };
  const lines: [LogFormat, string][] = [
    [
      "text",
      `12:00:00.007 INFO  zone published  zone=example.org. serial=7 note="two words"`,
    ],
    [
      "logfmt",
      `time=2026-01-02T12:00:00.007Z level=info event="zone published" zone=example.org. serial=7 note="two words"`,
    ],
    [
      "json",
      `{"zone":"example.org.","serial":7,"note":"two words","time":"2026-01-02T12:00:00.007Z","level":"info","event":"zone published"}`,
    ],
  ];
  for (const [format, line] of lines) {
    await t.step(format, () => {
      assertEquals(lineOf(format, "zone published", fields), line);
    });
  }
});

Deno.test("log: control characters never reach the output in any format", async (t) => {
  for (const format of ["text", "logfmt", "json"] as const) {
    await t.step(format, () => {
      const line = lineOf(format, "odd\nevent\x1b[2J", {
        value: "a\nlevel=error\r\x1b]0;x\x07\x9b\u202e",
      });
      // deno-lint-ignore no-control-regex -- control characters are what is looked for
      assertEquals(/[\x00-\x1f\x7f-\x9f\u202e]/.test(line), false, line);
    });
  }
});

Deno.test("log: fields without a value are left out, errors show code and hint", () => {
  const error = new ZonecastError("some-code", "it broke", "mend it");
  assertEquals(
    lineOf("text", "failed", { a: undefined, b: null, error }),
    `12:00:00.007 INFO  failed  error="it broke" code=some-code hint="mend it"`,
  );
});

Deno.test("log: an error that is our bug shows where it arose", () => {
  assertMatch(
    lineOf("text", "failed", { error: new TypeError("x is not y") }),
    /error="TypeError: x is not y" stack=".*log_test\.ts/,
  );
});

Deno.test("log: nothing below the level is written", async (t) => {
  for (const [index, level] of LOG_LEVELS.entries()) {
    await t.step(level, () => {
      const seen: LogLevel[] = [];
      const log = createLogger({
        format: "json",
        level,
        write: (line) => seen.push(JSON.parse(line).level),
      });
      for (const each of LOG_LEVELS) log[each]("event");
      assertEquals(seen, LOG_LEVELS.slice(index));
    });
  }
});

Deno.test("log: a child carries its fields into every line", () => {
  const lines: string[] = [];
  const log = createLogger({
    format: "logfmt",
    level: "info",
    write: (line) => lines.push(line),
    now: () => NOON,
  });
  log.child({ zone: "a." }).child({ peer: "::1" }).warn("refused", { n: 1n });
  assertMatch(lines[0], / event=refused zone=a\. peer=::1 n=1$/);
});

Deno.test("log: the journal's priority stands first, but not before JSON", () => {
  assertMatch(lineOf("logfmt", "e", {}, true), /^<6>time=/);
  assertMatch(lineOf("json", "e", {}, true), /^\{/);
});
