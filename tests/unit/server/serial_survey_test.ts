/** Surveys of thousands of zones, of servers that have room for all at once: they are silent. */
import { assert, assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { SerialSurveys } from "../../../lib/server/serial_survey.ts";
import type { SoaPeer } from "../../../lib/server/soa_client.ts";
import { HandClock } from "../../support/clock.ts";

Deno.test("where nobody answers, thousands of surveys are not all begun in one turn", async () => {
  const clock = new HandClock();
  let asked = 0;
  const silent = {
    hasRoom: true,
    isBusy: false,
    ask() {
      asked++;
      return () => {};
    },
  } as unknown as SoaPeer;
  const surveys = new SerialSurveys([silent], clock);
  const zones = Array.from({ length: 8_000 }, (_, i) => parseName(`zone${i}.example.`));
  const all = Promise.all(zones.map((zone) => surveys.survey(zone)));
  let most = asked;
  for (let step = 0; step < 200; step++) {
    const before = asked;
    clock.advance(10);
    most = Math.max(most, asked - before);
  }
  assertEquals(asked, zones.length);
  assert(most <= 100, `${most} begun in one turn`);
  clock.advance(5_000);
  assertEquals(new Set((await all).map(({ answered }) => answered)), new Set([0]));
});
