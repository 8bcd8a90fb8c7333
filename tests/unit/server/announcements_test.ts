import { assert, assertEquals } from "@std/assert";
import { Announcements, type Audience } from "../../../lib/server/announcements.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { HandClock } from "../../support/clock.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const versionOf = (zone: number, serial = 1) =>
  zoneVersion(`z${zone}.example.`, serial, "@ 300 NS ns1");

/** An audience that has room for any number. */
const always = (tell: (version: ZoneVersion) => void): Audience => ({ tell, hasRoom: () => true });

/** A teller that takes its time: longer than a slice for each version. */
function slowTeller(told: ZoneVersion[]): (version: ZoneVersion) => void {
  return (version) => {
    told.push(version);
    for (const until = performance.now() + 6; performance.now() < until;);
  };
}

Deno.test("one version is told of at once", () => {
  const told: ZoneVersion[] = [];
  const announcements = new Announcements(new HandClock(), always((version) => told.push(version)));
  const version = versionOf(1);
  announcements.add(version);
  assertEquals(told, [version]);
  announcements.close();
});

Deno.test("of many the rest waits for other slices; in order, the newest version of a zone, none retired", () => {
  const clock = new HandClock();
  const told: ZoneVersion[] = [];
  const announcements = new Announcements(clock, always(slowTeller(told)));
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
  const announcements = new Announcements(clock, always(slowTeller(told)));
  for (const zone of [1, 2]) announcements.add(versionOf(zone));
  announcements.close();
  clock.advance(1_000);
  assertEquals(told.length, 1);
  assert(clock.pending === 0);
});

Deno.test("while nobody has room versions wait, and go on when somebody has", () => {
  const clock = new HandClock();
  const told: ZoneVersion[] = [];
  let room = 2;
  const audience: Audience = {
    tell: (version) => void (told.push(version), room--),
    hasRoom: () => room > 0,
  };
  const announcements = new Announcements(clock, audience);
  const versions = [1, 2, 3].map((zone) => versionOf(zone));
  for (const version of versions) announcements.add(version);
  clock.advance(1_000);
  assertEquals(told, versions.slice(0, 2));
  room = 1;
  clock.advance(1_000);
  assertEquals(told, versions);
  assertEquals(clock.pending, 0);
});
