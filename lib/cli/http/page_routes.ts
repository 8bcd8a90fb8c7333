/** What the status page asks for: `/page/…`. Reads, changes nothing. */
import { type Hints, type HttpAnswer, type HttpRoute, type JsonValue } from "../../ops/mod.ts";
import type { ZoneAnswers } from "./zone_answers.ts";

const JSON_TYPE = "application/json; charset=utf-8";

/** @param overview  how all stands, with the plots of an hour or a day */
export function pageRoutes(
  zones: ZoneAnswers,
  hints: Hints,
  overview: (span: "hour" | "day") => Promise<JsonValue>,
): Record<string, HttpRoute> {
  return {
    "/page/overview.json": async ({ query }) =>
      jsonAnswer(200, await overview(query.get("span") === "day" ? "day" : "hour")),
    "/page/zones.json": async ({ query }, context) =>
      jsonAnswer(200, await zones.zones(query, context)),
    "/page/zone.json": ({ query }) => jsonAnswer(200, zones.zone(query)),
    "/page/records.json": async ({ query }, context) =>
      jsonAnswer(200, await zones.records(query, context)),
    "/page/log.json": async ({ query }) => jsonAnswer(200, await zones.log(query)),
    "/page/diff.json": async ({ query }, context) =>
      jsonAnswer(200, await zones.diff(query, context)),
    "/page/events": (_request, { signal }) => ({
      status: 200,
      type: "text/event-stream",
      endless: true,
      body: events(hints, signal),
    }),
  };
}

async function* events(hints: Hints, signal: AbortSignal): AsyncGenerator<string> {
  yield "retry: 2000\n\n";
  for await (const revision of hints.watch(signal)) yield `data: ${revision}\n\n`;
}

export function jsonAnswer(status: number, value: JsonValue): HttpAnswer {
  return { status, type: JSON_TYPE, body: JSON.stringify(value) + "\n" };
}
