/** Alert rules for Prometheus. Pure. */

/** A rule; its texts may hold Prometheus' templates. */
interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long it must hold; undefined: not at all. */
  readonly for?: string;
  readonly severity: "critical" | "warning" | "info";
  readonly summary: string;
  /** What it means, and what to do. */
  readonly description: string;
}

const ALERTS: readonly Alert[] = [
  {
    name: "ZonecastNotScraped",
    expr: "absent(zonecast_build_info)",
    for: "5m",
    severity: "critical",
    summary: "No zonecast is scraped",
    description:
      "It does not run, or Prometheus does not reach --http. The secondaries serve on what they " +
      "have until their SOA EXPIRE; nothing new is published.",
  },
  {
    name: "ZonecastNotReady",
    expr: "zonecast_ready == 0",
    for: "2m",
    severity: "critical",
    summary: "zonecast on {{ $labels.instance }} is not ready",
    description: "Its /readyz has the reasons and what to do about each.",
  },
  {
    name: "ZonecastPublicationStopped",
    expr: "zonecast_publication_stopped == 1",
    for: "30s",
    severity: "critical",
    summary:
      "zonecast on {{ $labels.instance }} publishes nothing: its state file cannot be written",
    description:
      "What was published before is served on. /readyz and the log say why; a full disk is the " +
      "usual reason.",
  },
  {
    name: "ZonecastSourceAway",
    expr: "zonecast_source_up == 0",
    for: "5m",
    severity: "warning",
    summary: "zonecast on {{ $labels.instance }} cannot reach its source",
    description:
      "Changes wait there; all zones are served on. `zonecast status` says what the source answers.",
  },
  {
    name: "ZonecastReadFailing",
    expr: "zonecast_source_read_failing == 1 and on (instance) zonecast_source_up == 1",
    for: "5m",
    severity: "warning",
    summary: "Reading the source of zonecast on {{ $labels.instance }} fails",
    description: "Changes are not published. `zonecast status` and `zonecast doctor` say why.",
  },
  {
    name: "ZonecastNotWrittenBack",
    expr: "zonecast_write_back_failing == 1",
    for: "15m",
    severity: "info",
    summary: "zonecast on {{ $labels.instance }} cannot write back what became of changes",
    description:
      "Publishing goes on, but zonecast.wait_live answers nothing new. Its role lacks a right, " +
      "perhaps: `zonecast schema apply --role`.",
  },
  {
    name: "ZonecastHeld",
    expr: "sum by (instance, zone) (zonecast_held) > 0",
    severity: "warning",
    summary: "A change of {{ $labels.zone }} is held back",
    description: "`zonecast held` shows it, `zonecast approve` releases it.",
  },
  {
    name: "ZonecastProblems",
    expr: 'sum by (instance, zone) (zonecast_problems{severity="error"}) > 0',
    for: "10m",
    severity: "info",
    summary: "{{ $value }} rows or names of {{ $labels.zone }} are not served as written",
    description: "`zonecast problems` lists them with the reasons; mend them in the source.",
  },
  {
    name: "ZonecastSecondaryBehind",
    expr: "zonecast_secondary_lag_seconds > 300",
    for: "1m",
    severity: "warning",
    summary: "{{ $labels.secondary }} has lacked a version for {{ $value | humanizeDuration }}",
    description: "`zonecast doctor` tests how it can be reached and what it serves.",
  },
  {
    name: "ZonecastSecondaryAhead",
    expr: "zonecast_secondary_ahead_zones > 0",
    for: "1m",
    severity: "critical",
    summary: "{{ $labels.secondary }} shows serials ahead of ours and takes no changes",
    description:
      "`zonecast serial ZONE --above SERIAL` raises ours; the log names zone and serial.",
  },
  {
    name: "ZonecastSlowToLive",
    expr: "histogram_quantile(0.95, sum by (le, instance, secondary) " +
      "(rate(zonecast_commit_to_live_seconds_bucket[15m]))) > 60",
    for: "15m",
    severity: "warning",
    summary: "95 % of changes take up to {{ $value | humanizeDuration }} to be live at " +
      "{{ $labels.secondary }}",
    description:
      "Compare zonecast_commit_to_notify_seconds: what comes after it is the secondary's own time.",
  },
  {
    name: "ZonecastNotifyUnanswered",
    expr: "rate(zonecast_notify_sent_total[10m]) > 0 and " +
      "rate(zonecast_notify_acknowledged_total[10m]) == 0",
    for: "15m",
    severity: "warning",
    summary: "{{ $labels.secondary }} acknowledges no NOTIFY",
    description: "Is it up, has it the zones, does it allow NOTIFY from here? `zonecast doctor`.",
  },
  {
    name: "ZonecastTransfersFailing",
    expr:
      'sum by (instance) (increase(zonecast_transfers_total{result=~"broken|put_off"}[15m])) > 10',
    severity: "warning",
    summary: "Transfers from zonecast on {{ $labels.instance }} break off or are put off",
    description: "The log names the clients; --max-transfers says how many may move.",
  },
  {
    name: "ZonecastConnectionsFull",
    expr: "zonecast_connections / zonecast_connections_max > 0.9",
    for: "5m",
    severity: "warning",
    summary: "zonecast on {{ $labels.instance }} has nearly as many connections as it may",
    description: "Who is it? `ss -tn`; --max-connections and the limit on descriptors bound them.",
  },
  {
    name: "ZonecastEventLoopLate",
    expr: "min_over_time(zonecast_event_loop_delay_longest_seconds[5m]) > 0.5",
    for: "5m",
    severity: "warning",
    summary:
      "zonecast on {{ $labels.instance }} answers late, by up to {{ $value | humanizeDuration }}",
    description: "The machine has too little processor time for it, or swaps.",
  },
  {
    name: "ZonecastAnswerFailures",
    expr: "increase(zonecast_answer_failures_total[15m]) > 0",
    severity: "warning",
    summary: "zonecast on {{ $labels.instance }} failed to answer: a fault of its own",
    description: "Each is in the log as an error; please report it.",
  },
];

/** The rules as a file that Prometheus reads (`rule_files`). */
export function* alertRules(): Generator<string> {
  yield "# Printed by `zonecast dashboards alerts`, for rule_files of prometheus.yml.";
  yield "groups:";
  yield "  - name: zonecast";
  yield "    rules:";
  for (const alert of ALERTS) {
    yield `      - alert: ${alert.name}`;
    yield `        expr: ${quoted(alert.expr)}`;
    if (alert.for) yield `        for: ${alert.for}`;
    yield `        labels:`;
    yield `          severity: ${alert.severity}`;
    yield `        annotations:`;
    yield `          summary: ${quoted(alert.summary)}`;
    yield `          description: ${quoted(alert.description)}`;
  }
}

/** A text in YAML: what JSON quotes YAML reads (YAML 1.2 §1.3). */
function quoted(text: string): string {
  return JSON.stringify(text);
}
