/** The one path of a state file, whatever symbolic links lead to it. */
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
