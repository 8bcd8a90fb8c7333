/** Which serials are taken, as secondaries show them. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createLogger } from "../../../lib/ops/mod.ts";
import { SerialGuard } from "../../../lib/primary/serials.ts";
import type { Reading } from "../../../lib/source/mod.ts";
import { type SerialAnswers, type SerialPolicy, ZoneBuild } from "../../../lib/zone/mod.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const APEX = "example.org.";
const NAME = ZONE_SETTINGS.name;
const NOW_S = 1_800_000_000;
const READING: Reading = { cursor: "1", zones: [ZONE_SETTINGS], scope: "everything" };
const version = (serial: number) => zoneVersion(APEX, serial);

/** A guard of one zone that was restored, and what it asks for. */
function restoredAt(serial: number, policy: SerialPolicy) {
  const asked: ((answers: SerialAnswers) => void)[] = [];
  const lines: string[] = [];
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
    log: createLogger({ format: "logfmt", level: "info", write: (line) => void lines.push(line) }),
    changed: () => changes++,
  });
  guard.restored(version(serial));
  const rules = (current: number, written?: number) => {
    const publishedSerials = written === undefined ? undefined : new Map([[NAME, written]]);
    const reading = { ...READING, publishedSerials };
    return guard.floorsOf(new ZoneBuild(ZONE_SETTINGS), version(current), reading, NOW_S * 1000);
  };
  const floors = (current: number) => rules(current)?.floors;
  return { guard, asked, floors, rules, lines, changes: () => changes };
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

Deno.test("a restored zone of which no secondary answers goes on far above, when it changes", async () => {
  const { asked, guard, rules, lines } = restoredAt(7, "increment");
  assertEquals(rules(7), undefined);
  asked[0]({ asked: 1, answered: 0, serials: [] });
  await Promise.resolve();
  assertEquals(rules(7), { floors: [], ifChanged: [7 + 2 ** 16] });
  assertEquals(
    rules(7, 7),
    { floors: [], ifChanged: [] },
    "what was written back shows: none is lost",
  );
  assertEquals(rules(7, 9)?.floors, [9], "or which are");
  assertEquals(lines.filter((line) => line.includes("no secondary")), [], "said when it is done");
  guard.published(version(8 + 2 ** 16));
  assertEquals(rules(8 + 2 ** 16), { floors: [], ifChanged: [] });
  assertEquals(lines.filter((line) => line.includes("no secondary")).length, 1);
});

Deno.test("a secondary that answers later shows that the restored zone is no old copy", async () => {
  const { asked, guard, rules } = restoredAt(7, "date");
  rules(7);
  asked[0]({ asked: 1, answered: 0, serials: [] });
  await Promise.resolve();
  guard.seen(version(7), "ns1", 7);
  assertEquals(rules(7), { floors: [], ifChanged: [] });
});

Deno.test("a secondary ahead, or incomparable, is told of once, with the command", async (t) => {
  const cases = { ahead: NOW_S + 500, incomparable: (NOW_S + 2 ** 31) % 2 ** 32 };
  for (const [name, theirs] of Object.entries(cases)) {
    await t.step(name, () => {
      const { guard, lines, changes } = restoredAt(NOW_S, "unixtime");
      guard.seen(version(NOW_S), "ns1", NOW_S); // all have confirmed
      for (let n = 0; n < 5; n++) guard.seen(version(NOW_S + n), "ns1", theirs);
      const told = lines.filter((line) => line.includes("ahead of us"));
      assertEquals(told.length, 1);
      assertStringIncludes(told[0], `zonecast serial ${APEX} --above ${theirs}`);
      assertEquals(changes(), 0);
      guard.seen(version(NOW_S + 5), "ns1", NOW_S + 5);
      guard.seen(version(NOW_S + 5), "ns1", theirs);
      assertEquals(lines.filter((line) => line.includes("ahead of us")).length, 2, "again");
    });
  }
});
