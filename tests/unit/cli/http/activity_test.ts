import { assertEquals } from "@std/assert";
import { Activity } from "../../../../lib/cli/http/activity.ts";
import type { ServerFigures } from "../../../../lib/server/mod.ts";
import { zoneVersion } from "../../../support/zone_version.ts";

function figures(axfr: number, questions: number): ServerFigures {
  const kind = (sent: number) => ({
    sent,
    unchanged: 0,
    broken: 0,
    refused: 0,
    put_off: 0,
    octets: 0,
  });
  const counts = { udpQueries: questions, tcpQueries: 0, tlsQueries: 0 };
  return {
    counts,
    transferCounts: { axfr: kind(axfr), ixfr: kind(0) },
  } as unknown as ServerFigures;
}

Deno.test("activity: what happened since the last look is counted in the slot of now", () => {
  const activity = new Activity();
  activity.sample(figures(2, 10));
  activity.sample(figures(5, 10));
  activity.published(zoneVersion("example.org.", 7), { added: 3, removed: 1 }, 0.004);
  activity.live("ns1", 0.02);
  for (const span of ["hour", "day"] as const) {
    const plots = activity.plots(span, ["ns1", "ns2"]) as Record<string, (number | null)[]>;
    const now = (name: string) => plots[name].at(-1);
    assertEquals([now("axfr"), now("questions"), now("added"), now("removed")], [5, 10, 3, 1]);
    assertEquals(plots.added.slice(0, -1).every((count) => count === null), true);
    const [ns1, ns2] = plots.live as unknown as { count: number; p50?: number }[];
    assertEquals([ns1.count, ns2.count, ns2.p50], [1, 0, undefined]);
  }
});

Deno.test("activity: only so many publications are listed, the newest first", () => {
  const activity = new Activity();
  for (let serial = 1; serial <= 60; serial++) {
    activity.published(zoneVersion("example.org.", serial), { added: 1, removed: 0 }, undefined);
  }
  assertEquals([activity.recent.length, activity.recent[0].serial], [50, 60]);
});
