/**
 * The machine examined: room for the state file, file descriptors.
 *
 * Effects: asks the file system; opens descriptors, and closes them.
 */
import { statfsSync } from "node:fs";
import { type Finding, type FindingVerdict, formatSize } from "../ops/mod.ts";
import { freeDescriptors } from "../server/mod.ts";

/** Less room than this is soon gone: a journal of 10 MiB a zone, and SQLite's own log, octets. */
const LEAST_ROOM = 64 * 1024 * 1024;
/** A rewrite of the state file, and its log, take twice its size again; so much more is comfortable. */
const ROOM_FACTOR = 4;
/** What the server keeps for itself beside connections: sockets, files, Postgres. */
const OWN_DESCRIPTORS = 100;

function found(check: string, verdict: FindingVerdict, text: string, fix?: string): Finding {
  return { check, subject: "machine", verdict, text, fix };
}

/** @param state  path of the state file, which need not be there yet */
export function* examineMachine(
  state: string,
  maxConnections: number,
): Generator<Finding> {
  yield diskFinding(state);
  yield descriptorFinding(maxConnections);
}

function diskFinding(state: string): Finding {
  const directory = state.includes("/") ? state.replace(/\/[^/]*$/, "") || "/" : ".";
  let room: number;
  let used: number;
  try {
    const { bavail, bsize } = statfsSync(directory);
    room = Number(bavail) * Number(bsize);
    used = octetsOf(state) + octetsOf(`${state}-wal`);
  } catch (error) {
    return found(
      "disk",
      "bad",
      `${directory} cannot be looked at: ${error instanceof Error ? error.message : error}`,
      `make it, for the user zonecast runs as, or name another file with --state`,
    );
  }
  return roomFinding(directory, room, used);
}

/** What so much room means for a state file of a size. Pure. */
export function roomFinding(directory: string, room: number, used: number): Finding {
  const text = `${directory} has ${formatSize(room)} free, the state file takes ${
    formatSize(used)
  }`;
  const fix = "free some, or move the state file with --state; a full disk stops publishing";
  if (room < LEAST_ROOM || room < used) return found("disk", "bad", text, fix);
  if (room < LEAST_ROOM * ROOM_FACTOR || room < used * ROOM_FACTOR) {
    return found("disk", "warning", text, fix);
  }
  return found("disk", "good", text);
}

function octetsOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function descriptorFinding(maxConnections: number): Finding {
  const wanted = maxConnections + OWN_DESCRIPTORS;
  const free = freeDescriptors(wanted);
  return free >= wanted
    ? found(
      "descriptors",
      "good",
      `file descriptors suffice for ${maxConnections} connections, as a command has them here`,
    )
    : found(
      "descriptors",
      "bad",
      `there are ${free} file descriptors, ${wanted} are needed for ${maxConnections} connections`,
      "raise the limit on open files (LimitNOFILE in a systemd unit, ulimit -n), or lower " +
        "--max-connections",
    );
}
