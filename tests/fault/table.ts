/**
 * The table of faults, as text and as the Markdown of README.md's "Bad nights". Pure.
 */
import type { Machine } from "../bench/machine.ts";
import type { Account, LiveTime } from "./fault.ts";
import { seconds } from "./told.ts";

/** Faults that belong together. */
export interface Group<T> {
  readonly title: string;
  readonly of: readonly T[];
}

const count = (of: number) => of.toLocaleString("en");

/** What users of the zone notice while it is asked all the time. */
function noticed({ probe }: Account): string {
  if (!probe) return "-";
  const { unanswered, questions, longestGapMs } = probe;
  if (unanswered === 0) return `none of ${count(questions)}`;
  return `${count(unanswered)} of ${count(questions)}, ${seconds(longestGapMs)} on end`;
}

/** How long until changes were live: the slowest of each kind. */
function live({ live }: Account): string {
  const slowest = (kind: LiveTime["when"], told: (time: string) => string) => {
    const times = live.filter(({ when }) => when === kind).map(({ ms }) => ms);
    return times.length > 0 ? [told(seconds(Math.max(...times)))] : [];
  };
  return [
    ...slowest("during", (time) => `${time} while it lasts`),
    ...slowest("meanwhile", (time) => `${time} after its end`),
    ...slowest("afterwards", (time) => `then ${time}`),
  ].join("; ") || "-";
}

/** One fault and whether it came out as it must, in a line. */
export function verdictText({ fault, seconds, failure }: Account): string {
  const verdict = failure === undefined ? "ok" : "FAILED";
  return `${verdict.padEnd(6)} ${fault.name}: ${fault.what} (${seconds.toFixed(1)} s)`;
}

/** One fault as text, some lines. */
function accountText(account: Account): string {
  const { failure, told, probe } = account;
  if (failure !== undefined) {
    const text = failure instanceof Error ? failure.stack : failure;
    return `${verdictText(account)}\n    ${text}`;
  }
  return [
    verdictText(account),
    `    unanswered  ${noticed(account)}; longest gap ${seconds(probe?.longestGapMs ?? 0)}`,
    `    a change    ${live(account)}`,
    ...told.map(({ what, hint }) => `    told        ${what}${hint ? `; ${hint}` : ""}`),
  ].join("\n");
}

/** All of them as text. */
export function tableText(groups: readonly Group<Account>[]): string {
  return groups.filter(({ of }) => of.length > 0)
    .map(({ title, of }) => `--- ${title}\n${of.map(accountText).join("\n")}`).join("\n\n");
}

/** The same for the README. */
export function tableMarkdown(groups: readonly Group<Account>[]): string {
  const rows = groups.filter(({ of }) => of.length > 0).flatMap(({ title, of }) => [
    [`**${title}**`, "", "", ""],
    ...of.map((account) => [
      account.fault.what,
      account.failure === undefined ? noticed(account) : "FAILED",
      live(account),
      account.told.map(({ what }) => what).join("<br>") || "-",
    ]),
  ]);
  const head = ["what breaks", "questions unanswered", "a change is live", "the operator sees"];
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

/** What it was measured on. */
export function machineText({ cpu, cores, memory, kernel, system }: Machine): string {
  return `${cpu}, ${cores} cores, ${Math.round(memory / 2 ** 30)} GiB, ${system}, ${kernel}`;
}
