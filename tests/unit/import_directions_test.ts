/** Holds the imports of lib/ to the table in the design: which folder may import which. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** What each place may import. `dns` imports nothing, so errors and names may be used anywhere. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  dns: [],
  wire: ["dns"],
  zone: ["dns", "wire"],
  ops: ["dns"],
  source: ["dns", "zone", "ops"],
  store: ["dns", "zone", "ops"],
  transfer: ["dns", "wire", "zone"],
  server: ["dns", "wire", "zone", "transfer", "ops"],
  primary: ["dns", "source", "zone", "store", "ops"],
  cli: ["dns", "wire", "zone", "ops", "source", "store", "transfer", "server", "primary"],
  main: ["cli", "ops"],
};

/** from-clauses, bare imports, dynamic imports, and workers named by URL. */
const IMPORT_FORMS = [
  /\b(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']/g,
  /\bimport\s*["']([^"']+)["']/g,
  /\bimport\s*\(\s*["']([^"']+)["']/g,
  /\bnew\s+URL\(\s*["']([^"']+)["']\s*,\s*import\.meta\.url/g,
];

/** The specifiers a source text imports, in every form there is. */
function importsOf(text: string): string[] {
  return IMPORT_FORMS.flatMap((form) => Array.from(text.matchAll(form), (match) => match[1]));
}

/** Which row of the table a path (from the root) belongs to; undefined outside lib and main.ts. */
function placeOf(path: string): string | undefined {
  if (path === "main.ts") return "main";
  return /^lib\/([^/.]+)/.exec(path)?.[1];
}

/** What is wrong with `path` importing `specifier`, or undefined. */
function objection(path: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined; // a package, by the import map
  const target = new URL(specifier, new URL(path, ROOT)).pathname.slice(ROOT.pathname.length);
  const from = placeOf(path);
  const to = placeOf(target);
  if (from === undefined || to === from) return undefined;
  if (target === "deno.json") return undefined; // the version stands there
  if (to === undefined) return `${path} imports ${target}, which is outside lib`;
  if (!MAY_IMPORT[from]) return `${path}: the table has no place "${from}"`;
  if (!MAY_IMPORT[from].includes(to)) return `${path} imports ${target}: ${from} may not use ${to}`;
  const isPublic = target === `lib/${to}/mod.ts` || target === `lib/${to}.ts`;
  return isPublic ? undefined : `${path} imports ${target}: go through lib/${to}/mod.ts`;
}

function* sourceFiles(dir: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(dir, ROOT))) {
    const path = `${dir}${entry.name}`;
    if (entry.isDirectory) yield* sourceFiles(`${path}/`);
    else if (/\.ts$/.test(path) && !path.endsWith(".d.ts")) yield path;
  }
}

Deno.test("lib/ and main.ts import only what the design's table allows, through mod.ts", () => {
  const files = Array.from(sourceFiles("lib/"));
  for (const entry of Deno.readDirSync(ROOT)) if (entry.name === "main.ts") files.push(entry.name);
  const objections = files.flatMap((path) =>
    importsOf(Deno.readTextFileSync(new URL(path, ROOT)))
      .map((specifier) => objection(path, specifier))
      .filter((text) => text !== undefined)
  );
  assertEquals(objections, []);
});

/** What a module evaluates before itself; types are left out. */
function evaluatedBefore(text: string): string[] {
  const forms = [
    /\b(?:import|export)\b(?!\s+type\b)[^"';()]*?\bfrom\s*["']([^"']+)["']/g,
    IMPORT_FORMS[1],
  ];
  return forms.flatMap((form) => Array.from(text.matchAll(form), (match) => match[1]));
}

Deno.test("main.ts gives a permission back before it loads a package of others", () => {
  const seen = new Set([new URL("main.ts", ROOT).href]);
  for (const module of seen) {
    for (const specifier of evaluatedBefore(Deno.readTextFileSync(new URL(module)))) {
      if (specifier.startsWith("node:")) continue; // the runtime's own
      assert(/^\.{0,2}\//.test(specifier), `${module} imports ${specifier}`);
      if (specifier.endsWith(".ts")) seen.add(new URL(specifier, module).href);
    }
  }
  assert(seen.has(new URL("lib/ops/system_calls.ts", ROOT).href), "the permission is given there");
});

Deno.test("every form of import is seen", () => {
  const text = `
    import a from "./a.ts";
    import type { B } from './b.ts';
    import {
      c,
    } from "./c.ts";
    import "./d.ts";
    export * from "./e.ts";
    export { f } from "./f.ts";
    const g = await import("./g.ts");
    new Worker(new URL("./h.ts", import.meta.url), { type: "module" });
  `;
  assertEquals(
    importsOf(text).sort(),
    ["a", "b", "c", "d", "e", "f", "g", "h"].map((letter) => `./${letter}.ts`),
  );
});

Deno.test("an import against the table is refused", () => {
  assertEquals(
    objection("lib/dns/name.ts", "../zone/mod.ts"),
    "lib/dns/name.ts imports lib/zone/mod.ts: dns may not use zone",
  );
  assertEquals(
    objection("lib/zone/page.ts", "../dns/name.ts"),
    "lib/zone/page.ts imports lib/dns/name.ts: go through lib/dns/mod.ts",
  );
  assertEquals(
    objection("lib/cli/run.ts", "../../tests/support/wait.ts"),
    "lib/cli/run.ts imports tests/support/wait.ts, which is outside lib",
  );
  assertEquals(objection("lib/zone/page.ts", "../dns/mod.ts"), undefined);
  assertEquals(objection("lib/zone/mod.ts", "./page.ts"), undefined);
  assertEquals(objection("lib/cli/serve.ts", "../primary.ts"), undefined);
  assertEquals(objection("main.ts", "./lib/cli/mod.ts"), undefined);
});
