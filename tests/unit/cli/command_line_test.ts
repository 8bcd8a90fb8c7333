import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { envName } from "../../../lib/cli/flags.ts";
import { zonecast } from "./context.ts";

Deno.test("help: the overview lists every command and the exit codes", async (t) => {
  for (const args of [["--help"], ["-h"], ["help"]]) {
    await t.step(args.join(" "), async () => {
      const { code, out, err } = await zonecast(args);
      assertEquals([code, err], [0, ""]);
      for (const { name, summary } of COMMANDS) {
        assertStringIncludes(out, `  ${name}`);
        assertStringIncludes(out.replaceAll(/\s+/g, " "), summary);
      }
      assertStringIncludes(out, "Exit codes: 0 good, 1 failed, 2 wrong");
    });
  }
});

Deno.test("help: each command's help has its usage, every flag and what it takes", async (t) => {
  for (const command of COMMANDS) {
    await t.step(command.name, async () => {
      const { code, out, err } = await zonecast([...command.name.split(" "), "--help"]);
      assertEquals([code, err], [0, ""]);
      assertEquals((await zonecast(["help", ...command.name.split(" ")])).out, out);
      assertStringIncludes(out, `Usage: zonecast ${command.name}`);
      const flat = out.replaceAll(/\s+/g, " ");
      for (const [name, flag] of Object.entries(command.flags)) {
        const left = flag.form ? `--${name} ${flag.form.placeholder}` : `--${name}`;
        assertStringIncludes(flat, `${left} ${flag.help}`);
        if (flag.env) assertStringIncludes(flat, envName(name));
        if (flag.defaultText) assertStringIncludes(flat, `default: ${flag.defaultText}`);
        if (flag.form && !flag.form.placeholder.includes("|")) {
          assertStringIncludes(flat, flag.form.takes);
        }
      }
      assert(command.examples.length > 0, "no example");
      for (const example of command.examples) assertStringIncludes(out, `zonecast ${example}`);
    });
  }
});

Deno.test("help: no line is wider than 100 columns, but for examples", async () => {
  for (const { name } of COMMANDS) {
    const { out } = await zonecast([...name.split(" "), "--help"]);
    const [text] = out.split("Examples:");
    for (const line of text.split("\n")) assert(line.length <= 100, line);
  }
});

Deno.test("help: an example's flags and arguments are those of its command", async (t) => {
  for (const { name, examples, flags, positionals } of COMMANDS) {
    for (const example of examples) {
      await t.step(example, () => {
        assert(example.startsWith(name));
        for (const [, flag] of example.matchAll(/ --([a-z-]+)/g)) {
          assert(Object.hasOwn(flags, flag), `--${flag} is no flag of ${name}`);
        }
        const required = positionals.filter(({ optional }) => !optional).length;
        assert(example.split(" ").length - name.split(" ").length >= required);
      });
    }
  }
});

