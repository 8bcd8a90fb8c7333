/** Metrics of the process, the zones and the source. Effects: none but those of reading. */
import { formatName } from "../../dns/mod.ts";
import type { Sample } from "../../ops/mod.ts";
import type { PrimaryStatus } from "../../primary.ts";
import type { ProblemCount } from "../../zone/mod.ts";
import type { MetricTable } from "./readings.ts";

/** Zones with series of their own: of more, none has them, for which would it be? */
export const ZONE_SERIES = 1_000;
/** Zones named in the series of problems and of what is held; those of further ones are added up. */
const NAMED_ZONES = 200;
/** The label of what is added up. */
const OTHER_ZONES = "(other)";

export function aboutProcess({ metrics, read, gauge, counter }: MetricTable): void {
  metrics.gauge(
    { name: "zonecast_build_info", help: "Always 1; the version is a label.", labels: ["version"] },
    () => [[1, read().version]],
  );
  gauge("zonecast_ready", "Whether /readyz says ready.", ({ ready }) => Number(ready));
  gauge(
    "process_start_time_seconds",
    "When the server started, in seconds since the epoch.",
    ({ startedAt }) => startedAt / 1000,
  );
  gauge(
    "process_resident_memory_bytes",
    "Memory that the process has in RAM.",
    ({ process }) => process.residentOctets,
  );
  gauge(
    "zonecast_heap_used_bytes",
    "Memory used on the JavaScript heap; pages of zones lie outside of it.",
    ({ process }) => process.heapOctets,
  );
  counter(
    "process_cpu_seconds_total",
    "Processor time of all threads, user and system.",
    ({ process }) => process.cpuSeconds,
  );
  gauge("process_open_fds", "File descriptors open.", ({ process }) => process.descriptors);
  gauge(
    "zonecast_event_loop_delay_median_seconds",
    "By how much the event loop was late in the last ten seconds, the median.",
    ({ loopDelay }) => loopDelay.medianMs / 1000,
  );
  gauge(
    "zonecast_event_loop_delay_longest_seconds",
    "The same, the longest: every answer then waited for so long.",
    ({ loopDelay }) => loopDelay.longestMs / 1000,
  );
}

export function aboutZones({ metrics, read, gauge, counter }: MetricTable): void {
  const zones = () => read().primary.zones;
  const listed = () => zones().length <= ZONE_SERIES ? zones() : [];
  const total = (value: (zone: PrimaryStatus["zones"][number]) => number) => () =>
    zones().reduce((sum, zone) => sum + value(zone), 0);
  gauge(
    "zonecast_zones",
    "Zones served, each with a version that was published.",
    () => zones().length,
  );
  gauge(
    "zonecast_records",
    "Records served, of all zones.",
    total(({ version }) => version.records),
  );
  gauge(
    "zonecast_zones_bytes",
    "Size of all zones' pages, which is about the memory they take.",
    total(({ version }) => version.wireOctets),
  );
  metrics.gauge({
    name: "zonecast_zone_serial",
    help: `SOA serial of each zone; absent with more than ${ZONE_SERIES} zones.`,
    labels: ["zone"],
  }, () => listed().map(({ version }) => [version.serial, formatName(version.apex)]));
  metrics.gauge({
    name: "zonecast_zone_records",
    help: `Records of each zone; absent with more than ${ZONE_SERIES} zones.`,
    labels: ["zone"],
  }, () => listed().map(({ version }) => [version.records, formatName(version.apex)]));
  metrics.gauge(
    {
      name: "zonecast_zone_published_timestamp_seconds",
      help: "When each zone's current version was published, in seconds since the epoch; absent " +
        `with more than ${ZONE_SERIES} zones.`,
      labels: ["zone"],
    },
    () =>
      listed().map(({ version, publishedAt }) => [publishedAt / 1000, formatName(version.apex)]),
  );
  metrics.gauge({
    name: "zonecast_problems",
    help: "Rows, owners and zones with a problem, by zone: an error is not served as written, a " +
      `warning is; of more than ${NAMED_ZONES} zones the rest under zone="${OTHER_ZONES}".`,
    labels: ["zone", "severity"],
  }, () => problemSamples(read().primary.problemCounts));
  metrics.gauge({
    name: "zonecast_held",
    help: "Changes held back until they are approved, by zone; with more than " +
      `${NAMED_ZONES} zones as problems are.`,
    labels: ["zone"],
  }, () => byZone(read().primary.held));
  counter(
    "zonecast_publications_total",
    "Versions of zones published since the start.",
    ({ published }) => published.versions,
  );
  metrics.counter({
    name: "zonecast_published_records_total",
    help: "Records that published versions added and removed.",
    labels: ["change"],
  }, () => {
    const { added, removed } = read().published;
    return [[added, "added"], [removed, "removed"]];
  });
  gauge(
    "zonecast_publication_stopped",
    "1 when nothing can be published because the state file cannot be written; what was " +
      "published before is served on.",
    ({ state }) => Number(state.stopped),
  );
  gauge(
    "zonecast_state_file_bytes",
    "Size of the state file: last known zones and the journal.",
    ({ state }) => state.octets,
  );
  gauge(
    "zonecast_state_wal_bytes",
    "Size of the state file's write-ahead log.",
    ({ state }) => state.walOctets,
  );
  gauge(
    "zonecast_journal_differences",
    "Differences kept for IXFR, of all zones; absent when the state file does not tell.",
    ({ state }) => state.journal?.differences,
  );
  gauge(
    "zonecast_journal_bytes",
    "Size of these differences.",
    ({ state }) => state.journal?.octets,
  );
  gauge(
    "zonecast_journal_oldest_timestamp_seconds",
    "When the oldest of them was published, in seconds since the epoch.",
    ({ state }) => {
      const { oldestAt } = state.journal ?? {};
      return oldestAt === undefined ? undefined : Date.parse(oldestAt) / 1000;
    },
  );
}

