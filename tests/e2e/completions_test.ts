/** Completions in the shells they are for, each at a terminal of its own where TAB is pressed. */
import { assertEquals, assertMatch } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { run } from "../support/processes.ts";
import { tempDir } from "../support/tempdir.ts";
import { zonecastCli } from "../support/zonecast.ts";

/** What is typed, TAB pressed behind it, and what the command line then is. */
const TYPED: [typed: string, completed: string][] = [
  ["zonecast stat", "zonecast status"],
  ["zonecast zone a", "zonecast zone add"],
  ["zonecast schema a", "zonecast schema apply"],
  ["zonecast serve --full-r", "zonecast serve --full-read-interval"],
  ["zonecast zone add example.org --mn", "zonecast zone add example.org --mname"],
  ["zonecast schema apply --ro", "zonecast schema apply --role"],
  ["zonecast serve --log-format log", "zonecast serve --log-format logfmt"],
  [
    "zonecast serve --listen 127.0.0.1:53 --log-format=j",
    "zonecast serve --listen 127.0.0.1:53 --log-format=json",
  ],
  ["zonecast serve --preset hetz", "zonecast serve --preset hetzner"],
  ["zonecast serve --state stat", "zonecast serve --state state-file.db"],
  ["zonecast import example.org stat", "zonecast import example.org state-file.db"],
  [
    "zonecast import --source sqlite:x example.org stat",
    "zonecast import --source sqlite:x example.org state-file.db",
  ],
  ["zonecast completions fi", "zonecast completions fish"],
  ["zonecast help keyg", "zonecast help keygen"],
];

async function scriptOf(
  shell: string,
  dir: { write(name: string, text: string): Promise<string> },
) {
  const { code, stdout, stderr } = await zonecastCli(["completions", shell]);
  assertEquals([code, stderr], [0, ""]);
  return await dir.write(`completions.${shell}`, stdout);
}

/**
 * Types lines at a shell's terminal; `zonecast` is there a function that prints its arguments.
 *
 * @param program  the shell and its flags
 */
async function typeInto(program: string, setup: string, dir: string): Promise<string[]> {
  const lines = [
    setup,
    `zonecast() { printf 'GOT<%s>\\n' "zonecast $*"; }`,
    `cd ${dir}`,
    "echo READY",
    ...TYPED.map(([typed]) => `${typed}\t`),
    "exit",
  ];
  const { stdout } = await run("script", ["-qec", program, "/dev/null"], {
    env: { TERM: "dumb", HOME: dir, PS1: "> " },
    input: lines.join("\n") + "\n",
  });
  return [...stdout.matchAll(/^GOT<(.*?) ?>\r?$/gm)].map(([, line]) => line);
}

interopTest(
  "completions: bash completes commands, flags, values and files",
  { needs: ["script"] },
  async () => {
    await using dir = await tempDir();
    await dir.write("state-file.db", "");
    const script = await scriptOf("bash", dir);
    const typed = await typeInto("bash --norc --noprofile -i", `source ${script}`, dir.path);
    assertEquals(typed, TYPED.map(([, completed]) => completed));
  },
);

interopTest("completions: zsh completes the same", { needs: ["zsh", "script"] }, async () => {
  await using dir = await tempDir();
  await dir.write("state-file.db", "");
  const script = await scriptOf("zsh", dir);
  const setup = `unsetopt beep; autoload -Uz compinit; compinit -u -D; source ${script}`;
  const typed = await typeInto("zsh -f -i", setup, dir.path);
  assertEquals(typed, TYPED.map(([, completed]) => completed));
});

interopTest(
  "completions: fish offers the same, with what each means",
  { needs: ["fish"] },
  async () => {
    await using dir = await tempDir();
    await dir.write("state-file.db", "");
    const script = await scriptOf("fish", dir);
    const asked = TYPED.map(([typed]) => `complete -C '${typed}'; echo ===`);
    const { stdout, stderr } = await run("fish", [
      "--no-config",
      "-c",
      [
        `cd ${dir.path}`,
        `source ${script}`,
        ...asked,
      ].join("\n"),
    ], { env: { HOME: dir.path } });
    assertEquals(stderr, "");
    const offered = stdout.split("===\n").slice(0, -1).map((lines) => lines.trim().split("\n"));
    for (const [index, [typed, completed]] of TYPED.entries()) {
      const words = offered[index].map((line) => line.split("\t")[0]);
      const last = completed.split(" ").at(-1)!;
      assertEquals([typed, words], [typed, [last]]);
    }
    assertMatch(stdout, /^--role\tmake this role/m);
    assertMatch(stdout, /^status\tshow the running server/m);
  },
);

interopTest(
  "man: mandoc and groff take it without complaint",
  { needs: ["mandoc", "groff"] },
  async () => {
    await using dir = await tempDir();
    const { code, stdout } = await zonecastCli(["man"]);
    assertEquals(code, 0);
    const page = await dir.write("zonecast.8", stdout);
    // The manuals of other packages need not be here.
    const lint = await run("mandoc", ["-Tlint", "-Wstyle", page]);
    const lines = lint.stdout.split("\n").filter((line) =>
      line !== "" && !line.includes("referenced manual not found")
    );
    assertEquals(lines, []);
    const groff = await run("groff", ["-mdoc", "-Tutf8", "-z", page]);
    assertEquals(groff.stderr, "");
    const shown = await run("mandoc", ["-Tascii", page]);
    const text = shown.stdout.replaceAll(/.[\b]/g, "") /* overstruck */;
    for (
      const word of [
        "zonecast serve",
        "--min-publish-interval INTERVAL",
        "Default: 100ms",
        "EXIT STATUS",
      ]
    ) {
      assertMatch(text, new RegExp(word));
    }
  },
);
