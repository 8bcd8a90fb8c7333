/** What every command must bring with it, whoever adds it: examples, --json and its shape. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { listFields } from "../../../lib/cli/json_shape.ts";
import { zonecast } from "./context.ts";

/** Commands whose output is a text for another program; why none has --json. */
const TEXT_ONLY: Readonly<Record<string, string>> = {
  serve: "its output is its log: --log-format json",
  schema: "prints SQL",
  "systemd-unit": "prints a unit",
  dashboards: "prints JSON and YAML as Grafana and Prometheus take them",
  completions: "prints a shell's script",
  man: "prints a manual page",
};

Deno.test("commands: each says with --json what it says, and documents it", async (t) => {
  for (const { name, flags, json } of COMMANDS) {
    await t.step(name, () => {
      if (Object.hasOwn(TEXT_ONLY, name)) {
        assert(!("json" in flags) && !json, `${name}: ${TEXT_ONLY[name]}, and it has --json?`);
        return;
      }
      assert(
        "json" in flags,
        `${name} has no --json: add JSON_FLAG to its flags (lib/cli/json_output.ts), or name it in ` +
          "TEXT_ONLY here with the reason",
      );
      assert(
        json,
        `${name} has --json, and nobody knows what it prints: give its defineCommand a \`json:\` ` +
          "made with lib/cli/json_shape.ts",
      );
      for (const { path, help } of listFields(json)) assert(help, `${name}: ${path} has no help`);
    });
  }
});

Deno.test("commands: `help json` shows each shape, alone and among all", async () => {
  const { code, out } = await zonecast(["help", "json"]);
  assertEquals(code, 0);
  for (const { name, json } of COMMANDS.filter(({ json }) => json)) {
    assertStringIncludes(out, `zonecast ${name} --json: `);
    const alone = await zonecast(["help", "json", ...name.split(" ")]);
    assertStringIncludes(alone.out, `zonecast ${name} --json: `);
    for (const { path } of listFields(json!)) {
      if (path !== "[]") assert(/\s/.test(alone.out.split(`  ${path}`)[1][0]));
    }
  }
  assertMatch((await zonecast(["help", "json", "schema"])).err, /schema has no --json/);
  assertMatch((await zonecast(["help", "json", "shcema"])).err, /did you mean "schema"\?/);
});

Deno.test("commands: each has two examples where it takes more than its name", async (t) => {
  for (const { name, examples, flags, positionals } of COMMANDS) {
    await t.step(name, () => {
      const least = positionals.length + Object.keys(flags).length > 0 ? 1 : 0;
      assert(examples.length >= least, `${name} has no example: add one to its defineCommand`);
    });
  }
});

Deno.test("commands: what every one refuses alike, with 2 and one line", async (t) => {
  for (const { name, positionals } of COMMANDS) {
    await t.step(name, async () => {
      const words = name.split(" ");
      const unknown = await zonecast([...words, "--no-such-flag"]);
      assertEquals([unknown.code, unknown.out], [2, ""]);
      assertMatch(unknown.err, /^zonecast: .*unknown flag "--no-such-flag"; .*\n$/);
      const required = positionals.filter(({ optional }) => !optional);
      if (required.length > 0) {
        const missing = await zonecast(words);
        assertEquals([missing.code, missing.out], [2, ""]);
        assertMatch(missing.err, new RegExp(`${required[0].name} is missing; usage: zonecast`));
      }
      if (!positionals.some(({ rest }) => rest)) {
        const more = await zonecast([...words, ...positionals.map(() => "x"), "one-more"]);
        assertEquals([more.code, more.out], [2, ""]);
        assertMatch(more.err, /unexpected "one-more"; usage: zonecast/);
      }
    });
  }
});
