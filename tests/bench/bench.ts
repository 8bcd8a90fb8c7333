/** What scenarios are given: the samples and goals of one run, and what it takes to measure. */
import { tempDir } from "../support/tempdir.ts";
import type { BenchClient } from "./client.ts";
import { type Contenders, startContenders } from "./contenders.ts";
import type { Peer } from "./peers/peer.ts";
import { type Bench, type Goal, judge, type JudgedGoal, type Sample } from "./scenario.ts";
import { openSources, type Sources } from "./sources.ts";
import { median } from "./statistics.ts";
import { type BenchZone, writeZone } from "./zones.ts";

/** The most address records of a zone in the short form. */
const QUICK_SIZE = 10_000;

export interface RunOptions {
  readonly rounds: number;
  readonly quick: boolean;
  readonly client: BenchClient;
  readonly peers: readonly Peer[];
}

export interface Note {
  readonly scenario: string;
  readonly text: string;
}

type Key = Omit<Sample, "unit" | "value">;

/** Owns: the Postgres, the zones and the directories of one run; disposing removes them. */
export class BenchRun implements Bench, AsyncDisposable {
  readonly rounds: number;
  readonly quick: boolean;
  readonly client: BenchClient;
  readonly peers: readonly Peer[];
  readonly sources: Sources;
  readonly recorded: Sample[] = [];
  readonly goals: JudgedGoal[] = [];
  readonly notes: Note[] = [];
  #contenders: { readonly size: number; readonly started: Contenders } | undefined;
  readonly #zones = new Map<number, Promise<BenchZone>>();
  readonly #dirs: AsyncDisposable[] = [];
  readonly #began = performance.now();
  /** Whether no more is to be measured. */
  interrupted = false;

  constructor({ rounds, quick, client, peers }: RunOptions) {
    this.rounds = rounds;
    this.quick = quick;
    this.client = client;
    this.peers = peers;
    this.sources = openSources((text) => this.progress(text));
  }

  async contenders(size: number): Promise<Contenders> {
    if (this.#contenders?.size !== size) {
      await this.endContenders();
      this.#contenders = { size, started: await startContenders(this, size) };
    }
    await this.#contenders.started.start();
    return this.#contenders.started;
  }

  /** Ends the servers of {@link contenders}, so that none runs beside what is measured next. */
  async endContenders(): Promise<void> {
    const ending = this.#contenders;
    this.#contenders = undefined;
    await ending?.started[Symbol.asyncDispose]();
  }

  size(records: number): number {
    return this.quick ? Math.min(records, QUICK_SIZE) : records;
  }

  zone(records: number): Promise<BenchZone> {
    const made = this.#zones.get(records) ?? this.#makeZone(records);
    this.#zones.set(records, made);
    return made;
  }

  async #makeZone(records: number): Promise<BenchZone> {
    return await writeZone(`${await this.tempDir()}/${records}.zone`, records);
  }

  async tempDir(): Promise<string> {
    const dir = await tempDir("zonecast-bench-");
    this.#dirs.push(dir);
    return dir.path;
  }

  async interleave<T>(
    things: readonly T[],
    measure: (thing: T, round: number) => Promise<void>,
    rounds = this.rounds,
  ): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < things.length; turn++) {
        if (this.interrupted) throw new Error("interrupted");
        await measure(things[(round + turn) % things.length], round);
      }
    }
  }

  record(sample: Sample): void {
    if (!Number.isFinite(sample.value)) {
      throw new Error(`Cannot record ${sample.what} of ${sample.server}: it is ${sample.value}`);
    }
    this.recorded.push(sample);
  }

  samples({ scenario, what, server, size }: Key): number[] {
    return this.recorded
      .filter((sample) =>
        sample.scenario === scenario && sample.what === what && sample.server === server &&
        (size === undefined || sample.size === size)
      )
      .map(({ value }) => value);
  }

  median(key: Key): number | undefined {
    const samples = this.samples(key);
    return samples.length > 0 ? median(samples) : undefined;
  }

  goal(goal: Goal): void {
    this.goals.push({ ...goal, verdict: judge(goal, this.quick) });
  }

  note(scenario: string, text: string): void {
    this.notes.push({ scenario, text });
  }

  progress(text: string): void {
    console.error(
      `${((performance.now() - this.#began) / 1000).toFixed(1).padStart(7)} s  ${text}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endContenders();
    await this.sources[Symbol.asyncDispose]();
    for (const dir of this.#dirs) await dir[Symbol.asyncDispose]();
  }
}