/** Command lines that are wrong before any command runs, and the line said about each. */
const WRONG: [args: string[], line: string][] = [
  [["--x"], `zonecast: "--x" is no command; \`zonecast --help\` lists them`],
  [["zoen", "add"], `zonecast: unknown command "zoen"; did you mean "zone"?`],
  [["stauts"], `zonecast: unknown command "stauts"; did you mean "status"?`],
  [["xyzzy"], `zonecast: unknown command "xyzzy"; \`zonecast --help\` lists them`],
  [["help", "xyzzy"], `zonecast: unknown command "xyzzy"; \`zonecast --help\` lists them`],
  [["zone"], `zonecast: "zone" alone is no command; there are: zone add, zone set, zone remove`],
  [["zone", "ad"], `zonecast: unknown command "zone ad"; did you mean "zone add"?`],
  [["version", "x"], `zonecast: version: unexpected "x"; usage: zonecast version`],
  [["version", "--jsn"], `zonecast: version: unknown flag "--jsn"; did you mean --json?`],
  [["zones"], "zonecast: no source: give --source or set ZONECAST_SOURCE; it takes postgres://"],
  [["zones", "--source", "db"], "zonecast: --source: it has no scheme; it takes postgres://"],
  [["zones", "--source", "sqlite:"], "zonecast: --source: no file stands behind sqlite:; it takes"],
  [
    ["zones", "--source", "postgres:/db"],
    "zonecast: --source: no // stands behind postgres:; it takes postgres://USER@HOST",
  ],
  [
    ["zone", "set", "example.org", "--rname", "admin@example.org"],
    `zonecast: --rname "admin@example.org": it is a mail address; it takes a name, its @ written`,
  ],
  [["set", "example.org"], "zonecast: set: NAME is missing; usage: zonecast set ZONE NAME TYPE"],
  [["set", "a..b", "@", "A", "192.0.2.1"], `zonecast: ZONE "a..b": Cannot parse name "a..b": it`],
  [["set", "b", "a..b", "A", "192.0.2.1"], `zonecast: NAME "a..b": Cannot parse name "a..b": it`],
  [["set", "b", "a", "AA", "192.0.2.1"], `zonecast: TYPE "AA": it is no RR type known here; it`],
  [["set", "b", "a", "ANY", "x"], `zonecast: TYPE "ANY": ANY is no type of zone data; it takes`],
  [["set", "b", "@", "SOA", "x"], `zonecast: TYPE "SOA": the SOA record is made from the zone's`],
  [["set", "b", "a", "TXT", "-all"], `zonecast: set: "-all" is no flag; a value that begins with`],
  [["zone", "add", "example.org"], "zonecast: zone add: --ns is missing; a zone needs at least"],
  [["zone", "set", "example.org"], "zonecast: zone set: nothing to change; it takes --mname"],
  [
    ["zone", "set", "example.org", "--serial-floor", "4294967296"],
    `zonecast: --serial-floor "4294967296": it is too large for a serial; it takes a whole number`,
  ],
  [["import", "example.org"], "zonecast: import: FILE is missing; usage: zonecast import ZONE"],
  [["serve"], "zonecast: no source: give --source or set ZONECAST_SOURCE; it takes postgres://"],
  [["serve", "--secondary", "ns1"], `zonecast: --secondary "ns1": "ns1" is a name, not an IP`],
  [
    ["serve", "--secondary", "192.0.2.1,x=1"],
    `zonecast: --secondary "192.0.2.1,x=1": "x=1" is no option of a secondary; it takes [NAME=]IP`,
  ],
  [
    ["serve", "--secondary", "a=192.0.2.1", "--secondary", "a=192.0.2.2"],
    `zonecast: --secondary: "a" is there twice; name one NAME=IP`,
  ],
  [
    ["serve", "--listen", "127.0.0.1:53", "--listen", "127.0.0.1:53"],
    `zonecast: --listen: "127.0.0.1:53" is there twice`,
  ],
  [
    ["serve", "--journal-max-size", "10 apples"],
    `zonecast: --journal-max-size "10 apples": it is no size; it takes a size such as 10MiB`,
  ],
  [
    ["serve", "--journal-max-age", "30"],
    `zonecast: --journal-max-age "30": it has no unit; it takes a duration with its unit`,
  ],
  [
    ["serve", "--ixfr-condense", "maybe"],
    `zonecast: --ixfr-condense "maybe": it is none of these; it takes on or off`,
  ],
  [
    ["serve", "--feed-retention", "1ms"],
    `zonecast: --feed-retention "1ms": it is too short; it takes a duration with its unit`,
  ],
  [["serve", "--lag-alarm", "soon"], `zonecast: --lag-alarm "soon": it is no duration; it takes`],
  [["serve", "--such-rows", "keep"], `zonecast: serve: unknown flag "--such-rows"`],
  [["serve", "--bad-rows", "drop"], `zonecast: --bad-rows "drop"`],
  [["serve", "--zone", "a..b"], `zonecast: --zone "a..b": Cannot parse name "a..b": it has an`],
  [["serve", "now"], `zonecast: serve: unexpected "now"; usage: zonecast serve`],
];

Deno.test("usage: whatever is wrong is said in one line on standard error, exit code 2", async (t) => {
  for (const [args, line] of WRONG) {
    await t.step(args.join(" "), async () => {
      const { code, out, err } = await zonecast(args);
      assertEquals(out, "");
      assertEquals(err.slice(0, line.length), line);
      assertMatch(err, /^[^\n]+\n$/);
      assertEquals(code, 2);
    });
  }
});

Deno.test("usage: a source's password is never shown", async (t) => {
  const urls = [
    "postgresx://app:SECRET@db/app",
    "http://app:SECRET@db/app",
    "app:SECRET@db",
    "postgres://app:SECRET@db:99999/app",
    "postgres://app:SECRET@db/app?sslmode=SECRET",
  ];
  for (const url of urls) {
    await t.step(url, async () => {
      for (const args of [["zones", "--source", url], ["zones", `--sauce=${url}`]]) {
        const { code, out, err } = await zonecast(args);
        assert(code === 1 || code === 2);
        assert(!(out + err).includes("SECRET"), err);
      }
      const { out, err } = await zonecast(["zones"], { ZONECAST_DATABASE: url });
      assert(!(out + err).includes("SECRET"), err);
    });
  }
});

Deno.test("no command at all: the overview on standard error, exit code 2", async () => {
  const { code, out, err } = await zonecast([]);
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "Usage: zonecast COMMAND");
});

Deno.test("version: for people and as JSON", async () => {
  const { code, out } = await zonecast(["version"]);
  assertEquals(code, 0);
  assertMatch(out, /^zonecast \d+\.\d+\.\d+ \(Deno \d+\.\d+\.\d+, V8 [\d.]+\S*, [a-z0-9_-]+\)\n$/);
  assertEquals((await zonecast(["--version"])).out, out);
  const parts = JSON.parse((await zonecast(["version", "--json"])).out);
  assertEquals(Object.keys(parts), ["zonecast", "deno", "v8", "target"]);
});
