/**
 * What the npm packages that are compiled in hold and zonecast never runs.
 *
 * `deno compile` takes whole packages: other builds of them, types, tests with their data. The
 * executable reads all it holds into memory when it starts, so each octet of it is one of a server
 * for as long as that runs.
 */

/** Of each package, by what comes in its folder first: what is run; all, where it is not named. */
const RUN: Readonly<Record<string, readonly string[]>> = {
  "@opentelemetry/api": ["build/src"],
  "bintrees": ["index.js", "lib"],
  "deno-std": ["cli/parse_args.js", "encoding", "yaml"],
  "postgres": ["src"],
  "tdigest": ["tdigest.js"],
};
/** In every package: what it is, and the terms under which it may be passed on. */
const ALWAYS = /^(package\.json|licen[cs]e(\..*)?)$/i;
const NEVER = /\.(d\.[cm]?ts|map|md)$/i;

/**
 * Files and folders of packages that need not be compiled in.
 *
 * @param cache  Deno's of npm packages: registry / name / version
 * @param packages  `name@version`, as a lock file names them
 */
export function unusedFiles(cache: string, packages: Iterable<string>): string[] {
  const registries = Array.from(Deno.readDirSync(cache), ({ name }) => `${cache}/${name}`);
  return Array.from(packages).flatMap((each) => {
    const at = each.lastIndexOf("@");
    const [name, version] = [each.slice(0, at), each.slice(at + 1)];
    const roots = registries.map((registry) => `${registry}/${name}/${version}`);
    return roots.filter(isFolder).flatMap((root) => unusedOf(name, root));
  }).sort();
}

function unusedOf(name: string, root: string): string[] {
  const run = RUN[name];
  const unused: string[] = [];
  const look = (folder: string) => {
    for (const entry of Deno.readDirSync(root + folder)) {
      const path = `${folder}/${entry.name}`;
      if (ALWAYS.test(entry.name)) continue;
      const isRun = run?.some((each) => `${path}/`.startsWith(`/${each}/`)) ?? true;
      const leadsToRun = run?.some((each) => `/${each}`.startsWith(`${path}/`)) ?? false;
      if (NEVER.test(entry.name) || !(isRun || leadsToRun)) unused.push(root + path);
      else if (entry.isDirectory) look(path);
    }
  };
  look("");
  return unused;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
