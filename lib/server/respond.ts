/**
 * From a received message to what is sent back.
 *
 * Pure but for the access list's cache. Never silent to a well-formed question,
 * never an answer to a response. An answer that depends on differences is given in
 * two steps, as {@link planTransfer} is. Specs: RFC 1035 §4.1, RFC 6891 §6.1.3 (BADVERS)
 * and §6.2.3 (sizes), RFC 8945 §5.2.1 (unknown key).
 *
 * Limitation: no TSIG key is known; a signed request gets NOTAUTH with BADKEY.
 */
import { TYPE } from "../dns/mod.ts";
import {
  type DifferencesWanted,
  ixfrMessage,
  planTransfer,
  planWithDifferences,
  soaMessage,
  type TransferPlan,
} from "../transfer/mod.ts";
import {
  headerOnly,
  isResponse,
  MAX_MESSAGE_OCTETS,
  MAX_UDP_OCTETS,
  MIN_UDP_OCTETS,
  OPCODE,
  opcodeOf,
  parseQuery,
  type Query,
  RCODE,
  readHeader,
  type ResponseEdns,
  WireError,
} from "../wire/mod.ts";
import type { Differences, ZoneTable } from "../zone/mod.ts";
import type { Access } from "./access.ts";
import { answerQuery, errorAnswer } from "./answer.ts";

/** Where a message came from. */
export interface Client {
  /** As the socket gives it. */
  readonly ip: string;
  readonly transport: "udp" | "tcp";
}

/** What to do about a message. */
export interface Response {
  /** To send now; undefined means silence, a transfer to be streamed, or differences wanted. */
  readonly message: Uint8Array | undefined;
  /** The query, if it could be read. */
  readonly query: Query | undefined;
  /** How a request for a transfer is answered; without a message it is still to be streamed. */
  readonly plan: TransferPlan | undefined;
  /** What {@link respondWithDifferences} is to be given next; undefined when this is the answer. */
  readonly wanted?: DifferencesWanted;
}

/** What answers come from. */
export interface AnswerContext {
  readonly zones: ZoneTable;
  readonly access: Access;
  /** Whether differences can be asked for. */
  readonly keepsDifferences: boolean;
}

const SILENCE: Response = { message: undefined, query: undefined, plan: undefined };

/** The OPT record that answers a query's: none to one without (RFC 6891 §6.1.1). */
export function responseEdns(query: Query): ResponseEdns | undefined {
  const { edns } = query;
  return edns && { payloadOctets: MAX_UDP_OCTETS, dnssecOk: edns.dnssecOk };
}

/** The longest message the client takes, octets (RFC 6891 §6.2.3: below 512 counts as 512). */
function maxOctets(query: Query, client: Client): number {
  if (client.transport === "tcp") return MAX_MESSAGE_OCTETS;
  const offered = query.edns?.payloadOctets ?? MIN_UDP_OCTETS;
  return Math.min(Math.max(offered, MIN_UDP_OCTETS), MAX_UDP_OCTETS);
}

/**
 * What to do about a message, whatever it is.
 *
 * @throws only on a bug or a damaged page; {@link failure} is then the answer
 */
export function respond(message: Uint8Array, client: Client, context: AnswerContext): Response {
  const header = readHeader(message);
  if (!header || isResponse(header)) return SILENCE;
  if (opcodeOf(header.flags) !== OPCODE.QUERY) {
    return { ...SILENCE, message: headerOnly(header.id, header.flags, RCODE.NOTIMP) };
  }
  let query: Query;
  try {
    query = parseQuery(message);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { ...SILENCE, message: headerOnly(header.id, header.flags, error.rcode) };
  }
  return respondToQuery(query, client, context);
}

function respondToQuery(query: Query, client: Client, context: AnswerContext): Response {
  const { zones, access } = context;
  const edns = responseEdns(query);
  const max = maxOctets(query, client);
  const plain = (message: Uint8Array): Response => ({ message, query, plan: undefined });
  if (query.edns && query.edns.version !== 0) {
    return plain(errorAnswer(query, RCODE.BADVERS, edns, max));
  }
  if (query.tsig) return plain(errorAnswer(query, RCODE.NOTAUTH, edns, max, RCODE.BADKEY));
  const { type } = query.question;
  if (type === TYPE.AXFR || type === TYPE.IXFR) return respondToTransfer(query, client, context);
  if (!access.mayQuery(client.ip)) return plain(errorAnswer(query, RCODE.REFUSED, edns, max));
  return plain(answerQuery(query, zones, edns, max));
}

function respondToTransfer(query: Query, client: Client, context: AnswerContext): Response {
  const { question } = query;
  const plan = planTransfer({
    type: question.type,
    clientSerial: query.ixfrSerial,
    transport: client.transport,
    allowed: context.access.mayTransfer(client.ip) && question.class === 1,
    noDifferences: noDifferences(client, context),
  }, context.zones.get(question.name));
  if (plan.kind === "differences-wanted") {
    return { query, plan: undefined, wanted: plan, message: undefined };
  }
  return planned(query, client, plan);
}

function noDifferences(client: Client, context: AnswerContext): string | undefined {
  if (!context.keepsDifferences) return "no differences are kept";
  return context.access.takesIxfr(client.ip) ? undefined : "no-ixfr is set for this secondary";
}

/** The answer to a request whose differences have come. */
export function respondWithDifferences(
  query: Query,
  client: Client,
  wanted: DifferencesWanted,
  differences: Differences,
): Response {
  const max = maxOctets(query, client);
  let message: Uint8Array | undefined;
  const plan = planWithDifferences(wanted, differences, (sequences) => {
    message = ixfrMessage(wanted.version, sequences, query, responseEdns(query), max);
    return message !== undefined;
  });
  return message ? { query, plan, message } : planned(query, client, plan);
}

function planned(query: Query, client: Client, plan: TransferPlan): Response {
  const edns = responseEdns(query);
  const max = maxOctets(query, client);
  switch (plan.kind) {
    case "refuse":
      return { query, plan, message: errorAnswer(query, plan.rcode, edns, max) };
    case "soa":
      return { query, plan, message: soaMessage(query, plan.version.soa, edns, max) };
    case "ixfr":
    case "axfr":
      return { query, plan, message: undefined };
  }
}

/** What a client gets when answering threw: SERVFAIL. Undefined when nothing may be sent. */
export function failure(message: Uint8Array): Uint8Array | undefined {
  const header = readHeader(message);
  if (!header || isResponse(header)) return undefined;
  return headerOnly(header.id, header.flags, RCODE.SERVFAIL);
}