/** Numbers by zone, those of the first zones by name. */
function byZone(entries: Iterable<{ readonly zone: string }>): Sample[] {
  const counts = new Map<string, number>();
  for (const { zone } of entries) {
    const label = counts.size < NAMED_ZONES || counts.has(zone) ? zone : OTHER_ZONES;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return Array.from(counts, ([zone, count]) => [count, zone]);
}

/** Errors and warnings of each zone that has any. */
function problemSamples(counts: readonly ProblemCount[]): Sample[] {
  const others = { zone: OTHER_ZONES, errors: 0, warnings: 0 };
  for (const { errors, warnings } of counts.slice(NAMED_ZONES)) {
    others.errors += errors;
    others.warnings += warnings;
  }
  return [...counts.slice(0, NAMED_ZONES), others].flatMap(({ zone, errors, warnings }) =>
    ([[errors, zone, "error"], [warnings, zone, "warning"]] as Sample[])
      .filter(([count]) => Number(count) > 0)
  );
}

export function aboutSource({ metrics, read, gauge }: MetricTable): void {
  gauge(
    "zonecast_source_up",
    "Whether the source of records can be reached.",
    ({ primary }) => Number(primary.link.up),
  );
  gauge(
    "zonecast_source_link_changed_timestamp_seconds",
    "When the source came up or went down, in seconds since the epoch.",
    ({ primary }) => primary.link.since / 1000,
  );
  metrics.counter({
    name: "zonecast_source_reads_total",
    help: "Reads of the source that ended well: full is of everything, feed of what the change " +
      "feed named.",
    labels: ["kind"],
  }, () => {
    const { everything, part } = read().primary.reads;
    return [[everything, "full"], [part, "feed"]];
  });
  gauge(
    "zonecast_source_last_read_timestamp_seconds",
    "When the source was last read to the end, in seconds since the epoch; absent before.",
    ({ primary }) => primary.lastReadAt === undefined ? undefined : primary.lastReadAt / 1000,
  );
  gauge(
    "zonecast_source_last_read_duration_seconds",
    "How long that read took, with publishing what it found.",
    ({ primary }) => primary.lastReadMs === undefined ? undefined : primary.lastReadMs / 1000,
  );
  gauge(
    "zonecast_source_read_failing",
    "Whether the last read, or publishing what it found, failed.",
    ({ primary }) => Number(primary.failure !== undefined),
  );
  gauge(
    "zonecast_write_back_failing",
    "Whether what became of the records cannot be written back to the source.",
    ({ writeBack }) => Number(writeBack.failure !== undefined),
  );
  gauge(
    "zonecast_write_back_queue_versions",
    "Published versions not yet written back to the source.",
    ({ writeBack }) => writeBack.waiting,
  );
}
