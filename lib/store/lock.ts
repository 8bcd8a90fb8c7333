/**
 * One server per state file.
 *
 * Owns: an exclusive flock(2) on `FILE.lock`. The kernel drops it when the
 * process ends, however it ends, so a lock file left behind locks nobody out.
 * Readers take no lock. Two paths to one file are one lock, as long as they are
 * not hard links.
 */
import { StateError, toStateError } from "./errors.ts";

/** A lock that is held. */
export interface StateLock {
  /** Drops the lock; the lock file stays, because removing it would race with the next holder. */
  release(): void;
}

/** The longest lock file content worth reading, in octets: a process id and a line end. */
const MAX_CONTENT_OCTETS = 32;

/**
 * The lock of a state file, taken at once or not at all.
 *
 * @param path  the state file; need not exist
 * @throws {StateError} "state-in-use": another process has it
 */
export function lockStateFile(path: string): StateLock {
  const lockPath = `${path}.lock`;
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(lockPath, { create: true, read: true, write: true, mode: 0o600 });
    if (!file.tryLockSync(true)) throw inUse(path, readHolder(file));
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    const held = file;
    return { release: () => held.close() };
  } catch (error) {
    file?.close();
    throw toStateError(error, path, "lock");
  }
}

/** The process id in a lock file; undefined when it holds none (yet). */
function readHolder(file: Deno.FsFile): number | undefined {
  const octets = new Uint8Array(MAX_CONTENT_OCTETS);
  const read = file.readSync(octets) ?? 0;
  const text = new TextDecoder().decode(octets.subarray(0, read));
  return /^[0-9]+\n$/.test(text) ? Number(text) : undefined;
}

function inUse(path: string, holder: number | undefined): StateError {
  const who = holder === undefined ? "another server" : `another server (process ${holder})`;
  return new StateError(
    "state-in-use",
    `Cannot open state file "${path}": ${who} has it open`,
    path,
    "stop that server first, or give this one its own file with --state",
  );
}
