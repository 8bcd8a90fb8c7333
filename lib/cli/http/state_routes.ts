/** Metrics, health, readiness and status, for programs and for `curl`. Reads, changes nothing. */
import type {
  HttpAnswer,
  HttpContext,
  HttpRequest,
  HttpRoute,
  JsonValue,
  Metrics,
  WorkPace,
} from "../../ops/mod.ts";
import { journalOf, type ServerParts, statusParts } from "../control_commands.ts";
import { assembleReport } from "../status_report.ts";
import { jsonAnswer } from "./page_routes.ts";
import { readinessText } from "./readiness.ts";
import type { Reader } from "./reader.ts";

export function stateRoutes(
  parts: ServerParts,
  reader: Reader,
  metrics: Metrics,
): Record<string, HttpRoute> {
  return {
    "/metrics": (_request, context) => showMetrics(reader, metrics, context),
    "/healthz": () => plain(200, "healthy\n"),
    "/readyz": (request) => showReadiness(reader, request),
    "/status.json": (_request, context) => showStatus(parts, context),
  };
}

async function showMetrics(
  reader: Reader,
  metrics: Metrics,
  { pace }: HttpContext,
): Promise<HttpAnswer> {
  await reader.read();
  const body = metrics.pieces((work) =>
    pace.run(async () => {
      const began = performance.now();
      const text = await work();
      pace.spent(performance.now() - began); // it pauses at once, and works behind that
      return text;
    })
  );
  return { status: 200, type: metrics.contentType, body };
}

function showReadiness(reader: Reader, { headers }: HttpRequest): HttpAnswer {
  const state = reader.readiness();
  const status = state.ready ? 200 : 503;
  return headers.get("accept")?.includes("application/json")
    ? jsonAnswer(status, state)
    : plain(status, readinessText(state));
}

/** All that `zonecast status --json` prints, put together in slices. */
async function showStatus(
  parts: ServerParts,
  { pace, signal }: HttpContext,
): Promise<HttpAnswer> {
  const collected: JsonValue[] = [];
  const journal = await journalOf(parts);
  await pace.runSliced(
    statusParts(parts, journal),
    signal,
    (part) => collected.push(part as JsonValue),
  );
  const report = await assembleReport(collected);
  return { ...jsonAnswer(200, null), body: pieces(report, pace) };
}

/** A report as JSON, some entries of its lists at a time. */
async function* pieces(report: Readonly<Record<string, JsonValue | undefined>>, pace: WorkPace) {
  let before = "{";
  for (const [name, value] of Object.entries(report)) {
    if (value === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    before = ",";
    if (!Array.isArray(value)) {
      yield JSON.stringify(value);
      continue;
    }
    for (let at = 0; at < value.length; at += ENTRIES) {
      const text = await pace.run(() => JSON.stringify(value.slice(at, at + ENTRIES)).slice(1, -1));
      yield `${at === 0 ? "[" : ","}${text}`;
    }
    yield value.length === 0 ? "[]" : "]";
  }
  yield "}\n";
}

/** Entries put into JSON at a time: a millisecond of work. */
const ENTRIES = 200;

function plain(status: number, body: string): HttpAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}
