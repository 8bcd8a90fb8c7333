/**
 * A zone's past versions, from its journal: for commands that show or restore them.
 *
 * Reads the journal in parts, so that memory follows what changed between two
 * versions, not how often. Condensing and applying run where they are called.
 */
import { formatName, type Name, type Serial, ZonecastError } from "../dns/mod.ts";
import { applyDiff, condense, reverseDiff, type ZoneDiff, type ZoneVersion } from "../zone/mod.ts";
import { type JournalEntry, MAX_DIFFERENCES_OCTETS, type StateStore } from "./state_store.ts";

/** Where a zone's journal is read. */
export type JournalSource = Pick<StateStore, "journal" | "differences">;

/** A version that was asked for and is not kept. */
export class HistoryError extends ZonecastError {
  override readonly name = "HistoryError";

  /** @param oldestSerial  the oldest serial kept; undefined when only the current one is */
  constructor(message: string, hint: string, readonly oldestSerial: Serial | undefined) {
    super("serial-not-kept", message, hint);
  }
}

/**
 * The zone as it was at a serial.
 *
 * @param current  a version that the journal leads to
 * @throws {HistoryError} the serial is not kept; names the oldest that is
 */
export async function versionAt(
  journal: JournalSource,
  current: ZoneVersion,
  serial: Serial,
): Promise<ZoneVersion> {
  if (serial === current.serial) return current;
  const diff = await differenceBetween(journal, current.apex, serial, current.serial);
  return diff ? applyDiff(current, reverseDiff(diff)) : current;
}

/**
 * What changed from one serial to another, condensed; the older may stand on
 * either side. Undefined when both are the same.
 *
 * @throws {HistoryError} one of them is not kept; names the oldest that is
 */
export async function differenceBetween(
  journal: JournalSource,
  apex: Name,
  from: Serial,
  to: Serial,
): Promise<ZoneDiff | undefined> {
  if (from === to) return undefined;
  const entries = await journal.journal(apex);
  const start = position(entries, apex, from);
  const end = position(entries, apex, to);
  if (start > end) {
    const back = await condensed(journal, apex, entries.slice(end, start));
    return reverseDiff(back);
  }
  return await condensed(journal, apex, entries.slice(start, end));
}

/** How many entries lead to a serial: where it stands in a journal. */
function position(entries: readonly JournalEntry[], apex: Name, serial: Serial): number {
  const led = entries.findLastIndex(({ toSerial }) => toSerial === serial);
  if (led >= 0) return led + 1;
  if (entries.length > 0 && entries[0].fromSerial === serial) return 0;
  throw notKept(entries, apex, serial);
}

/** All entries as one difference. */
async function condensed(
  journal: JournalSource,
  apex: Name,
  entries: readonly JournalEntry[],
): Promise<ZoneDiff> {
  let whole: ZoneDiff | undefined;
  for (const [fromSerial, toSerial] of parts(entries)) {
    const diffs = await journal.differences(apex, fromSerial, toSerial);
    // Purged meanwhile, or found broken just now.
    if (!diffs) throw notKept(await journal.journal(apex), apex, fromSerial);
    whole = condense(whole ? [whole, ...diffs] : diffs);
  }
  return whole!;
}

/** Spans of entries that may be read at once: [from serial, to serial], oldest first. */
function parts(entries: readonly JournalEntry[]): [Serial, Serial][] {
  const spans: [Serial, Serial][] = [];
  let octets = Infinity;
  for (const entry of entries) {
    if (octets + entry.octets > MAX_DIFFERENCES_OCTETS) {
      spans.push([entry.fromSerial, entry.toSerial]);
      octets = 0;
    }
    spans[spans.length - 1][1] = entry.toSerial;
    octets += entry.octets;
  }
  return spans;
}

function notKept(entries: readonly JournalEntry[], apex: Name, serial: Serial): HistoryError {
  const oldest = entries.at(0)?.fromSerial;
  return new HistoryError(
    `Cannot read serial ${serial} of zone ${formatName(apex)}: the journal does not keep it`,
    oldest === undefined
      ? "only the current version is kept"
      : `the oldest serial kept is ${oldest}; see \`zonecast log\` for the others`,
    oldest,
  );
}
