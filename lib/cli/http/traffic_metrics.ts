/** Metrics of secondaries, answers and transfers, and of --http itself. Effects: none but those of reading. */
import type { Sample } from "../../ops/mod.ts";
import type { SecondarySummary } from "../../server/mod.ts";
import type { MetricTable } from "./readings.ts";

export function aboutSecondaries({ metrics, read, gauge }: MetricTable): void {
  const each = (value: (one: SecondarySummary) => number) => () =>
    read().secondaries.map((one): Sample => [value(one), one.name]);
  const labels = ["secondary"];
  metrics.gauge(
    {
      name: "zonecast_secondary_zones",
      help:
        "Zones by how far the secondary is with each: unknown, notified, transferred, live or " +
        "behind.",
      labels: ["secondary", "state"],
    },
    () =>
      read().secondaries.flatMap(({ name, zones }) =>
        Object.entries(zones).map(([state, count]): Sample => [count, name, state])
      ),
  );
  metrics.gauge(
    {
      name: "zonecast_secondary_lag_seconds",
      help:
        "How long the secondary has lacked the version it has lacked longest; 0 when it has all.",
      labels,
    },
    each(({ lagSince }) => lagSince === undefined ? 0 : Math.max(0, read().now - lagSince) / 1000),
  );
  metrics.gauge({
    name: "zonecast_secondary_ahead_zones",
    help: "Zones of which the secondary shows a serial ahead of ours; it takes no change of them.",
    labels,
  }, each(({ ahead }) => ahead));
  metrics.counter({
    name: "zonecast_notify_sent_total",
    help: "NOTIFY messages sent, repeated ones too.",
    labels,
  }, each(({ counts }) => counts.notifySent));
  metrics.counter({
    name: "zonecast_notify_acknowledged_total",
    help: "NOTIFY messages answered with NOERROR.",
    labels,
  }, each(({ counts }) => counts.notifyAcknowledged));
  metrics.counter({
    name: "zonecast_notify_refused_total",
    help: "NOTIFY messages answered with another RCODE.",
    labels,
  }, each(({ counts }) => counts.notifyRefused));
  gauge(
    "zonecast_notify_outstanding",
    "NOTIFY messages not acknowledged yet.",
    ({ server }) => server.notifyOutstanding,
  );
  gauge(
    "zonecast_versions_under_way",
    "Published versions that not every secondary shows yet, as far as they are timed.",
    ({ underWay }) => underWay,
  );
}

export function aboutAnswers(table: MetricTable): void {
  const { metrics, read, gauge, counter } = table;
  const counts = () => read().server.counts;
  metrics.counter({
    name: "zonecast_questions_total",
    help: "Messages received from clients.",
    labels: ["transport"],
  }, () => {
    const { udpQueries, tcpQueries, tlsQueries } = counts();
    return [[udpQueries, "udp"], [tcpQueries, "tcp"], [tlsQueries, "tls"]];
  });
  metrics.counter({
    name: "zonecast_responses_total",
    help: "Answers made, by RCODE; a transfer counts once. Fewer leave over UDP where " +
      "zonecast_rate_limited_total rises.",
    labels: ["rcode"],
  }, () => Object.entries(read().server.responses).map(([rcode, count]) => [count, rcode]));
  metrics.counter({
    name: "zonecast_rate_limited_total",
    help: "UDP answers beyond --rrl: dropped, or truncated.",
    labels: ["action"],
  }, () => {
    const { rateDropped, rateTruncated } = counts();
    return [[rateDropped, "dropped"], [rateTruncated, "truncated"]];
  });
  counter(
    "zonecast_messages_ignored_total",
    "Messages not answered: responses, and octets too few for a header.",
    () => counts().ignored,
  );
  counter(
    "zonecast_signature_faults_total",
    "Signed requests whose key, signature or time was wrong.",
    () => counts().signatureFaults,
  );
  counter(
    "zonecast_answer_failures_total",
    "Answers that failed by a fault of zonecast; each is in the log.",
    () => counts().failures,
  );
  aboutTransfers(table);
  gauge(
    "zonecast_connections",
    "TCP and TLS connections open.",
    ({ server }) => server.connections,
  );
  gauge(
    "zonecast_connections_max",
    "As many may be open (--max-connections, or what the limit on descriptors allows).",
    ({ server }) => server.limits.connections,
  );
  gauge(
    "zonecast_connections_zombie",
    "Connections closed whose last write the client has never taken.",
    ({ server }) => server.zombies,
  );
  counter(
    "zonecast_connections_refused_total",
    "Connections closed at once because too many were open.",
    ({ server }) => server.refused,
  );
  counter(
    "zonecast_connections_evicted_total",
    "Connections that waited and were closed for others.",
    ({ server }) => server.evicted,
  );
  counter(
    "zonecast_tls_refused_total",
    "Connections over TLS not let in: no TLS 1.3, no ALPN dot, no handshake in time.",
    () => counts().tlsRefused,
  );
  gauge(
    "zonecast_buffer_bytes",
    "Messages being received and answers not yet sent over TCP.",
    ({ server }) => server.bufferOctets,
  );
  gauge(
    "zonecast_buffer_max_bytes",
    "As much may be held (--max-buffers).",
    ({ server }) => server.limits.bufferOctets,
  );
}

function aboutTransfers({ metrics, read }: MetricTable): void {
  const kinds = () => Object.entries(read().server.transferCounts);
  metrics.counter(
    {
      name: "zonecast_transfers_total",
      help:
        "Requests for transfers by how they ended: sent, unchanged (the client has the version), " +
        "broken (the client went or stopped reading), refused, put_off (too many run). The kind is " +
        "that of the answer, or of the question where there was none.",
      labels: ["kind", "result"],
    },
    () =>
      kinds().flatMap(([kind, { octets: _, ...results }]) =>
        Object.entries<number>(results).map(([result, count]): Sample => [count, kind, result])
      ),
  );
  metrics.counter({
    name: "zonecast_transfer_bytes_total",
    help: "Octets of transfers sent, broken ones too.",
    labels: ["kind"],
  }, () => kinds().map(([kind, { octets }]): Sample => [octets, kind]));
  metrics.gauge({
    name: "zonecast_transfers",
    help: "Transfers now: moving, slow (they hardly move), waiting for their turn.",
    labels: ["state"],
  }, () => Object.entries(read().server.transfers).map(([state, count]) => [count, state]));
  metrics.gauge({
    name: "zonecast_transfers_max",
    help: "As many may move at a time (--max-transfers).",
  }, () => [[read().server.limits.transfers]]);
}

export function aboutHttp({ metrics, read, gauge, counter }: MetricTable): void {
  metrics.counter({
    name: "zonecast_http_requests_total",
    help: "Requests answered by --http, by status.",
    labels: ["status"],
  }, () => Array.from(read().http.answered, ([status, count]) => [count, String(status)]));
  gauge("zonecast_http_connections", "Connections to --http.", ({ http }) => http.connections);
  counter(
    "zonecast_http_refused_total",
    "Connections to --http closed at once because too many were open.",
    ({ http }) => http.refused,
  );
}
