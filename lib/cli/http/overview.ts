/** What the status page shows at first: how all stands, in an answer of bounded size. Pure. */
import type { JsonObject } from "../../ops/mod.ts";
import type { PrimaryStatus } from "../../primary.ts";
import { listRecords } from "../../zone/mod.ts";
import { mergedLines } from "../diff_text.ts";
import { heldStatus } from "../held_status.ts";
import type { Activity, Span } from "./activity.ts";
import type { Readiness } from "./readiness.ts";
import type { Readings } from "./readings.ts";

/** Problems, and secondaries, listed; more are counted. */
const LISTED = 100;
/** Held changes listed, and lines of each. */
const HELD_LISTED = 20;
const HELD_LINES = 20;

/** @param span  which plots */
export function overview(
  readings: Readings,
  ready: Readiness,
  activity: Activity,
  span: Span,
): JsonObject {
  const { primary, secondaries, loopDelay } = readings;
  const shown = secondaries.slice(0, LISTED);
  return {
    now: readings.now,
    version: readings.version,
    startedAt: readings.startedAt,
    ready,
    source: source(primary),
    totals: totals(readings),
    loopDelay: { ...loopDelay },
    lagAlarmMs: readings.lagAlarmMs,
    secondaries: shown.map(({ name, zones, lagSince, ahead, counts }) => ({
      name,
      address: readings.addresses.get(name),
      zones: { ...zones },
      lagSince,
      ahead,
      counts: { ...counts },
    })),
    moreSecondaries: secondaries.length - shown.length,
    problems: problems(primary),
    held: held(primary),
    recent: [...activity.recent],
    plots: activity.plots(span, shown.map(({ name }) => name)),
  };
}

function source({ link, source, lastReadAt, reads, failure }: PrimaryStatus): JsonObject {
  return {
    description: source,
    up: link.up,
    since: link.since,
    reason: link.reason,
    hint: link.hint,
    lastReadAt,
    reads: { ...reads },
    failure,
  };
}

function totals({ primary: { zones }, server, http, state, process }: Readings): JsonObject {
  const { counts } = server;
  let [records, octets, publishedAt] = [0, 0, 0];
  for (const { version, publishedAt: at } of zones) {
    records += version.records;
    octets += version.wireOctets;
    publishedAt = Math.max(publishedAt, at);
  }
  return {
    zones: zones.length,
    records,
    octets,
    publishedAt: publishedAt || undefined,
    questions: counts.udpQueries + counts.tcpQueries + counts.tlsQueries,
    connections: server.connections,
    connectionsMax: server.limits.connections,
    transfers: { ...server.transfers },
    notifyOutstanding: server.notifyOutstanding,
    rateLimited: counts.rateDropped + counts.rateTruncated,
    refused: server.refused + http.refused,
    memory: process.residentOctets,
    journal: state.journal,
  };
}

/** What is held, with as much of each difference as an operator decides by. */
function held({ held }: PrimaryStatus): JsonObject {
  const listed = held.slice(0, HELD_LISTED).map((hold) => {
    const { difference } = hold;
    const lines = difference &&
      mergedLines(listRecords(difference.removed), listRecords(difference.added));
    return {
      ...heldStatus(hold),
      difference: lines && Array.from(lines.take(HELD_LINES), (line) => line.slice(0, 200)),
    };
  });
  return { count: held.length, listed };
}

function problems({ problems, problemCounts }: PrimaryStatus): JsonObject {
  const listed = problems.slice(0, LISTED).map((problem) => ({
    zone: problem.zone,
    severity: problem.severity,
    name: problem.name,
    type: problem.type,
    content: problem.content.slice(0, 200),
    code: problem.code,
    reason: problem.reason,
    hint: problem.hint,
    since: problem.since,
  }));
  let [errors, warnings] = [0, 0];
  for (const count of problemCounts) {
    errors += count.errors;
    warnings += count.warnings;
  }
  return { errors, warnings, listed };
}
