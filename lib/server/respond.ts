/**
 * From a received message to what is sent back.
 *
 * Pure but for the access list's cache. Never silent to a well-formed question,
 * never an answer to a response. An answer that depends on differences is given in
 * two steps, as {@link planTransfer} is. Specs: RFC 1035 §4.1, RFC 6891 §6.1.3 (BADVERS)
 * and §6.2.3 (sizes), RFC 8945 §5.2.1 (unknown key).
 */
import { CLASS_IN, type Name, TYPE } from "../dns/mod.ts";
import {
  type DifferencesWanted,
  ixfrMessage,
  planTransfer,
  planWithDifferences,
  soaMessage,
  type TransferPlan,
} from "../transfer/mod.ts";
import {
  EDE,
  FLAG,
  hasServerCookie,
  isResponse,
  MessageWriter,
  OPCODE,
  opcodeOf,
  OPTION,
  parseQuery,
  type Query,
  RCODE,
  readHeader,
  readQuestionless,
  type TsigFields,
  WireError,
} from "../wire/mod.ts";
import type { Differences, ZoneTable } from "../zone/mod.ts";
import type { Access } from "./access.ts";
import { answerQuery, errorAnswer, type Refusal } from "./answer.ts";
import { type EdnsSettings, type Envelope, envelopeOf, plainEnvelope, withExpire } from "./edns.ts";
import { KeyRing } from "./key_ring.ts";
import { type Signature, verifyRequest } from "./signed_request.ts";
import { unreadAnswer } from "./unread_answer.ts";

/** How a message came; over TLS it is a stream as over TCP. */
export type Transport = "udp" | "tcp" | "tls";

/** Where a message came from. */
export interface Client {
  /** As the socket gives it. */
  readonly ip: string;
  readonly transport: Transport;
  /** Name of the TSIG key its request was rightly signed with. */
  readonly keyName?: Name;
}

/** What to do about a message. */
export interface Response {
  /** To send now; undefined means silence, a transfer to be streamed, or differences wanted. */
  readonly message: Uint8Array | undefined;
  /** The query, if it could be read. */
  readonly query: Query | undefined;
  /** How a request for a transfer is answered; without a message it is still to be streamed. */
  readonly plan: TransferPlan | undefined;
  /** How it leaves, with the OPT record of a transfer to be streamed; there is one for every query. */
  readonly envelope?: Envelope;
  /** Who asked; with its key where the request was signed. */
  readonly client: Client;
  /** What is wrong with the request's signature, fit for the log. */
  readonly signatureFault?: string;
  /** What {@link respondWithDifferences} is to be given next; undefined when this is the answer. */
  readonly wanted?: DifferencesWanted;
}

/** What answers come from. */
export interface AnswerContext extends EdnsSettings {
  readonly zones: ZoneTable;
  readonly access: Access;
  /** What signed requests are verified with; undefined: we have no key. */
  readonly keys?: KeyRing;
  /** Whether transfers leave over TLS alone. */
  readonly transfersOverTlsOnly?: boolean;
  /** Whether differences can be asked for. */
  readonly keepsDifferences: boolean;
  /** What `version.bind` and `version.server` are told to be; undefined: they are refused. */
  readonly chaosVersion?: string;
}

/** Nothing is sent, nothing was understood. */
function silence(client: Client): Response {
  return { message: undefined, query: undefined, plan: undefined, client };
}

/**
 * What to do about a message, whatever it is.
 *
 * @throws only on a bug or a damaged page; {@link failure} is then the answer
 */
export function respond(message: Uint8Array, client: Client, context: AnswerContext): Response {
  const header = readHeader(message);
  if (!header || isResponse(header)) return silence(client);
  if (opcodeOf(header.flags) !== OPCODE.QUERY) {
    return {
      ...silence(client),
      ...unreadAnswer(message, header, RCODE.NOTIMP, client, context),
    };
  }
  let query: Query;
  try {
    query = parseQuery(message);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return respondToCookie(message, client, context) ??
      { ...silence(client), ...unreadAnswer(message, header, error.rcode, client, context) };
  }
  if (!query.tsig) return respondToQuery(query, client, context);
  return respondToSigned(message, query, query.tsig, client, context);
}

const NO_KEYS = new KeyRing([]);

function isTransferOverTcp({ question: { type } }: Query, { transport }: Client): boolean {
  return transport !== "udp" && (type === TYPE.AXFR || type === TYPE.IXFR);
}

/** A query with a TSIG record: looked into only when that is in order. */
function respondToSigned(
  octets: Uint8Array,
  query: Query,
  tsig: TsigFields,
  client: Client,
  context: AnswerContext,
): Response {
  const { signature, refusal, fault } = verifyRequest(
    octets,
    tsig,
    context.keys ?? NO_KEYS,
    isTransferOverTcp(query, client),
  );
  if (!refusal) {
    const asker = { ...client, keyName: signature!.key.name };
    return respondToQuery(query, asker, context, signature);
  }
  const envelope = envelopeOf(query, client, context, signature) ??
    plainEnvelope(query, context, signature);
  const message = errorAnswer(query, refusal, envelope);
  return { message, query, plan: undefined, envelope, client, signatureFault: fault };
}

