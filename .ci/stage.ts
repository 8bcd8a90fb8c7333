/**
 * What is compiled: a copy of the sources, with the npm packages that zonecast itself uses and no
 * others.
 *
 * `deno compile` takes every npm package that deno.json names into the executable, those of the
 * tests too.
 */

const ROOT = new URL("../", import.meta.url).pathname;
/** Imports that only tests have, and types. Nothing in lib/ can import them in the copy. */
const FOR_TESTS = [
  "@std/assert",
  "axe-core",
  "dns-packet-types",
  "fast-check",
  "playwright-core",
];

/**
 * Copies the sources into a directory, which must be there and empty. Its lock file is ours
 * without the packages that are left out: every version stays the one that is locked.
 *
 * @param env  for the Deno that fetches packages: DENO_DIR
 */
export async function stageSources(
  directory: string,
  env: Record<string, string> = {},
): Promise<void> {
  for (const name of ["main.ts", "deno.lock", "lib"]) {
    await copy(ROOT + name, `${directory}/${name}`);
  }
  const project = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const name of FOR_TESTS) delete project.imports[name];
  await Deno.writeTextFile(`${directory}/deno.json`, JSON.stringify(project, null, 2) + "\n");
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "main.ts"],
    cwd: directory,
    env,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`the packages of ${directory} cannot be had; the reason is above`);
}

/** Copies a file, or a directory with all in it. */
async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}
