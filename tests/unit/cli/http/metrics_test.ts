/** The metrics of a server with very many zones: bounded in number, and what they are called. */
import { assert, assertEquals } from "@std/assert";
import { registerMetrics } from "../../../../lib/cli/http/metric_table.ts";
import type { Readings } from "../../../../lib/cli/http/readings.ts";
import { ZONE_SERIES } from "../../../../lib/cli/http/zone_metrics.ts";
import { formatName } from "../../../../lib/dns/mod.ts";
import { Metrics } from "../../../../lib/ops/mod.ts";
import { DEFAULT_LIMITS } from "../../../../lib/server/mod.ts";
import { readMetrics } from "../../../support/metrics.ts";
import { zoneVersion } from "../../../support/zone_version.ts";

/** Readings of a server with so many zones and secondaries, every zone with a problem. */
function readings(zones: number, secondaries: number): Readings {
  const versions = Array.from({ length: zones }, (_, i) => zoneVersion(`z${i}.example.`, i + 1));
  const results = { sent: 1, unchanged: 0, broken: 0, refused: 0, put_off: 0, octets: 9 };
  return {
    version: "0.1.0",
    now: 10_000,
    startedAt: 1_000,
    primary: {
      zones: versions.map((version) => ({ version, publishedAt: 2_000 })),
      link: { up: true, since: 0, reason: undefined },
      source: "none",
      lastReadAt: undefined,
      lastReadMs: undefined,
      reads: { everything: 1, part: 2 },
      problems: versions.map(({ apex }) => ({ zone: formatName(apex) })),
      problemCounts: versions.map(({ apex }) => ({
        zone: formatName(apex),
        errors: 1,
        warnings: 0,
      })),
      held: [],
      failure: undefined,
      unkept: undefined,
    } as unknown as Readings["primary"],
    server: {
      listen: [],
      listenTls: [],
      connections: 0,
      zombies: 0,
      evicted: 0,
      refused: 3,
      transfers: { moving: 0, slow: 0, waiting: 0 },
      bufferOctets: 0,
      notifyOutstanding: 0,
      watchQueries: 0,
      counts: { udpQueries: 4, tcpQueries: 0, tlsQueries: 0 } as Readings["server"]["counts"],
      responses: { NOERROR: 4 },
      transferCounts: { axfr: results, ixfr: results },
      limits: DEFAULT_LIMITS,
    },
    secondaries: Array.from({ length: secondaries }, (_, i) => ({
      name: `ns${i}`,
      zones: { unknown: 0, notified: 0, transferred: 0, live: zones, behind: 0 },
      lagSince: i === 0 ? 4_000 : undefined,
      ahead: 0,
      counts: { notifySent: 1, notifyAcknowledged: 1, notifyRefused: 0 },
    })),
    writeBack: { writtenAt: undefined, failure: undefined, waiting: 0 },
    loopDelay: { medianMs: 0, longestMs: 1 },
    process: { residentOctets: 1, heapOctets: 1, cpuSeconds: 1, descriptors: undefined },
    state: { octets: undefined, walOctets: undefined, journal: undefined, stopped: false },
    http: { answered: new Map([[200, 1]]), refused: 0, connections: 0 },
    published: { versions: 0, added: 0, removed: 0 },
    ready: true,
    underWay: 0,
    lagAlarmMs: 60_000,
    addresses: new Map(),
  };
}

async function scrape(now: Readings) {
  const metrics = await Metrics.open();
  const { live } = registerMetrics(metrics, () => now);
  for (const { name } of now.secondaries) live.observe(0.004, name);
  const text = (await Array.fromAsync(metrics.pieces((work) => work()))).join("");
  return { series: readMetrics(text), text };
}

Deno.test("metrics: 10,000 zones have no series of their own, and problems are added up", async () => {
  const { series } = await scrape(readings(10_000, 50));
  assert(series.size < 2_500, `${series.size} series`);
  assertEquals([...series.keys()].filter((key) => key.startsWith("zonecast_zone_")), []);
  assertEquals(series.get("zonecast_zones"), 10_000);
  const problems = [...series].filter(([key]) => key.startsWith("zonecast_problems{"));
  assertEquals(problems.length, 201);
  assertEquals(problems.reduce((sum, [, count]) => sum + count, 0), 10_000);
});

Deno.test("metrics: as many zones as have series have them", async () => {
  const { series } = await scrape(readings(ZONE_SERIES, 1));
  assertEquals(series.get('zonecast_zone_serial{zone="z7.example."}'), 8);
  assertEquals(series.get('zonecast_zone_published_timestamp_seconds{zone="z7.example."}'), 2);
});

Deno.test("metrics: seconds and octets, what cannot be had left out", async () => {
  const { series, text } = await scrape(readings(1, 2));
  assertEquals(series.get("process_start_time_seconds"), 1);
  assertEquals(series.get('zonecast_secondary_lag_seconds{secondary="ns0"}'), 6);
  assertEquals(series.get('zonecast_secondary_lag_seconds{secondary="ns1"}'), 0);
  assertEquals(series.get('zonecast_commit_to_live_seconds_bucket{le="0.005",secondary="ns0"}'), 1);
  assertEquals(series.get('zonecast_transfers_total{kind="axfr",result="put_off"}'), 0);
  assertEquals(series.get('zonecast_transfer_bytes_total{kind="ixfr"}'), 9);
  for (const absent of ["process_open_fds", "zonecast_state_file_bytes"]) {
    assertEquals(series.get(absent), undefined);
  }
  for (const [, name, help] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    assert(help.endsWith(".") && help.length > 15, `${name}: "${help}" is no help`);
  }
});
