/**
 * A zone's history for commands: asked of the running server, or read from its
 * state file when none runs.
 */
import { canonicalKey, type Name } from "../dns/mod.ts";
import { askServer, type ControlRequest } from "../ops/mod.ts";
import type { JournalSource, StateStore } from "../store/mod.ts";
import type { ZoneDiff, ZoneVersion } from "../zone/mod.ts";
import type { Context } from "./command.ts";
import { notPublished } from "./errors.ts";
import type { ZoneName } from "./forms.ts";
import { readDifferences, readHistory, readVersion, type ZoneHistory } from "./history_parts.ts";
import { openWithoutServer, type ServerPaths } from "./live.ts";

/** A published zone's versions; what is asked about another zone is asked in vain. */
export interface History extends JournalSource, ZoneHistory {
  /** The version published now, which may be a later one than {@link serial}. */
  current(): Promise<ZoneVersion>;
}

/**
 * Runs work on a zone's history.
 *
 * @throws {ZonecastError} "zone-not-published"; what {@link openWithoutServer} throws
 */
export async function withHistory<R>(
  paths: ServerPaths,
  zone: ZoneName,
  context: Context,
  work: (history: History) => Promise<R>,
): Promise<R> {
  let history: History;
  try {
    history = await serverHistory(paths.control, zone);
  } catch (error) {
    const store = await openWithoutServer(error, paths, context);
    try {
      return await work(await storedHistory(store, zone));
    } finally {
      await store.close();
    }
  }
  return await work(history);
}

async function serverHistory(control: string, zone: ZoneName): Promise<History> {
  const ask = (command: string, more: Omit<ControlRequest, "command"> = {}) =>
    askServer(control, { command, zone: zone.text, ...more });
  const known = await readHistory(ask("history"));
  return {
    ...known,
    current: () => readVersion(ask("version")),
    journal: async () => (await readHistory(ask("history"))).entries,
    differences: (_apex: Name, from: number, to?: number): Promise<ZoneDiff[] | undefined> =>
      readDifferences(ask("differences", to === undefined ? { from } : { from, to })),
  };
}

async function storedHistory(store: StateStore, zone: ZoneName): Promise<History> {
  const { zones } = await store.load();
  const key = canonicalKey(zone.apex);
  const stored = zones.find(({ version }) => version.apexKey === key);
  if (!stored) throw notPublished(zone);
  const { version, publishedAt } = stored;
  return {
    serial: version.serial,
    publishedAt,
    entries: await store.journal(zone.apex),
    current: () => Promise.resolve(version),
    journal: (apex) => store.journal(apex),
    differences: (apex, from, to) => store.differences(apex, from, to),
  };
}
