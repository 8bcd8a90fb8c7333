/**
 * What all listeners share: answering with its side effects, counted and logged.
 *
 * Owns: counters. Effects: per-secondary states, log.
 */
import { formatName, type Name, TYPE } from "../dns/mod.ts";
import { type Logger, normalIp } from "../ops/mod.ts";
import type { TransferPlan } from "../transfer/mod.ts";
import { EDE, type Query, RCODE } from "../wire/mod.ts";
import type { DifferenceReader } from "../zone/mod.ts";
import type { Access, Asker } from "./access.ts";
import { errorAnswer } from "./answer.ts";
import { AnswerCounts } from "./answer_counts.ts";
import { DifferenceReads } from "./difference_reads.ts";
import type { Envelope } from "./edns.ts";
import { LogLimiter } from "./log_limiter.ts";
import {
  type AnswerContext,
  type Client,
  failure,
  respond,
  respondWithDifferences,
  type Response,
} from "./respond.ts";
import { PlainAnswers } from "./plain_answer.ts";
import type { RateVerdict, ResponseRate } from "./response_rate.ts";
import { noCounts } from "./server_counts.ts";
import { signedAnswer } from "./signed_request.ts";
import { TransferNotes, type TransferNotesOptions, type TransferRun } from "./transfer_notes.ts";
import { truncatedAnswer } from "./truncated_answer.ts";

export type { ServerCounts } from "./server_counts.ts";
export type { BulkPlan, TransferRun } from "./transfer_notes.ts";

/** A response whose answer depends on differences. */
export type WantingResponse = Response & Required<Pick<Response, "wanted" | "envelope">> & {
  readonly query: Query;
};

/** See {@link DnsService.answerInPlace}. */
export const NOT_PLAIN = -1;

/** Whether the answer depends on differences. */
export function isWanting(response: Response): response is WantingResponse {
  return response.wanted !== undefined && response.query !== undefined &&
    response.envelope !== undefined;
}

/** A response whose message, if it is one of its own, is signed as its request was. */
function signed(response: Response): Response {
  const { message, envelope } = response;
  if (!message || !envelope?.signature) return response;
  return { ...response, message: signedAnswer(message, envelope.signature) };
}

export interface DnsServiceOptions
  extends Omit<AnswerContext, "keepsDifferences">, TransferNotesOptions {
  readonly access: Access;
  /** Undefined: no differences are kept. */
  readonly differences?: DifferenceReader;
  /** Limits UDP answers; undefined: nothing does. */
  readonly rate?: ResponseRate;
}

export class DnsService {
  readonly counts = noCounts();
  readonly answers = new AnswerCounts();
  readonly limiter: LogLimiter;
  readonly log: Logger;
  readonly #options: DnsServiceOptions;
  readonly #context: AnswerContext;
  readonly #plain: PlainAnswers;
  readonly #reads: DifferenceReads;
  readonly #transfers: TransferNotes;

  constructor(options: DnsServiceOptions) {
    this.#options = options;
    this.#context = { ...options, keepsDifferences: options.differences !== undefined };
    this.#plain = new PlainAnswers(options.zones, options.udpOctets);
    this.#reads = new DifferenceReads(options.differences, options.clock);
    this.log = options.log;
    this.limiter = new LogLimiter(() => options.clock.now());
    this.#transfers = new TransferNotes(options, this.counts, this.answers, this.limiter);
  }

  /**
   * Answers an ordinary question that came over UDP, in its place; never throws.
   *
   * @param octets  begins with the message; the answer may take all of it
   * @param length  octets of the message
   * @returns octets of the answer; 0: none is sent; {@link NOT_PLAIN}: the question stands
   *   unchanged, {@link respond} has its answer
   */
  answerInPlace(octets: Uint8Array, length: number, ip: string): number {
    const { access } = this.#options;
    const plain = this.#plain;
    let answer: number;
    try {
      if (!access.mayQueryFrom(ip)) return NOT_PLAIN;
      answer = plain.answer(octets, length);
    } catch (error) {
      this.#reportPlain(error, ip);
      return NOT_PLAIN;
    }
    if (answer === 0) return NOT_PLAIN;
    this.counts.udpQueries++;
    if (plain.type === TYPE.SOA) this.#noteSoaQuery({ ip }, plain.apex);
    this.answers.answeredWell();
    const verdict = this.#judge(ip, octets);
    return verdict === "send" ? answer : verdict === "drop" ? 0 : plain.truncate(octets);
  }