function respondToQuery(
  query: Query,
  client: Client,
  context: AnswerContext,
  signature?: Signature,
): Response {
  const envelope = envelopeOf(query, client, context, signature);
  if (!envelope) {
    const envelope = plainEnvelope(query, context, signature);
    const message = errorAnswer(query, { rcode: RCODE.FORMERR }, envelope);
    return { message, query, plan: undefined, envelope, client };
  }
  const refusal = refusalOf(query, client, context);
  if (refusal) {
    const message = errorAnswer(query, refusal, envelope);
    return { message, query, plan: undefined, envelope, client };
  }
  const { type } = query.question;
  if (type === TYPE.AXFR || type === TYPE.IXFR) {
    return respondToTransfer(query, client, context, envelope);
  }
  const { zones, chaosVersion: version, serverId } = context;
  const message = answerQuery(query, zones, envelope, { version, serverId });
  return { message, query, plan: undefined, envelope, client };
}

/** Why a query is not looked into; undefined when it is. */
function refusalOf(query: Query, client: Client, { access }: AnswerContext): Refusal | undefined {
  if (query.edns && query.edns.version !== 0) return { rcode: RCODE.BADVERS };
  const { type } = query.question;
  if (type === TYPE.AXFR || type === TYPE.IXFR || access.mayQuery(client)) return undefined;
  return { rcode: RCODE.REFUSED, ede: EDE.PROHIBITED };
}

/**
 * The answer to a message without a question that asks for a cookie, and for
 * nothing else; undefined when it is not that.
 *
 * Spec: RFC 7873 §5.4 (QDCOUNT 0 with a COOKIE option; asked whether a server cookie
 * is still good, BADCOOKIE says that it is not).
 */
function respondToCookie(
  message: Uint8Array,
  client: Client,
  context: AnswerContext,
): Response | undefined {
  const query = context.cookies && readQuestionless(message);
  if (query?.edns?.version !== 0) return undefined;
  const cookie = query.edns.options.find(({ code }) => code === OPTION.COOKIE);
  if (!cookie) return undefined;
  const envelope = envelopeOf(query, client, context);
  if (!envelope) return undefined;
  const isWrong = hasServerCookie(cookie.octets) && !envelope.validCookie;
  const writer = new MessageWriter(envelope.maxOctets, envelope.edns);
  const flags = FLAG.QR | query.flags & (FLAG.RD | FLAG.CD);
  writer.header(query.id, flags, isWrong ? RCODE.BADCOOKIE : RCODE.NOERROR);
  return { ...silence(client), message: writer.finish(), envelope };
}

function respondToTransfer(
  query: Query,
  client: Client,
  context: AnswerContext,
  envelope: Envelope,
): Response {
  const { question } = query;
  const plan = planTransfer({
    type: question.type,
    clientSerial: query.ixfrSerial,
    transport: client.transport === "udp" ? "udp" : "tcp",
    denial: question.class === CLASS_IN
      ? transferDenial(client, context)
      : "of another class than IN there is nothing to transfer",
    noDifferences: noDifferences(client, context),
  }, context.zones.get(question.name));
  if (plan.kind === "differences-wanted") {
    return { query, plan: undefined, wanted: plan, message: undefined, envelope, client };
  }
  return planned(query, client, plan, envelope);
}

/** Why a transfer is refused; who may not have it anyway is not told that TLS would do. */
function transferDenial(client: Client, context: AnswerContext): string | undefined {
  const denial = context.access.transferDenial(client);
  if (denial !== undefined || client.transport === "tls") return denial;
  return context.transfersOverTlsOnly ? "transfers are sent over TLS alone" : undefined;
}

function noDifferences(client: Client, context: AnswerContext): string | undefined {
  if (!context.keepsDifferences) return "no differences are kept";
  return context.access.takesIxfr(client) ? undefined : "no-ixfr is set for this secondary";
}

/**
 * The answer to a request whose differences have come.
 *
 * @param envelope  as {@link envelopeOf} gave it for the query
 */
export function respondWithDifferences(
  query: Query,
  client: Client,
  envelope: Envelope,
  wanted: DifferencesWanted,
  differences: Differences,
): Response {
  let message: Uint8Array | undefined;
  const edns = withExpire(envelope.edns, query, wanted.version);
  const plan = planWithDifferences(wanted, differences, (sequences) => {
    message = ixfrMessage(wanted.version, sequences, query, edns, envelope.maxOctets);
    return message !== undefined;
  });
  return message
    ? { query, plan, message, envelope, client }
    : planned(query, client, plan, envelope);
}

function planned(
  query: Query,
  client: Client,
  plan: TransferPlan,
  envelope: Envelope,
): Response {
  if (plan.kind === "refuse") {
    const ede = plan.rcode === RCODE.REFUSED
      ? EDE.PROHIBITED
      : plan.rcode === RCODE.NOTAUTH
      ? EDE.NOT_AUTHORITATIVE
      : undefined;
    const message = errorAnswer(query, { rcode: plan.rcode, ede }, envelope);
    return { query, plan, message, envelope, client };
  }
  const { maxOctets } = envelope;
  const edns = withExpire(envelope.edns, query, plan.version);
  const message = plan.kind === "soa"
    ? soaMessage(query, plan.version.soa, edns, maxOctets)
    : undefined;
  return { query, plan, message, envelope: { ...envelope, edns }, client };
}

/**
 * What a client gets when answering threw: SERVFAIL. Undefined when nothing may be sent.
 *
 * Says nothing of cookies and the like: what is asked to make them may be what failed.
 */
export function failure(
  message: Uint8Array,
  client: Client,
  settings: Pick<EdnsSettings, "udpOctets">,
): Uint8Array | undefined {
  const header = readHeader(message);
  if (!header || isResponse(header)) return undefined;
  const { udpOctets } = settings;
  return unreadAnswer(message, header, RCODE.SERVFAIL, client, { udpOctets }).message;
}
