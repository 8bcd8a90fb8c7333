/**
 * What `zonecast check` compares with: what is served now, and what the guard remembers.
 *
 * The running server's versions go before those of the state file, which has the guard's memory.
 */
import { canonicalKey, parseName } from "../dns/mod.ts";
import { askServer, ControlError, isJsonObject } from "../ops/mod.ts";
import { type GuardNote, openStateFile, StateError, type StoredState } from "../store/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import { zoneText } from "./forms.ts";
import { readVersion } from "./history_parts.ts";
import type { ServerPaths } from "./live.ts";

export interface Baseline {
  /** "server", "state file", or "nothing": it is all published for the first time. */
  readonly from: "server" | "state file" | "nothing";
  /** By their apexes' keys. */
  readonly versions: ReadonlyMap<string, ZoneVersion>;
  readonly remembered: readonly GuardNote[];
}

/**
 * @param isWanted  whether a zone, by its apex's key, is looked at
 * @throws {ControlError} a server runs and cannot answer
 * @throws {StateError} the state file is damaged
 */
export async function readBaseline(
  paths: ServerPaths,
  isWanted: (apexKey: string) => boolean,
): Promise<Baseline> {
  const stored = await readState(paths.state);
  const kept = new Map((stored?.zones ?? []).map(({ version }) => [version.apexKey, version]));
  const served = await readServer(paths.control, isWanted);
  if (!served) {
    const versions = new Map([...kept].filter(([key]) => isWanted(key)));
    const from = stored ? "state file" : "nothing";
    return { from, versions, remembered: stored?.guard ?? [] };
  }
  // Another server's state file, at the default path say, knows nothing of this one's zones.
  const isIts = [...served].every(([key, { serial }]) => kept.get(key)?.serial === serial);
  return { from: "server", versions: served, remembered: isIts ? stored?.guard ?? [] : [] };
}

/** Undefined where there is no state file that may be read. */
async function readState(path: string): Promise<StoredState | undefined> {
  try {
    await (await Deno.open(path)).close();
  } catch (error) {
    const isAway = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (isAway) return undefined;
    throw error;
  }
  const store = await openStateFile(path, { readOnly: true });
  try {
    return await store.load();
  } catch (error) {
    // A server that runs writes to it right now; what it serves is asked of it.
    if (error instanceof StateError && error.code === "state-busy") return undefined;
    throw error;
  } finally {
    await store.close();
  }
}

/** The versions that a running server serves; undefined when none runs. */
async function readServer(
  control: string,
  isWanted: (apexKey: string) => boolean,
): Promise<Map<string, ZoneVersion> | undefined> {
  const names: string[] = [];
  try {
    for await (const part of askServer(control, { command: "status" })) {
      if (isJsonObject(part) && isJsonObject(part.zone)) names.push(String(part.zone.zone));
    }
  } catch (error) {
    if (error instanceof ControlError && error.code === "no-server") return undefined;
    throw error;
  }
  const versions = new Map<string, ZoneVersion>();
  for (const name of names) {
    const apex = parseName(name);
    const key = canonicalKey(apex);
    if (!isWanted(key)) continue;
    const request = { command: "version", zone: zoneText(apex) };
    versions.set(key, await readVersion(askServer(control, request)));
  }
  return versions;
}
