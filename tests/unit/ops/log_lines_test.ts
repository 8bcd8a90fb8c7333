/** The log's lines: gathered, in order, none lost. */
import { assertEquals } from "@std/assert";
import { LogLines } from "../../../lib/ops/log_lines.ts";
import { createLogger, type Logger } from "../../../lib/ops/mod.ts";

function rig(): { log: Logger; writes: string[]; lines: LogLines } {
  const writes: string[] = [];
  const lines = new LogLines((text) => writes.push(text));
  const log = createLogger({
    format: "text",
    level: "info",
    now: () => 0,
    write: (line, urgent) => lines.add(line.slice(19), urgent),
  });
  return { log, writes, lines };
}

Deno.test("lines of one turn are written together, before anything else that waits", async () => {
  const { log, writes } = rig();
  for (const event of ["one", "two", "three"]) log.info(event);
  assertEquals(writes, []);
  await Promise.resolve();
  log.info("four");
  await Promise.resolve();
  assertEquals(writes, ["one\ntwo\nthree\n", "four\n"]);
});

Deno.test("a warning is written at once, behind what came before it", () => {
  const { log, writes } = rig();
  log.info("one");
  log.warn("two");
  assertEquals(writes, ["one\ntwo\n"]);
});

Deno.test("many lines do not wait for the end of the turn", async () => {
  const { log, writes } = rig();
  const event = "x".repeat(999);
  for (let i = 0; i < 100; i++) log.info(event);
  assertEquals(writes.length, 1);
  await Promise.resolve();
  assertEquals(writes.map((text) => text.length / 1000), [66, 34]);
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
