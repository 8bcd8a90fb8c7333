import { assertEquals, assertMatch } from "@std/assert";
import { assembleReport, type StatusPart } from "../../../lib/cli/status_report.ts";
import { renderReport } from "../../../lib/cli/status_text.ts";

const NOW = Date.UTC(2026, 0, 2, 12);

function ago(ms: number): string {
  return new Date(NOW - ms).toISOString();
}

const PARTS: StatusPart[] = [
  {
    server: {
      version: "0.1.0",
      pid: 7,
      startedAt: ago(3_600_000),
      listen: ["127.0.0.1:53", "[::1]:53"],
      loopDelay: { medianMs: 0.2, longestMs: 12.5 },
      source: {
        description: "postgres db:5432/app",
        up: true,
        since: ago(61_000),
        reads: { full: 2, feed: 40 },
      },
      journal: { differences: 2, octets: 1024, oldestAt: ago(3_600_000) },
    },
  },
  { zone: { zone: "b.org.", serial: 5, records: 3, octets: 99, publishedAt: ago(2_000) } },
  { zone: { zone: "a.org.", serial: 9, records: 1000, octets: 20_000, publishedAt: ago(0) } },
  {
    secondary: {
      name: "ns1",
      address: "192.0.2.53:53",
      notify: true,
      zones: [{
        zone: "b.org.",
        state: "behind",
        serial: 4,
        seenAt: ago(1_000),
        lagSince: ago(75_000),
        notify: { serial: 5, attempts: 3, sentAt: ago(4_000) },
        transfer: { kind: "axfr", serial: 4, octets: 9, durationMs: 1, at: ago(9_000) },
      }],
    },
  },
  {
    secondary: {
      name: "ns1",
      address: "192.0.2.53:53",
      notify: true,
      zones: [{
        zone: "a.org.",
        state: "live",
        serial: 9,
        seenAt: ago(0),
        notify: { serial: 9, attempts: 1, sentAt: ago(0), acknowledgedAt: ago(0), rcode: 0 },
        transfer: { kind: "axfr", serial: 9, octets: 9, durationMs: 1, at: ago(0) },
      }],
    },
  },
  { secondary: { name: "ns2", address: "192.0.2.54:53", notify: true, keys: ["k2."], zones: [] } },
];

async function* stream(parts: readonly StatusPart[]) {
  yield* parts;
}

Deno.test("status: the parts of one secondary are put together, zones sorted", async () => {
  const report = await assembleReport(stream(PARTS));
  assertEquals(report.zones.map(({ zone }) => zone), ["a.org.", "b.org."]);
  assertEquals(
    report.secondaries.map(({ name, zones }) => [name, ...zones.map(({ zone }) => zone)]),
    [["ns1", "a.org.", "b.org."], ["ns2"]],
  );
});

Deno.test("status: the table shows source, serials, NOTIFY and who is behind", async () => {
  assertEquals(
    renderReport(await assembleReport(stream(PARTS)), NOW),
    `zonecast 0.1.0, process 7, up 1h, on 127.0.0.1:53, [::1]:53
source postgres db:5432/app: connected for 1m1s
reads since the start: 2 of everything, 40 of what the feed named
event loop late by at most 12.5 ms in the last 10 s
journal: 2 differences, 1 KiB, the oldest of 1h ago

ZONE    SERIAL  RECORDS  SIZE    PUBLISHED
a.org.  9       1000     20 KiB  0s ago
b.org.  5       3        99 B    2s ago

SECONDARY      ZONE    STATE             SHOWS  NOTIFY                             TRANSFER
ns1            a.org.  live              9      9 acknowledged 0s ago              9 AXFR, 9 B in 1 ms, 0s ago
ns1            b.org.  BEHIND for 1m15s  4      5 no answer after 3 tries, 4s ago  4 AXFR, 9 B in 1 ms, 9s ago
ns2 (key k2.)  -       -                 -      none yet                           none yet
`,
  );
});

Deno.test("status: a source that is down says since when and why", async () => {
  const source = {
    description: "sqlite z.db",
    up: false,
    since: ago(5_000),
    reason: "gone\x1b[2J",
    reads: { full: 0, feed: 0 },
  };
  const report = await assembleReport(stream([{
    server: { version: "1", pid: 1, startedAt: ago(0), listen: [], source },
  }]));
  assertEquals(
    renderReport(report, NOW).split("\n").slice(1),
    [
      "source sqlite z.db: DOWN for 5s: gone\\u001b[2J",
      "reads since the start: 0 of everything, 0 of what the feed named",
      "",
      "no zone is served",
      "",
    ],
  );
});

Deno.test("status: what cannot be written back is said", async () => {
  const source = {
    description: "postgres db",
    up: true,
    since: ago(5_000),
    reads: { full: 1, feed: 0 },
    writeBackFailure: "permission denied",
  };
  const report = await assembleReport(stream([{
    server: { version: "1", pid: 1, startedAt: ago(0), listen: [], source },
  }]));
  assertMatch(renderReport(report, NOW), /^writing back FAILED: permission denied$/m);
});

Deno.test("status: without a server only the zones are known", async () => {
  const report = await assembleReport(stream([PARTS[1]]));
  assertEquals(report.server, undefined);
  assertEquals(renderReport(report, NOW).startsWith("ZONE "), true);
});

Deno.test("status: a secondary ahead of us stands out", async () => {
  const zone = { zone: "b.org.", state: "behind", serial: 9, ahead: 9, lagSince: ago(5_000) };
  const secondary = { name: "ns1", address: "192.0.2.53:53", notify: false, zones: [zone] };
  const report = await assembleReport(stream([PARTS[1], { secondary }]));
  assertMatch(renderReport(report, NOW), /^ns1 +b\.org\. +AHEAD at 9 +9 +off +none yet$/m);
});

Deno.test("status: the answer to a NOTIFY that was not accepted is named", async () => {
  const report = await assembleReport(stream([{
    secondary: {
      name: "ns1",
      address: "192.0.2.53:53",
      notify: true,
      zones: [{
        zone: "a.org.",
        state: "notified",
        notify: { serial: 9, attempts: 1, sentAt: ago(0), rcode: 9 },
      }],
    },
  }]));
  assertMatch(renderReport(report, NOW), /9 NOTAUTH after 1 try, 0s ago/);
});

Deno.test("the report says that nothing is published because nothing is kept, and what to do", async () => {
  async function* parts(): AsyncGenerator<StatusPart> {
    for (const part of PARTS) {
      const unkept = { since: ago(61_000), reason: "the disk is full", hint: "free some space" };
      yield "server" in part ? { server: { ...part.server, unkept } } : part;
    }
  }
  const text = renderReport(await assembleReport(parts()), NOW);
  assertMatch(
    text,
    /^publishing NOTHING for 1m1s: the disk is full\n {2}hint: free some space$/m,
  );
});
