/**
 * The first messages of an AXFR, kept: those of a zone's many clients differ in
 * their ID alone.
 *
 * They are the only ones that are encoded, and half of what a transfer of 100k
 * records costs. Owns: for each version of several pages, as long as somebody has
 * the version, those for the question last asked.
 */
import type { Query, ResponseEdns } from "../wire/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";

/** Pages a zone has at least for its first messages to be kept: they take an eighth of it at most. */
const MIN_PAGES = 8;

interface Kept {
  /** All of a query that its messages depend on, but for the ID. */
  readonly asked: string;
  readonly messages: readonly Uint8Array[];
}

const keptOf = new WeakMap<ZoneVersion, Kept>();

/**
 * What `encode` gives, kept from an earlier query if it was alike.
 *
 * @param encode  the messages for this query, in buffers nobody changes
 * @returns with the query's ID; to be changed by nobody
 */
export function firstMessages(
  version: ZoneVersion,
  query: Query,
  edns: ResponseEdns | undefined,
  encode: () => Uint8Array[],
): readonly Uint8Array[] {
  if (version.pages.length < MIN_PAGES) return encode();
  const asked = whatIsAsked(query, edns);
  const kept = keptOf.get(version);
  if (kept?.asked === asked) return kept.messages.map((message) => withId(message, query.id));
  const messages = encode();
  keptOf.set(version, { asked, messages });
  return messages;
}

function whatIsAsked(
  { flags, question }: Query,
  edns: ResponseEdns | undefined,
): string {
  const { name, type, class: qclass } = question;
  return `${flags} ${type} ${qclass} ${JSON.stringify(edns)} ${String.fromCharCode(...name)}`;
}

function withId(message: Uint8Array, id: number): Uint8Array {
  const copy = message.slice();
  copy[0] = id >> 8;
  copy[1] = id;
  return copy;
}
