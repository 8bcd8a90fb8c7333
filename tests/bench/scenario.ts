/**
 * What a scenario is, and what it tells the bench.
 *
 * A scenario measures several servers on the same work, every server in turn within each round
 * ({@link Bench.interleave}), records one sample per measurement, compares what arrived with what
 * was sent, and last judges the goals it stands for.
 */
import type { BenchClient } from "./client.ts";
import type { Contenders } from "./contenders.ts";
import type { Sources } from "./sources.ts";
import type { Peer } from "./peers/peer.ts";
import type { BenchZone } from "./zones.ts";

/** How a value is printed; times are recorded in seconds, sizes in octets. */
export type Unit = "s" | "octets" | "records/s" | "questions/s" | "messages" | "count" | "ratio";

/** One measurement of one server. */
export interface Sample {
  readonly scenario: string;
  /** What was measured: "last octet", "memory after a restart". */
  readonly what: string;
  /** "zonecast", a peer's name, or what else it is measured against: "raw loopback". */
  readonly server: string;
  /** Records in the zone. */
  readonly size?: number;
  readonly unit: Unit;
  readonly value: number;
}

/** A goal and whether it was met. Give one of `atMost` and `atLeast`. */
export interface Goal {
  readonly scenario: string;
  /** "AXFR of 1M records, one client". */
  readonly what: string;
  /** undefined when it could not be measured: the goal is then "not measured", never met. */
  readonly value: number | undefined;
  readonly unit: Unit;
  /** undefined when the server that sets the bound is not here. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Where the bound comes from: "1/10 of NSD's time". */
  readonly bound: string;
  /** Of a missed goal, what was found to be the cause; printed beside it. */
  readonly reason?: string;
}

export type Verdict = "met" | "missed" | "not measured";

export interface JudgedGoal extends Goal {
  readonly verdict: Verdict;
}

/** What a scenario is given, and tells its results to. */
export interface Bench {
  readonly rounds: number;
  /** A short form with small zones: the figures are no measurement. */
  readonly quick: boolean;
  readonly client: BenchClient;
  /** The peers that are installed here. */
  readonly peers: readonly Peer[];
  /** Databases and state files that hold a zone, for zonecast. */
  readonly sources: Sources;

  /**
   * zonecast and all peers, serving the zone of `size` address records; all of them run.
   *
   * One set at a time: it is kept for the next scenario of the same size, and ended for another.
   */
  contenders(size: number): Promise<Contenders>;
  /** The number of address records to use for `records`: no more than 10,000 in the short form. */
  size(records: number): number;
  /** The zone of that many address records, as a master file. Made once. */
  zone(records: number): Promise<BenchZone>;
  /** A fresh directory, removed when the bench ends. */
  tempDir(): Promise<string>;

  /**
   * Calls `measure` for each of `things` in each round, one after another.
   *
   * Each round begins with another one, so that none always follows the same.
   *
   * @param rounds  default {@link Bench.rounds}
   */
  interleave<T>(
    things: readonly T[],
    measure: (thing: T, round: number) => Promise<void>,
    rounds?: number,
  ): Promise<void>;

  record(sample: Sample): void;
  /** The samples recorded under these words so far, in the order of the rounds. */
  samples(key: Omit<Sample, "unit" | "value">): number[];
  /** Their median; undefined when there is none. */
  median(key: Omit<Sample, "unit" | "value">): number | undefined;
  goal(goal: Goal): void;
  /** A sentence for the report: what was compared, what was left out and why. */
  note(scenario: string, text: string): void;
  /** A line on stderr, so that a person sees how far it is. */
  progress(text: string): void;
}

export interface Scenario {
  /** As in `make bench ONLY=name`. */
  readonly name: string;
  /** One line for the report. */
  readonly title: string;
  /** Whether it measures {@link Bench.contenders}; else none of them runs beside it. */
  readonly contenders?: boolean;
  run(bench: Bench): Promise<void>;
}

/** Whether a goal is met. Pure. @param quick  the short form measures nothing */
export function judge(goal: Goal, quick: boolean): Verdict {
  const { value, atMost, atLeast } = goal;
  if (quick || value === undefined || (atMost === undefined && atLeast === undefined)) {
    return "not measured";
  }
  const met = (atMost === undefined || value <= atMost) &&
    (atLeast === undefined || value >= atLeast);
  return met ? "met" : "missed";
}
