/** Holds the README to the command line as it is. */
import { assert, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { SERVICES_TABLE, SERVICES_VIEW } from "../source/services_view.ts";

const README = Deno.readTextFileSync(new URL("../../../README.md", import.meta.url));
const FLAT = README.replaceAll(/\s+/g, " ");

Deno.test("README: names every command", async (t) => {
  for (const { name } of COMMANDS) {
    await t.step(name, () => assertStringIncludes(README, `\`${name}`));
  }
});

Deno.test("README: lists every flag of serve with its value and default", async (t) => {
  const serve = COMMANDS.find(({ name }) => name === "serve");
  assert(serve);
  for (const [name, flag] of Object.entries(serve.flags)) {
    await t.step(name, () => {
      const row = README.split("\n").find((line) => line.startsWith(`| \`--${name} `));
      assert(row, "no row");
      for (const value of flag.defaultText?.match(/[^\s,]*[/\d:_][^\s,]*/g) ?? []) {
        assertStringIncludes(row, value);
      }
      if (flag.repeatable) assertStringIncludes(row, "repeatable");
    });
  }
});

Deno.test("README: every flag it mentions is one", () => {
  const known = new Set(["help", ...COMMANDS.flatMap(({ flags }) => Object.keys(flags))]);
  for (const [, name] of FLAT.matchAll(/(?<!\w)--([a-z][a-z-]+)/g)) {
    assert(known.has(name), `--${name}`);
  }
});

Deno.test("README: its services example is the one that is tested on a real Postgres", () => {
  assertStringIncludes(README, SERVICES_TABLE.trim());
  assertStringIncludes(README, SERVICES_VIEW.trim());
});
