/**
 * What a state file holds that cannot be opened for writing: its disk is full or
 * read-only, and SQLite would have to make files beside it.
 *
 * Effects: copies the file and its log into another directory, and removes the copy.
 */
import { StateError } from "./errors.ts";
import { openStateFile } from "./state_file.ts";
import type { StoredState } from "./state_store.ts";

/**
 * The state in a file that nothing writes to; brought up to date in the copy where
 * an older zonecast wrote it.
 *
 * @param path  of the file, which exists
 * @param places  directories to try, in this order; undefined is the system's temporary one
 * @throws {StateError} what is wrong with its content
 * @throws {Error} no place takes a copy
 */
export async function readStateCopy(
  path: string,
  places: readonly (string | undefined)[],
): Promise<StoredState> {
  const dir = await copied(path, places);
  try {
    const store = await openStateFile(`${dir}/copy.db`);
    try {
      return await store.load();
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const { code, message, hint, errcode } = error; // of the copy, which is gone: told of the file
    const told = message.replaceAll(error.path, path);
    throw new StateError(code, told, path, hint, errcode, { cause: error });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A directory with the file and its log in it. */
async function copied(path: string, places: readonly (string | undefined)[]): Promise<string> {
  let failure: unknown;
  for (const place of places) {
    let dir: string | undefined;
    try {
      dir = await Deno.makeTempDir({ dir: place, prefix: "zonecast-state-" });
      await Deno.copyFile(path, `${dir}/copy.db`);
      await Deno.chmod(`${dir}/copy.db`, 0o600); // it may have been made read-only
      await copyIfThere(`${path}-wal`, `${dir}/copy.db-wal`);
      return dir;
    } catch (error) {
      failure = error;
      if (dir !== undefined) await Deno.remove(dir, { recursive: true });
    }
  }
  throw failure;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await Deno.copyFile(from, to);
    await Deno.chmod(to, 0o600);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
