import { assert, assertEquals } from "@std/assert";
import { Announcements } from "../../../lib/server/announcements.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { HandClock } from "../../support/clock.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const versionOf = (zone: number, serial = 1) =>
  zoneVersion(`z${zone}.example.`, serial, "@ 300 NS ns1");

/** A teller that takes its time: longer than a slice for each version. */
function slowTeller(told: ZoneVersion[]): (version: ZoneVersion) => void {
  return (version) => {
    told.push(version);
    for (const until = performance.now() + 6; performance.now() < until;);
  };
}

Deno.test("one version is told of at once", () => {
  const told: ZoneVersion[] = [];
  const announcements = new Announcements(new HandClock(), (version) => told.push(version));
  const version = versionOf(1);
  announcements.add(version);
  assertEquals(told, [version]);
  announcements.close();
});

Deno.test("of many the rest waits for other slices; in order, the newest version of a zone, none retired", () => {
  const clock = new HandClock();
  const told: ZoneVersion[] = [];
  const announcements = new Announcements(clock, slowTeller(told));
  const versions = [1, 2, 3, 4].map((zone) => versionOf(zone));
  for (const version of versions) announcements.add(version);
  assertEquals(told, [versions[0]]);
  const newer = versionOf(2, 2);
  announcements.add(newer);
  announcements.drop(versions[2].apexKey);
  clock.advance(0);
  assertEquals(told, [versions[0], newer, versions[3]]);
  assertEquals(clock.pending, 0);
});

Deno.test("closing forgets what waits", () => {
  const clock = new HandClock();
  const told: ZoneVersion[] = [];
  const announcements = new Announcements(clock, slowTeller(told));
  for (const zone of [1, 2]) announcements.add(versionOf(zone));
  announcements.close();
  clock.advance(1_000);
  assertEquals(told.length, 1);
  assert(clock.pending === 0);
});
