/** The one path of a state file, whatever symbolic links lead to it, and what lies there. */
import { toStateError } from "./errors.ts";

/**
 * The absolute path with symbolic links resolved, so that the lock, the logs
 * and the file itself stand in one directory. The file need not exist.
 *
 * @throws {StateError} "state-unopenable": its directory does not exist
 */
export function realStatePath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw toStateError(error, path, "open");
  }
  const slash = path.lastIndexOf("/");
  const directory = slash < 0 ? "." : path.slice(0, slash) || "/";
  try {
    return `${Deno.realPathSync(directory).replace(/\/$/, "")}/${path.slice(slash + 1)}`;
  } catch (error) {
    throw toStateError(error, path, "open");
  }
}

/** Whether there is more than an empty file. */
export async function hasContent(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size > 0;
  } catch {
    return false; // the error that led here says more
  }
}

/** Whether anything, a broken link too, has this name; in doubt it has. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
