/** What the Grafana dashboard shows: its figures and plots, with their queries. Pure. */

/** The instances chosen; every query has it. */
const HERE = 'instance=~"$instance"';
/** One line of a panel, or several by their labels. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly help: string;
  readonly unit: "seconds" | "octets" | "perSecond" | "number";
  readonly queries: readonly Query[];
  /** On a logarithmic axis. */
  readonly log?: boolean;
  /** One figure in place of a plot; values from which it is yellow and red. */
  readonly figure?: { readonly warn: number; readonly bad: number; readonly low?: boolean };
}

/** A metric of the chosen instances. */
function of(metric: string, labels = ""): string {
  return `${metric}{${HERE}${labels && `, ${labels}`}}`;
}

function rate(metric: string, by: string, labels = ""): string {
  return `sum by (${by}) (rate(${of(metric, labels)}[$__rate_interval]))`;
}

function quantile(share: number, metric: string, by: string): string {
  const buckets = `rate(${of(`${metric}_bucket`)}[$__rate_interval])`;
  return `histogram_quantile(${share}, sum by (${
    ["le", by].filter(Boolean).join(", ")
  }) (${buckets}))`;
}

/** p50 and p95 of a histogram. */
function spread(metric: string, by: string, legend: string): Query[] {
  return [0.5, 0.95].map((share) => ({
    expr: quantile(share, metric, by),
    legend: `${legend} p${share * 100}`.trim(),
  }));
}

/** In the first row. */
export const FIGURES: readonly Panel[] = [
  {
    title: "Ready",
    help: "1 when zones are served and changes can be published; /readyz has the reasons.",
    unit: "number",
    queries: [{ expr: `min(${of("zonecast_ready")})`, legend: "" }],
    figure: { warn: 1, bad: 1, low: true },
  },
  {
    title: "Source",
    help: "1 while the source of records can be reached.",
    unit: "number",
    queries: [{ expr: `min(${of("zonecast_source_up")})`, legend: "" }],
    figure: { warn: 1, bad: 1, low: true },
  },
  {
    title: "Held",
    help: "Changes held back until they are approved: zonecast held.",
    unit: "number",
    queries: [{ expr: `sum(${of("zonecast_held")}) or vector(0)`, legend: "" }],
    figure: { warn: 1, bad: 10 },
  },
  {
    title: "Problems",
    help: "Rows, names and zones not served as written.",
    unit: "number",
    queries: [{
      expr: `sum(${of("zonecast_problems", 'severity="error"')}) or vector(0)`,
      legend: "",
    }],
    figure: { warn: 1, bad: 1000 },
  },
  {
    title: "Zones",
    help: "Zones served.",
    unit: "number",
    queries: [{ expr: `sum(${of("zonecast_zones")})`, legend: "" }],
    figure: { warn: Infinity, bad: Infinity },
  },
  {
    title: "Longest lag",
    help: "How long a secondary has lacked a version, the longest.",
    unit: "seconds",
    queries: [{ expr: `max(${of("zonecast_secondary_lag_seconds")}) or vector(0)`, legend: "" }],
    figure: { warn: 60, bad: 300 },
  },
];

