/**
 * Keeping a damaged state file for a look later, out of the way of a new one.
 *
 * Effects: renames files; nothing is removed.
 */
import { toStateError } from "./errors.ts";
import { lockStateFile } from "./lock.ts";
import { realStatePath } from "./path.ts";

/**
 * Renames FILE, FILE-wal and FILE-shm to FILE.damaged-TIME….
 *
 * @param path  a state file that nothing has open
 * @returns the new path of FILE
 * @throws {StateError} "state-in-use"; or a rename failed
 */
export function setAside(path: string): string {
  const real = realStatePath(path);
  const lock = lockStateFile(real);
  try {
    // FILE goes first: were it left without its log, it could pass for an older, whole state.
    return moveAside(real, ["", "-wal", "-shm"]);
  } catch (error) {
    throw toStateError(error, real, "set aside");
  } finally {
    lock.release();
  }
}

/**
 * Renames those of a state file's files that exist; the lock must be held.
 *
 * @param suffixes  of the files, in the order to rename them
 */
export function moveAside(path: string, suffixes: readonly string[]): string {
  const aside = freeName(`${path}.damaged-${timestamp()}`);
  for (const suffix of suffixes) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return aside;
}

/** The time in UTC, fit for a file name: "20250131T235959Z". */
function timestamp(): string {
  return new Date().toISOString().replace(/\.[0-9]+/, "").replaceAll(/[-:]/g, "");
}

/** The name, or the name with a number, such that no file of that name is there. */
function freeName(name: string): string {
  for (let n = 1;; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!["", "-wal", "-shm"].some((suffix) => exists(candidate + suffix))) return candidate;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