  /** Answers a message, or says which differences the answer depends on; never throws. */
  respond(message: Uint8Array, client: Client): Response {
    if (client.transport === "udp") this.counts.udpQueries++;
    else if (client.transport === "tcp") this.counts.tcpQueries++;
    else this.counts.tlsQueries++;
    let response: Response;
    try {
      response = respond(message, client, this.#context);
    } catch (error) {
      this.#reportFailure(error, client);
      const said = failure(message, client, this.#context);
      if (said) this.answers.answered(said, undefined);
      return { message: said, query: undefined, plan: undefined, client };
    }
    const { query, plan, client: asker, signatureFault: fault } = response;
    if (fault !== undefined) this.#reportSignature(query!, asker, fault);
    else if (plan) this.#notePlan(plan, query!, asker);
    else if (query?.question.type === TYPE.SOA) this.#noteSoaQueryOf(query, asker);
    else if (!response.message && !response.wanted) this.counts.ignored++;
    if (response.message || plan) this.answers.answered(response.message, query);
    return signed(response);
  }

  /**
   * The answer that depends on differences; never rejects. The query's octets may
   * change as soon as this has returned its promise.
   */
  async respondWith({ query, client, envelope, wanted }: WantingResponse): Promise<Response> {
    const kept = { ...query, question: { ...query.question, name: query.question.name.slice() } };
    const differences = await this.#reads.read(wanted);
    try {
      const response = respondWithDifferences(kept, client, envelope, wanted, differences);
      if (response.plan) this.#notePlan(response.plan, kept, client, response.message);
      this.answers.answered(response.message, kept);
      return signed(response);
    } catch (error) {
      this.#reportFailure(error, client);
      const message = errorAnswer(kept, { rcode: RCODE.SERVFAIL }, envelope);
      this.answers.answered(message, kept);
      return signed({ message, query: kept, plan: undefined, envelope, client });
    }
  }

  /**
   * What is sent over UDP in an answer's place: the answer itself, a truncated one when its
   * prefix has had its share, or undefined for nothing.
   *
   * Who shows a good cookie is not limited, nor who signs: no forger has a cookie (RFC 7873
   * §5.2.5) or a key.
   */
  limited(response: Response, ip: string): Uint8Array | undefined {
    const { message: answer, query, envelope } = response;
    if (!answer || envelope?.validCookie || envelope?.signature?.error === 0) return answer;
    const verdict = this.#judge(ip, answer);
    if (verdict === "send") return answer;
    if (verdict === "drop") return undefined;
    return query ? truncatedAnswer(query, envelope?.edns) : answer;
  }

  /** What becomes of an answer over UDP, by its client's share; counted and reported. */
  #judge(ip: string, answer: Uint8Array): RateVerdict {
    const { rate, access } = this.#options;
    if (!rate || !access.isRateLimited(ip)) return "send";
    const verdict = rate.judge(ip, answer);
    if (verdict === "send") return verdict;
    this.#reportRate(ip);
    if (verdict === "drop") this.counts.rateDropped++;
    else this.counts.rateTruncated++;
    return verdict;
  }

  #reportRate(ip: string): void {
    const held = this.limiter.pass("rate");
    if (held === undefined) return;
    this.log.warn("UDP answers are limited", {
      client: normalIp(ip),
      hint: "a flood, or forged queries; --rrl and --rrl-exempt say who is limited",
      alike: held,
    });
  }

  /** Ends the wait for differences. */
  close(): void {
    this.#reads.close();
  }

  /** A transfer whose last octet was written. */
  transferred(query: Query, client: Client, run: TransferRun): void {
    this.#transfers.sent(query, client, run);
  }

  /** The answer to a request for a transfer that cannot wait any longer: ask again later. */
  transferPutOff(query: Query, client: Client, envelope: Envelope): Uint8Array {
    this.#transfers.putOff(query, client);
    return signedAnswer(
      errorAnswer(query, { rcode: RCODE.SERVFAIL, ede: EDE.OTHER }, envelope),
      envelope.signature,
    );
  }

  /** A connection that is closed because all of them hold too many octets. */
  reportBuffers(client: Client): void {
    const held = this.limiter.pass("buffers");
    if (held === undefined) return;
    this.log.warn("connection closed: the buffers of all are full", {
      client: normalIp(client.ip),
      hint: "raise --max-buffers if memory allows",
      alike: held,
    });
  }

  /** A transfer that ended before its last octet. */
  transferBroken(query: Query, client: Client, run: TransferRun, why: string): void {
    this.#transfers.broken(query, client, run, why);
  }

  #notePlan(plan: TransferPlan, query: Query, client: Client, message?: Uint8Array): void {
    if (plan.kind === "axfr" || plan.kind === "ixfr") {
      // Over TCP it is noted when it has been streamed.
      const run = { messages: 1, octets: message?.length ?? 0, durationMs: 0 };
      if (message) this.transferred(query, client, { plan, ...run });
      return;
    }
    this.answers.planned(plan, query);
    if (plan.kind === "soa") {
      this.#noteSoaQueryOf(query, client);
      this.#transfers.answeredBySoa(plan, query, client);
    } else this.#transfers.refused(plan, query, client);
  }

  #noteSoaQueryOf({ question }: Query, client: Client): void {
    this.#noteSoaQuery(client, this.#options.zones.get(question.name)?.apex);
  }

  #noteSoaQuery(asker: Asker, apex: Name | undefined): void {
    const { access, states, clock } = this.#options;
    if (!apex) return;
    const secondaries = access.secondariesAt(asker);
    if (secondaries.length === 0) return;
    const now = clock.now();
    for (const secondary of secondaries) states.of(secondary, apex).soaQueryAt = now;
  }

  #reportSignature({ question, tsig }: Query, client: Client, fault: string): void {
    this.counts.signatureFaults++;
    const held = this.limiter.pass(`signature ${client.ip}`);
    if (held === undefined) return;
    this.log.warn("a signed request is refused", {
      client: normalIp(client.ip),
      key: formatName(tsig!.keyName),
      zone: formatName(question.name),
      why: fault,
      alike: held,
    });
  }

  /** The long way may have the answer: it need not meet what is damaged. */
  #reportPlain(error: unknown, ip: string): void {
    const held = this.limiter.pass("plain answer");
    if (held === undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.log.error("a question takes the long way", {
      client: normalIp(ip),
      error: cause,
      alike: held,
    });
  }

  #reportFailure(error: unknown, client: Client): void {
    this.counts.failures++;
    const held = this.limiter.pass("failure");
    if (held === undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.log.error("answer failed", { client: normalIp(client.ip), error: cause, alike: held });
  }
}