/** Below, two in a row. */
export const PLOTS: readonly Panel[] = [
  {
    title: "Commit to live, by secondary",
    help: "From the newest change in a version until the secondary shows it.",
    unit: "seconds",
    log: true,
    queries: spread("zonecast_commit_to_live_seconds", "secondary", "{{secondary}}"),
  },
  {
    title: "Commit to published and announced",
    help:
      "zonecast's own part: until the version is durable and served, and until NOTIFY has gone.",
    unit: "seconds",
    log: true,
    queries: [
      ...spread("zonecast_commit_to_publish_seconds", "", "published"),
      ...spread("zonecast_commit_to_notify_seconds", "", "NOTIFY"),
    ],
  },
  {
    title: "Lag, by secondary",
    help: "How long it has lacked the version it has lacked longest.",
    unit: "seconds",
    queries: [{ expr: of("zonecast_secondary_lag_seconds"), legend: "{{secondary}}" }],
  },
  {
    title: "Zones by state at the secondaries",
    help: "Of all secondaries together.",
    unit: "number",
    queries: [{
      expr: `sum by (state) (${of("zonecast_secondary_zones")})`,
      legend: "{{state}}",
    }],
  },
  {
    title: "Versions published, records changed",
    help: "A second.",
    unit: "perSecond",
    queries: [
      { expr: rate("zonecast_publications_total", ""), legend: "versions" },
      { expr: rate("zonecast_published_records_total", "change"), legend: "records {{change}}" },
    ],
  },
  {
    title: "Transfers",
    help: "By kind and how they ended, a second.",
    unit: "perSecond",
    queries: [{
      expr: rate("zonecast_transfers_total", "kind, result"),
      legend: "{{kind}} {{result}}",
    }],
  },
  {
    title: "Transferred",
    help: "Octets a second.",
    unit: "octets",
    queries: [{ expr: rate("zonecast_transfer_bytes_total", "kind"), legend: "{{kind}}" }],
  },
  {
    title: "NOTIFY",
    help: "Sent, acknowledged, refused, a second, of all secondaries.",
    unit: "perSecond",
    queries: [
      { expr: rate("zonecast_notify_sent_total", ""), legend: "sent" },
      { expr: rate("zonecast_notify_acknowledged_total", ""), legend: "acknowledged" },
      { expr: rate("zonecast_notify_refused_total", ""), legend: "refused" },
    ],
  },
  {
    title: "Questions",
    help: "Messages received, by transport, a second.",
    unit: "perSecond",
    queries: [{ expr: rate("zonecast_questions_total", "transport"), legend: "{{transport}}" }],
  },
  {
    title: "Answers",
    help: "By RCODE, a second.",
    unit: "perSecond",
    queries: [{ expr: rate("zonecast_responses_total", "rcode"), legend: "{{rcode}}" }],
  },
  {
    title: "Limits and refusals",
    help: "What was not answered as asked, a second.",
    unit: "perSecond",
    queries: [
      { expr: rate("zonecast_rate_limited_total", "action"), legend: "rate limit: {{action}}" },
      { expr: rate("zonecast_connections_refused_total", ""), legend: "connections refused" },
      { expr: rate("zonecast_connections_evicted_total", ""), legend: "connections evicted" },
      { expr: rate("zonecast_tls_refused_total", ""), legend: "TLS refused" },
      { expr: rate("zonecast_signature_faults_total", ""), legend: "signatures" },
      { expr: rate("zonecast_messages_ignored_total", ""), legend: "ignored" },
    ],
  },
  {
    title: "Connections and queues",
    help: "TCP and TLS connections, transfers by state, NOTIFY not acknowledged.",
    unit: "number",
    queries: [
      { expr: `sum(${of("zonecast_connections")})`, legend: "connections" },
      { expr: `sum by (state) (${of("zonecast_transfers")})`, legend: "transfers {{state}}" },
      { expr: `sum(${of("zonecast_notify_outstanding")})`, legend: "NOTIFY outstanding" },
    ],
  },
  {
    title: "Reads of the source",
    help: "A second: full is of everything, feed of what was touched.",
    unit: "perSecond",
    queries: [{ expr: rate("zonecast_source_reads_total", "kind"), legend: "{{kind}}" }],
  },
  {
    title: "Journal and state file",
    help: "Differences kept for IXFR, and the file they lie in.",
    unit: "octets",
    queries: [
      { expr: of("zonecast_journal_bytes"), legend: "journal" },
      { expr: of("zonecast_state_file_bytes"), legend: "state file" },
      { expr: of("zonecast_state_wal_bytes"), legend: "its log" },
    ],
  },
  {
    title: "Memory",
    help: "Of the process, and of the zones in it.",
    unit: "octets",
    queries: [
      { expr: of("process_resident_memory_bytes"), legend: "resident" },
      { expr: of("zonecast_heap_used_bytes"), legend: "heap" },
      { expr: of("zonecast_zones_bytes"), legend: "zones" },
    ],
  },
  {
    title: "Event loop and processor",
    help: "By how much the event loop was late; processor time a second.",
    unit: "seconds",
    queries: [
      { expr: of("zonecast_event_loop_delay_longest_seconds"), legend: "late, longest" },
      { expr: of("zonecast_event_loop_delay_median_seconds"), legend: "late, median" },
      { expr: rate("process_cpu_seconds_total", ""), legend: "processor" },
    ],
  },
];
