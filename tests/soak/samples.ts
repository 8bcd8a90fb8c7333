/** What zonecast takes, and how fast it answers, each second. */
import type { ServerStatus } from "../../lib/cli/status_report.ts";
import { askServer, isJsonObject } from "../../lib/ops/mod.ts";
import {
  processFigures,
  type SchedulerFigures,
  schedulerFigures,
} from "../support/process_figures.ts";
import { questionMessage } from "../support/random_questions.ts";
import { sleep } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";
import type { LatencyQuestion, SecondOfAnswers } from "./latency_worker.ts";
import type { Findings } from "./load.ts";

/** One second of the soak. */
export interface Sample {
  /** Seconds since its start. */
  readonly at: number;
  /** Resident set, octets. */
  readonly rss: number;
  readonly descriptors: number;
  /** CPU time of zonecast since its start, ms. */
  readonly cpuMs: number;
  /** From question to answer over UDP, ms: seen from outside. */
  readonly answerP50: number;
  readonly answerP99: number;
  /** By how much the event loop was late at most in ten seconds, ms: seen from inside. */
  readonly loopDelay: number;
  /**
   * How many times as long as by itself the work of its main thread took in these ten seconds, as
   * others had the processor.
   */
  readonly slowdown: number;
}

/** Seconds in which the delay of the event loop is the longest. */
const DELAY_SECONDS = 10;

/** Errors of an outage's making: what waited too long to be written back. */
const ERRORS_OF_OUTAGES = /what cannot be written back is given up/;

/** Takes samples until it is closed. */
export class Sampler {
  readonly samples: Sample[] = [];
  /** Events of the log at warn and error, and how often each came. */
  readonly events = new Map<string, number>();
  asked = 0;
  lost = 0;
  readonly #worker: Worker;
  readonly #done: Promise<void>;
  #second: SecondOfAnswers = { answers: 0, p50: NaN, p99: NaN, lost: 0, wrong: 0 };
  #closed = false;
  #lastLine = "";
  /** Of the last {@link DELAY_SECONDS} samples, and the one before. */
  readonly #given: SchedulerFigures[] = [];

  constructor(
    readonly zonecast: Zonecast,
    readonly zone: string,
    readonly findings: Findings,
    readonly explains: () => boolean,
  ) {
    this.#worker = new Worker(new URL("latency_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<SecondOfAnswers>) => this.#take(data);
    const asked = { name: zone, type: "SOA", edns: undefined, recursionDesired: false };
    const { addr, port } = zonecast;
    const question: LatencyQuestion = { addr, port, message: questionMessage(asked) };
    this.#worker.postMessage(question);
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#done;
    this.#worker.terminate();
  }

  #take(second: SecondOfAnswers): void {
    this.#second = second;
    this.asked += second.answers + second.lost;
    this.lost += second.lost;
    if (second.wrong > 0) this.findings.add("SOA", `${second.wrong} answers were not the SOA`);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await sleep(1_000);
      try {
        this.samples.push(await this.#sample());
        this.#readLog();
      } catch (error) {
        this.findings.add("samples", error);
      }
    }
  }

  async #sample(): Promise<Sample> {
    const { pid } = this.zonecast;
    if (pid === undefined) {
      throw new Error(`zonecast has ended:\n${this.zonecast.log().slice(-4_000)}`);
    }
    const loopDelay = await loopDelayOf(this.zonecast.controlSocket);
    const at = (performance.now() - this.findings.startedAt) / 1000;
    const { p50, p99 } = this.#second;
    const slowdown = this.#slowdown(pid);
    return { at, ...processFigures(pid), answerP50: p50, answerP99: p99, loopDelay, slowdown };
  }

  #slowdown(pid: number): number {
    const now = schedulerFigures(pid);
    const [before = { ranMs: 0, waitedMs: 0 }] = this.#given;
    if (this.#given.push(now) > DELAY_SECONDS) this.#given.shift();
    return 1 + (now.waitedMs - before.waitedMs) / Math.max(1, now.ranMs - before.ranMs);
  }

  /** Counts what is new in the log; an error that no outage explains is a finding. */
  #readLog(): void {
    const lines = this.zonecast.log().trimEnd().split("\n");
    const fresh = lines.slice(lines.lastIndexOf(this.#lastLine) + 1);
    this.#lastLine = lines[lines.length - 1];
    for (const line of fresh) {
      const [, level, event] = /level=(warn|error) event=("[^"]*"|\S+)/.exec(line) ?? [];
      if (level === undefined) continue;
      const key = `${level}: ${event.replaceAll('"', "")}`;
      this.events.set(key, (this.events.get(key) ?? 0) + 1);
      if (level === "warn" || (ERRORS_OF_OUTAGES.test(line) && this.explains())) continue;
      this.findings.add("zonecast's log", line);
    }
  }
}

/** The first part of the status; the others are for people. */
async function loopDelayOf(controlSocket: string): Promise<number> {
  for await (const part of askServer(controlSocket, { command: "status" })) {
    if (!isJsonObject(part) || !isJsonObject(part.server)) continue;
    return (part.server as ServerStatus).loopDelay?.longestMs ?? NaN;
  }
  throw new Error("the status tells nothing of the server");
}
