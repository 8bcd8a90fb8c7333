/**
 * Watching a secondary: how its SOA is asked for, when again, and what the answer means.
 *
 * Pure. Specs: RFC 1982 (comparison of serials), RFC 1996 §3.6 (NOTIFY is no proof
 * that a secondary has the change).
 */
import { CLASS_IN, compareSerials, equalNames, type Name, type Serial, TYPE } from "../dns/mod.ts";
import { MessageWriter, MIN_UDP_OCTETS, RCODE, type SoaResponse } from "../wire/mod.ts";

/** A query for a zone's SOA, no recursion desired. */
export function soaQuery(id: number, apex: Name): Uint8Array {
  const writer = new MessageWriter(MIN_UDP_OCTETS);
  writer.header(id, 0);
  writer.question({ name: apex, type: TYPE.SOA, class: CLASS_IN });
  return writer.finish();
}

/**
 * Whether a response answers the SOA query of an ID and zone. Address and port
 * are the asker's to compare.
 *
 * A response without a question counts only when it reports an error.
 */
export function answersSoaQuery(response: SoaResponse, id: number, apex: Name): boolean {
  const { question } = response;
  if (response.id !== id) return false;
  if (!question) return response.rcode !== RCODE.NOERROR;
  return question.type === TYPE.SOA && question.class === CLASS_IN &&
    equalNames(question.name, apex);
}

/** Whether a server that shows one serial has another: it is there, or ahead. */
export function hasSerial(shown: Serial | undefined, wanted: Serial): boolean {
  if (shown === undefined) return false;
  const order = compareSerials(shown, wanted);
  return order === 0 || order === 1;
}

/**
 * The serial farthest behind; undefined when one is unknown, or there are none.
 * Of incomparable ones the first.
 */
export function farthestBehind(serials: readonly (Serial | undefined)[]): Serial | undefined {
  let least = serials[0];
  for (const serial of serials) {
    if (serial === undefined || least === undefined) return undefined;
    if (compareSerials(serial, least) === -1) least = serial;
  }
  return least;
}

/** Wait before a secondary's SOA is asked for the first time, ms; doubled each time. */
const FIRST_POLL_MS = 20;
/** Longest wait between two such queries, ms. */
export const MAX_POLL_MS = 5_000;
/**
 * Wait before the SOA of a secondary that has not acknowledged is asked for, ms:
 * it may find the change by itself, or its acknowledgement be lost.
 */
export const UNACKNOWLEDGED_POLL_MS = 1_000;
/**
 * Wait between two queries for a zone that has been behind for long, ms. When the
 * secondary fetches the zone it is asked at once.
 */
export const BEHIND_POLL_MS = 30_000;

/**
 * How long to wait before a server is asked for its SOA again, in ms.
 *
 * @param asked  how often it was asked since it was last told, from 0
 */
export function pollMs(asked: number): number {
  return Math.min(FIRST_POLL_MS * 2 ** asked, MAX_POLL_MS);
}

/** First wait before a secondary that acknowledged and lags is notified again, ms: those that pace themselves take 1 to 2 s. */
const FIRST_RENOTIFY_MS = 5_000;
/** Longest wait, ms. */
const MAX_RENOTIFY_MS = 300_000;

/**
 * How long a secondary may lag after an acknowledgement before NOTIFY is sent again, in ms.
 *
 * @param times  how often that was done for this serial, from 0
 */
export function renotifyMs(times: number): number {
  return Math.min(FIRST_RENOTIFY_MS * 2 ** times, MAX_RENOTIFY_MS);
}
