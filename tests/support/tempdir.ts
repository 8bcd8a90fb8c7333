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
      else await remove(path);
    },
  };
}

/** What ends just now may write another file meanwhile: then it is tried again. */
async function remove(path: string): Promise<void> {
  const { error } = await until(async () => {
    try {
      await Deno.remove(path, { recursive: true });
      return { error: undefined };
    } catch (error) {
      return !/^Directory not empty/.test(String((error as Error).message)) && { error };
    }
  }, { what: `${path} is removed` });
  if (error !== undefined) throw error;
}
