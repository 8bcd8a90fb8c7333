/**
 * A zone's history as it travels over the control socket: versions and
 * differences in pieces, their octets in base64.
 *
 * The server only sends what it has; whoever asks puts differences together and
 * applies them, so that no question to the server waits for that. Pure.
 */
import type { JsonObject, JsonValue } from "../ops/mod.ts";
import { ControlError, isJsonObject } from "../ops/mod.ts";
import type { ResourceRecord } from "../dns/mod.ts";
import type { JournalEntry } from "../store/mod.ts";
import {
  packRecords,
  type Page,
  readRecord,
  type RecordList,
  type ZoneDiff,
  ZoneVersion,
} from "../zone/mod.ts";

/** Journal entries in one answer: a line then has some hundred kilobytes. */
const ENTRIES_PER_PART = 1000;
/** Octets of a record list in one answer. */
const OCTETS_PER_PART = 256 * 1024;

/** A zone's current version and the journal that leads to it. */
export interface ZoneHistory {
  readonly serial: number;
  /** ms since the epoch. */
  readonly publishedAt: number;
  /** Oldest first. */
  readonly entries: readonly JournalEntry[];
}

/** The parts of a {@link ZoneHistory}: the version first. */
export function* historyParts({ serial, publishedAt, entries }: ZoneHistory): Generator<JsonValue> {
  yield { serial, publishedAt };
  for (let at = 0; at < entries.length; at += ENTRIES_PER_PART) {
    yield { entries: entries.slice(at, at + ENTRIES_PER_PART).map((entry) => ({ ...entry })) };
  }
}

/** @throws {ControlError} these are no parts of a history */
export async function readHistory(parts: AsyncIterable<JsonValue>): Promise<ZoneHistory> {
  let head: JsonObject | undefined;
  const entries: JournalEntry[] = [];
  for await (const part of parts) {
    if (!isJsonObject(part)) throw malformed();
    // Our own server wrote them, so their fields are taken as they are.
    if (Array.isArray(part.entries)) entries.push(...part.entries as unknown as JournalEntry[]);
    else head = part;
  }
  if (!head) throw malformed();
  return { serial: Number(head.serial), publishedAt: Number(head.publishedAt), entries };
}

/** The parts of a version: its SOA, then each page. */
export function* versionParts({ soa, pages }: ZoneVersion): Generator<JsonValue> {
  yield { soa: recordText(soa) };
  for (const { block, owners, records, firstKey, part } of pages) {
    const offsets = new Uint8Array(owners.buffer, owners.byteOffset, owners.byteLength);
    yield { block: block.toBase64(), owners: offsets.toBase64(), records, firstKey, part };
  }
}

/** @throws {ControlError} these are no parts of a version */
export async function readVersion(parts: AsyncIterable<JsonValue>): Promise<ZoneVersion> {
  let soa: ResourceRecord | undefined;
  const pages: Page[] = [];
  for await (const part of parts) {
    if (!isJsonObject(part)) throw malformed();
    if (part.soa !== undefined) soa = readRecordText(part.soa);
    else {
      pages.push({
        block: octetsOf(part.block),
        owners: new Uint32Array(octetsOf(part.owners).buffer),
        records: Number(part.records),
        firstKey: String(part.firstKey),
        part: Number(part.part),
      });
    }
  }
  if (!soa) throw malformed();
  return new ZoneVersion(soa, pages);
}

/** The parts of differences: of each its SOAs, then its records; none when they are not kept. */
export function* differencesParts(diffs: readonly ZoneDiff[] | undefined): Generator<JsonValue> {
  if (!diffs) return;
  for (const { fromSoa, toSoa, removed, added } of diffs) {
    yield {
      fromSoa: recordText(fromSoa),
      toSoa: recordText(toSoa),
      removed: removed.count,
      added: added.count,
    };
    yield* octetsParts("removedOctets", removed);
    yield* octetsParts("addedOctets", added);
  }
}

function* octetsParts(field: string, { octets }: RecordList): Generator<JsonValue> {
  for (let at = 0; at < octets.length; at += OCTETS_PER_PART) {
    yield { [field]: octets.subarray(at, at + OCTETS_PER_PART).toBase64() };
  }
}

/** A difference whose octets are still coming. */
interface ComingDiff {
  readonly fromSoa: ResourceRecord;
  readonly toSoa: ResourceRecord;
  readonly counts: { readonly removed: number; readonly added: number };
  readonly removed: Uint8Array[];
  readonly added: Uint8Array[];
}

/**
 * Differences put together again; undefined when they are not kept.
 *
 * @throws {ControlError} these are no parts of differences
 */
export async function readDifferences(
  parts: AsyncIterable<JsonValue>,
): Promise<ZoneDiff[] | undefined> {
  const coming: ComingDiff[] = [];
  for await (const part of parts) {
    if (!isJsonObject(part)) throw malformed();
    const last = coming.at(-1);
    if (part.fromSoa !== undefined) {
      coming.push({
        fromSoa: readRecordText(part.fromSoa),
        toSoa: readRecordText(part.toSoa),
        counts: { removed: Number(part.removed), added: Number(part.added) },
        removed: [],
        added: [],
      });
    } else if (part.removedOctets !== undefined) last?.removed.push(octetsOf(part.removedOctets));
    else last?.added.push(octetsOf(part.addedOctets));
  }
  if (coming.length === 0) return undefined;
  return coming.map(({ fromSoa, toSoa, counts, removed, added }) => ({
    fromSoa,
    toSoa,
    removed: { octets: joined(removed), count: counts.removed },
    added: { octets: joined(added), count: counts.added },
  }));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    octets.set(piece, at);
    at += piece.length;
  }
  return octets;
}

function recordText(record: ResourceRecord): string {
  return packRecords([record]).octets.toBase64();
}

function readRecordText(value: JsonValue | undefined): ResourceRecord {
  return readRecord(octetsOf(value), 0)[0];
}

function octetsOf(value: JsonValue | undefined): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(String(value));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed(error);
  }
}

function malformed(cause?: unknown): ControlError {
  return new ControlError(
    "control-malformed",
    "The running server's answer is not understood",
    "it may be of another version: compare `zonecast version` with `zonecast status`",
    { cause },
  );
}
