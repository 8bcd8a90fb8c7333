/** Progress and colour: on a terminal alone. */
import { assertEquals, assertMatch } from "@std/assert";
import { paintFor } from "../../../lib/cli/colour.ts";
import type { Context } from "../../../lib/cli/mod.ts";
import { Progress, progressLine } from "../../../lib/cli/progress.ts";

function terminal(isTerminal: boolean, env: Record<string, string> = {}) {
  const drawn: string[] = [];
  const context = {
    env: (name: string) => env[name],
    draw: (text: string) => drawn.push(text),
    outIsTerminal: isTerminal,
    errIsTerminal: isTerminal,
  } as unknown as Context;
  return { context, drawn };
}

Deno.test("progress: drawn over again once it takes a while, and taken away", () => {
  const { context, drawn } = terminal(true);
  let now = 0;
  const progress = new Progress(context, () => now);
  progress.show("ns1: questions", 1, 100);
  assertEquals(drawn, []);
  now = 600;
  progress.show("ns1: questions", 25, 100);
  progress.show("ns1: questions", 26, 100); // within a tenth of a second
  now = 750;
  progress.show("ns1: questions", 50, 100);
  progress.end();
  assertEquals(drawn.length, 3);
  assertMatch(drawn[0], /^\r.*ns1: questions \[######\.{18}\] 25% 25\/100$/);
  assertMatch(drawn[1], /50% 50\/100$/);
  assertEquals(drawn[2], "\r\x1b[K");
  progress.end();
  assertEquals(drawn.length, 3);
});

Deno.test("progress: nothing where standard error is no terminal", () => {
  const { context, drawn } = terminal(false);
  let now = 0;
  const progress = new Progress(context, () => now);
  now = 10_000;
  progress.show("x", 1);
  progress.end();
  assertEquals(drawn, []);
});

Deno.test("progress: without an end it counts; names are no commands to the terminal", () => {
  assertEquals(progressLine("rows read", 7), "rows read 7");
  const { context, drawn } = terminal(true);
  let now = 0;
  const progress = new Progress(context, () => now);
  now = 600;
  progress.show("a\x1b[2Jb", 1);
  assertEquals(drawn[0].slice(4).includes("\x1b"), false);
});

Deno.test("colour: on a terminal, unless NO_COLOR or a dumb one says no", () => {
  assertEquals(paintFor(terminal(true).context).bad("x"), "\x1b[31mx\x1b[0m");
  for (
    const context of [
      terminal(false).context,
      terminal(true, { NO_COLOR: "1" }).context,
      terminal(true, { TERM: "dumb" }).context,
    ]
  ) assertEquals(paintFor(context).bad("x"), "x");
});
