/** Which serials are taken, as secondaries show them. */
import { assertEquals } from "@std/assert";
import { nullLogger } from "../../../lib/ops/mod.ts";
import { SerialGuard } from "../../../lib/primary/serials.ts";
import type { Reading } from "../../../lib/source/mod.ts";
import { type SerialAnswers, type SerialPolicy, ZoneBuild } from "../../../lib/zone/mod.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const APEX = "example.org.";
const NOW_S = 1_800_000_000;
const READING: Reading = { cursor: "1", zones: [ZONE_SETTINGS], scope: "everything" };
const version = (serial: number) => zoneVersion(APEX, serial);

/** A guard of one zone that was restored, and what it asks for. */
function restoredAt(serial: number, policy: SerialPolicy) {
  const asked: ((answers: SerialAnswers) => void)[] = [];
  let changes = 0;
  const guard = new SerialGuard({
    announcer: {
      announce: () => {},
      retire: () => {},
      serials: () => new Promise((resolve) => asked.push(resolve)),
    },
    watched: 1,
    policy,
    serialFloor: undefined,
    log: nullLogger,
    changed: () => changes++,
  });
  guard.restored(version(serial));
  const floors = (current: number) =>
    guard.floorsOf(new ZoneBuild(ZONE_SETTINGS), version(current), READING, NOW_S * 1000);
  return { guard, asked, floors, changes: () => changes };
}

Deno.test("a serial ahead that is seen while a version is on its way is passed by the next", () => {
  const { guard, floors, changes } = restoredAt(NOW_S - 10, "unixtime");
  assertEquals(floors(NOW_S - 10), []);
  guard.seen(version(NOW_S - 10), "ns1", NOW_S + 100);
  assertEquals(changes(), 1);
  guard.published(version(NOW_S)); // built before
  assertEquals(guard.mustRaise(version(1).apexKey), true);
  assertEquals(floors(NOW_S), [NOW_S + 100]);
  guard.published(version(NOW_S + 101));
  assertEquals(guard.mustRaise(version(1).apexKey), false);
});

Deno.test("a serial seen that a version on its way has as well is passed too", () => {
  const { guard, floors } = restoredAt(NOW_S, "unixtime");
  guard.seen(version(NOW_S), "ns1", NOW_S + 1);
  guard.published(version(NOW_S + 1));
  assertEquals(guard.mustRaise(version(1).apexKey), true);
  assertEquals(floors(NOW_S + 1), [NOW_S + 1]);
});

const GUESSABLE: readonly { policy: SerialPolicy; serial: number }[] = [
  { policy: "increment", serial: 7 },
  { policy: "date", serial: 2027_01_15_00 },
  { policy: "unixtime", serial: NOW_S }, // ahead of the clock: the next is one more
];

for (const { policy, serial } of GUESSABLE) {
  Deno.test(`${policy}: a restored zone whose next serial may have been given before asks first`, async () => {
    const { guard, asked, floors, changes } = restoredAt(serial, policy);
    assertEquals(floors(serial), undefined);
    assertEquals(asked.length, 1);
    asked[0]({ asked: 1, answered: 1, serials: [serial + 1] });
    await Promise.resolve();
    assertEquals(changes(), 1);
    assertEquals(floors(serial), [serial + 1]);
    guard.published(version(serial + 2));
    assertEquals(floors(serial + 2), [], "from then on nobody is asked");
  });
}

Deno.test("a restored zone of which no secondary answers goes on", async () => {
  const { asked, floors } = restoredAt(7, "increment");
  assertEquals(floors(7), undefined);
  asked[0]({ asked: 1, answered: 0, serials: [] });
  await Promise.resolve();
  assertEquals(floors(7), []);
});
