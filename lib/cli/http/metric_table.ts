/**
 * The metrics there are.
 *
 * The number of series is bounded whatever is served: zones have series of their own up to
 * a thousand of them, secondaries one each for every state and bucket, and no label ever comes
 * from a client.
 */
import type { Observer } from "../../ops/mod.ts";
import { type MetricTable, metricTable, type Readings } from "./readings.ts";
import { aboutAnswers, aboutHttp, aboutSecondaries } from "./traffic_metrics.ts";
import { aboutProcess, aboutSource, aboutZones } from "./zone_metrics.ts";

/** Upper bounds for times from a commit on, in seconds: a change is out in ms, a slow secondary takes minutes. */
export const PROPAGATION_BUCKETS: readonly number[] = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 300, 1800],
];

/** The histograms, to be told of what is measured. */
export interface Histograms {
  readonly publish: Observer;
  readonly notify: Observer;
  readonly live: Observer;
}

/**
 * Puts all metrics into a registry.
 *
 * @param read  what a scrape sees; the same until the next
 */
export function registerMetrics(
  metrics: MetricTable["metrics"],
  read: () => Readings,
): Histograms {
  const table = metricTable(metrics, read);
  aboutProcess(table);
  aboutZones(table);
  aboutSource(table);
  aboutSecondaries(table);
  aboutAnswers(table);
  aboutHttp(table);
  return {
    publish: metrics.histogram({
      name: "zonecast_commit_to_publish_seconds",
      help: "Time from the newest change in a version, as the database stamped it, until the " +
        "version is durable and served. Where the source stamps changes (Postgres).",
    }, PROPAGATION_BUCKETS),
    notify: metrics.histogram({
      name: "zonecast_commit_to_notify_seconds",
      help: "Time from the newest change in a version until the first NOTIFY for it, or a later " +
        "one, has gone to the secondary.",
      labels: ["secondary"],
    }, PROPAGATION_BUCKETS),
    live: metrics.histogram({
      name: "zonecast_commit_to_live_seconds",
      help: "Time from the newest change in a version until all watched servers of the secondary " +
        "show its serial, or a later one.",
      labels: ["secondary"],
    }, PROPAGATION_BUCKETS),
  };
}
