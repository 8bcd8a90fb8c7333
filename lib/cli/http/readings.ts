/** What metrics are read from: everything of one moment. Types, and how a single value is put. */
import type { LoopDelayFigures, Metrics, Sample } from "../../ops/mod.ts";
import type { PrimaryStatus } from "../../primary.ts";
import type { SecondarySummary, ServerFigures } from "../../server/mod.ts";
import type { WriteBackStatus } from "../../source/mod.ts";
import type { JournalStatus } from "../status_report.ts";

/** All that is read for one scrape. */
export interface Readings {
  readonly version: string;
  /** ms since the epoch. */
  readonly now: number;
  readonly startedAt: number;
  readonly primary: PrimaryStatus;
  readonly server: ServerFigures;
  readonly secondaries: readonly SecondarySummary[];
  readonly writeBack: WriteBackStatus;
  readonly loopDelay: LoopDelayFigures;
  readonly process: ProcessReadings;
  readonly state: StateReadings;
  readonly http: HttpReadings;
  readonly published: PublishedCounts;
  readonly ready: boolean;
  readonly underWay: number;
  /** A secondary that lacks a version for longer is behind. */
  readonly lagAlarmMs: number;
  /** Where NOTIFY goes, by the secondary's name. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** What the runtime tells of the process; a figure it does not tell is undefined. */
export interface ProcessReadings {
  readonly residentOctets: number;
  readonly heapOctets: number;
  readonly cpuSeconds: number | undefined;
  readonly descriptors: number | undefined;
}

/** The state file. Octets; undefined when it cannot be looked at. */
export interface StateReadings {
  readonly octets: number | undefined;
  readonly walOctets: number | undefined;
  /** Undefined when the file does not tell. */
  readonly journal: JournalStatus | undefined;
  /** Whether nothing can be written to it now. */
  readonly stopped: boolean;
}

export interface HttpReadings {
  readonly answered: ReadonlyMap<number, number>;
  readonly refused: number;
  readonly connections: number;
}

/** Totals since the start. */
export interface PublishedCounts {
  versions: number;
  added: number;
  removed: number;
}

/** Where metrics are put, and what from. */
export interface MetricTable {
  readonly metrics: Pick<Metrics, "counter" | "gauge" | "histogram">;
  readonly read: () => Readings;
  /** Metrics of one value without labels; undefined leaves it out. */
  gauge(name: string, help: string, value: (readings: Readings) => number | undefined): void;
  counter(name: string, help: string, value: (readings: Readings) => number | undefined): void;
}

/** @param read  what a scrape sees; the same until the next */
export function metricTable(metrics: MetricTable["metrics"], read: () => Readings): MetricTable {
  const samples = (value: number | undefined): Sample[] => value === undefined ? [] : [[value]];
  return {
    metrics,
    read,
    gauge: (name, help, value) => metrics.gauge({ name, help }, () => samples(value(read()))),
    counter: (name, help, value) => metrics.counter({ name, help }, () => samples(value(read()))),
  };
}
