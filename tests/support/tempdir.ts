/** Temporary directories that go away with their test. */
import { until } from "./wait.ts";

export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** Writes a file into it, readable as it is itself. Returns its path. */
  write(name: string, text: string): Promise<string>;
}

/**
 * A fresh directory, readable by every user (servers may drop to another one).
 *
 * With ZONECAST_KEEP_TEMP set it is kept, and its path printed.
 */
export async function tempDir(prefix = "zonecast-test-"): Promise<TempDir> {
  const path = await Deno.makeTempDir({ prefix });
  await Deno.chmod(path, 0o755);
  return {
    path,
    async write(name, text) {
      await Deno.writeTextFile(`${path}/${name}`, text);
      await Deno.chmod(`${path}/${name}`, 0o644); // whatever the umask is
      return `${path}/${name}`;
    },
    async [Symbol.asyncDispose]() {
      if (Deno.env.get("ZONECAST_KEEP_TEMP")) console.error(`kept: ${path}`);
      else await until(() => removed(path), { what: `${path} is removed` });
    },
  };
}

/** Whether it is gone; what ends just now may have written another file meanwhile. */
async function removed(path: string): Promise<boolean> {
  try {
    await Deno.remove(path, { recursive: true });
    return true;
  } catch (error) {
    if (/^Directory not empty/.test(String((error as Error).message))) return false;
    throw error;
  }
}
