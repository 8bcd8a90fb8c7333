/**
 * One server's zone compared with ours: transferred where it lets us, else asked for.
 *
 * Effects: a transfer, or questions at a bounded rate.
 */
import { canonicalKey, equalNames, formatName, type ResourceRecord, TYPE } from "../dns/mod.ts";
import { runSliced } from "../ops/mod.ts";
import { type AskedServer, type Asker, AskError, fetchZone } from "../server/mod.ts";
import { TransferError } from "../transfer/mod.ts";
import { isAuthoritative, RCODE, rcodeName, type Response } from "../wire/mod.ts";
import { soaSerial, type ZoneVersion } from "../zone/mod.ts";
import { CommandError } from "./errors.ts";
import type { Progress } from "./progress.ts";
import { type CompareRules, GatheredZone, type RRsetDifference } from "./rrset_compare.ts";
import {
  ownersOf,
  type PlannedQuestion,
  planQuestions,
  type QuestionPlan,
  shownRecords,
} from "./verify_questions.ts";

/** Questions on their way at once: a tenth of a second's at the highest rate anybody likes. */
const IN_FLIGHT = 100;

export interface VerifyOptions {
  readonly rules: CompareRules;
  /** Questions a second. */
  readonly rate: number;
  /** Ask, also where a transfer may be had. */
  readonly questionsOnly: boolean;
  readonly progress: Progress;
  /** Ask about so many names only, spread over the zone; undefined: about all. */
  readonly names?: number;
}

/** How a server's zone compares with ours. */
export interface Verdict {
  readonly method: "axfr" | "questions";
  /** Why the zone was not transferred; undefined where it was, or was not to be. */
  readonly noTransfer: string | undefined;
  /** The serial it shows. */
  readonly serial: number;
  /** RRsets compared. */
  readonly compared: number;
  /** RRsets of ours that questions do not bring. */
  readonly leftOut: number;
  readonly differences: readonly RRsetDifference[];
}

/**
 * Compares a server's zone with a version.
 *
 * @param name  of the server, for progress
 * @throws {AskError} it does not answer, or is not believed
 * @throws {CommandError} "server-not-authoritative": it does not have the zone
 */
export async function verifyServer(
  asker: Asker,
  server: AskedServer,
  name: string,
  version: ZoneVersion,
  options: VerifyOptions,
): Promise<Verdict> {
  if (options.questionsOnly) return await byQuestions(asker, server, name, version, options);
  try {
    return await byTransfer(asker, server, name, version, options);
  } catch (error) {
    if (!mayAskInstead(error)) throw error;
    const verdict = await byQuestions(asker, server, name, version, options);
    return { ...verdict, noTransfer: error.message };
  }
}

/** Whether a transfer was refused, or TCP is not to be had: questions may do. */
function mayAskInstead(error: unknown): error is AskError | TransferError {
  if (error instanceof TransferError) return error.code !== "transfer-malformed";
  return error instanceof AskError &&
    (error.code === "ask-unreachable" || error.code === "ask-silent");
}

async function byTransfer(
  asker: Asker,
  server: AskedServer,
  name: string,
  version: ZoneVersion,
  { rules, progress }: VerifyOptions,
): Promise<Verdict> {
  const zone = new GatheredZone();
  let soa: ResourceRecord | undefined;
  for await (const part of fetchZone(asker, server, version.apex)) {
    if (!soa) zone.add(part.soa);
    soa = part.soa;
    for (const record of part.records) zone.add(record);
    progress.show(`${name}: records`, zone.records, Math.max(version.records, zone.records));
  }
  const found = await compared(zone, ownersOf(version), rules);
  return {
    method: "axfr",
    noTransfer: undefined,
    serial: soaSerial(soa!),
    leftOut: 0,
    ...found,
  };
}

async function byQuestions(
  asker: Asker,
  server: AskedServer,
  name: string,
  version: ZoneVersion,
  { rules, rate, progress, names }: VerifyOptions,
): Promise<Verdict> {
  const { apex } = version;
  const soaQuestion: PlannedQuestion = { owner: apex, type: TYPE.SOA, cut: undefined };
  const first = await asker.ask(server, { name: apex, type: TYPE.SOA });
  const [soa] = checkedRecords(soaQuestion, first.response);
  if (!soa) throw notThere("it shows no SOA record");
  const plan = sampled(planQuestions(version, rules), names);
  const zone = new GatheredZone();
  let done = 0;
  await paced(plan.questions, rate, async (question) => {
    const { owner, type } = question;
    const { response } = await asker.ask(server, { name: owner, type });
    for (const record of checkedRecords(question, response)) zone.add(record);
    progress.show(`${name}: questions`, ++done, plan.questions.length);
  });
  const found = await compared(zone, plan.owners, rules);
  return {
    method: "questions",
    noTransfer: undefined,
    serial: soaSerial(soa),
    leftOut: plan.leftOut,
    ...found,
  };
}

/** The plan for some of its names: the apex, and others at even distances. */
function sampled(plan: QuestionPlan, names: number | undefined): QuestionPlan {
  if (names === undefined || plan.owners.length <= names) return plan;
  const step = plan.owners.length / names;
  const owners = Array.from({ length: names }, (_, index) => plan.owners[Math.floor(index * step)]);
  const keys = new Set(owners.map(({ key }) => key));
  const questions = plan.questions.filter(({ owner }) => keys.has(canonicalKey(owner)));
  return { ...plan, questions, owners };
}

/** What an answer shows, if it may be taken for what the zone has. @throws {CommandError} */
function checkedRecords(question: PlannedQuestion, response: Response): ResourceRecord[] {
  const { rcode } = response;
  const about = `asked for ${formatName(question.owner)}`;
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
    throw notThere(`it answers ${rcodeName(rcode)} when ${about}`);
  }
  const isReferral = question.cut !== undefined &&
    response.authority.some(({ owner, type }) =>
      type === TYPE.NS && equalNames(owner, question.cut!)
    );
  if (!isAuthoritative(response) && !isReferral) {
    throw notThere(`its answer is not authoritative when ${about}`);
  }
  return shownRecords(question, response);
}

function notThere(why: string): CommandError {
  return new CommandError(
    "server-not-authoritative",
    `The server does not serve the zone: ${why}`,
    "ask a name server that has the zone, not a resolver; if it limits questions, lower --rate",
  );
}

/** Does work for each item, so many a second; the first that fails ends it. */
async function paced<T>(
  items: readonly T[],
  rate: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const startedAt = performance.now();
  for (const [index, item] of items.entries()) {
    const wait = startedAt + index * 1000 / rate - performance.now();
    if (wait > 0) await new Promise((resume) => setTimeout(resume, wait));
    while (running.size >= IN_FLIGHT) await Promise.race(running);
    if (failure) break;
    const one = work(item).catch((error) => {
      failure ??= { error };
    }).finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
}

async function compared(
  zone: GatheredZone,
  owners: Parameters<GatheredZone["compare"]>[0],
  rules: CompareRules,
): Promise<{ compared: number; differences: RRsetDifference[] }> {
  const differences: RRsetDifference[] = [];
  const all = await runSliced(zone.compare(owners, rules), (difference) => {
    if (difference) differences.push(difference);
  });
  return { compared: all, differences };
}
