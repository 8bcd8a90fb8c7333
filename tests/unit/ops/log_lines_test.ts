/** The log's lines: gathered, in order, none lost. */
import { assertEquals } from "@std/assert";
import { LogLines } from "../../../lib/ops/log_lines.ts";
import { until } from "../../support/wait.ts";

function rig(): { writes: string[]; add(line: string, urgent?: boolean): void; lines: LogLines } {
  const writes: string[] = [];
  const lines = new LogLines((text) => writes.push(text));
  return { writes, lines, add: (line, urgent = false) => lines.add(() => line, urgent) };
}

Deno.test("lines are written together, soon", async () => {
  const { add, writes } = rig();
  for (const line of ["one", "two", "three"]) add(line);
  await Promise.resolve();
  add("four");
  assertEquals(writes, []);
  await until(() => writes.length > 0, { what: "the lines are written" });
  assertEquals(writes, ["one\ntwo\nthree\nfour\n"]);
  add("five");
  await until(() => writes.length > 1, { what: "the next line is written" });
  assertEquals(writes.slice(1), ["five\n"]);
});

Deno.test("a line is made when it is written", () => {
  const made: string[] = [];
  const lines = new LogLines(() => {});
  lines.add(() => (made.push("one"), "one"), false);
  assertEquals(made, []);
  lines.flush();
  lines.flush();
  assertEquals(made, ["one"]);
});

Deno.test("a warning is written at once, behind what came before it", () => {
  const { add, writes } = rig();
  add("one");
  add("two", true);
  assertEquals(writes, ["one\ntwo\n"]);
});

Deno.test("many lines do not wait", () => {
  const { add, writes, lines } = rig();
  for (let i = 0; i < 600; i++) add(String(i));
  lines.flush();
  assertEquals(writes.map((text) => text.trim().split("\n").length), [250, 250, 100]);
});

Deno.test("a process that ends in the middle of a turn, as it wants or by an error, loses no line", async () => {
  const source = new URL("../../../lib/ops/log.ts", import.meta.url).href;
  for (const end of ["Deno.exit(3)", 'throw new Error("end")', "Promise.reject(0)"]) {
    const code = `import { createLogger } from ${JSON.stringify(source)};
      const log = createLogger({ format: "text", level: "info" });
      setTimeout(() => { log.info("the last"); ${end}; }, 0);`;
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--no-lock",
        `--config=${new URL("../../../deno.json", import.meta.url).pathname}`,
        code,
      ],
      env: { NO_COLOR: "1" },
    });
    const { stderr } = await command.output();
    assertEquals(/INFO +(the last)/.exec(new TextDecoder().decode(stderr))?.[1], "the last", end);
  }
});
