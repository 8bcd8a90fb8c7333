/**
 * An answer that says no more than "ask again over TCP".
 *
 * Pure. Specs: RFC 1035 §4.1.1 (TC), RFC 6891 §6.1.1 (OPT answers OPT).
 */
import { FLAG, MAX_UDP_OCTETS, MessageWriter, type Query, type ResponseEdns } from "../wire/mod.ts";

/** Question, TC and nothing else: hardly longer than the query, so of no use to those who forge it. */
export function truncatedAnswer(query: Query, edns: ResponseEdns | undefined): Uint8Array {
  const writer = new MessageWriter(MAX_UDP_OCTETS, edns);
  writer.header(query.id, FLAG.QR | FLAG.TC | query.flags & (FLAG.RD | FLAG.CD));
  writer.question(query.question);
  return writer.finish();
}
