import { assert, assertEquals } from "@std/assert";
import { isAhead } from "../../../lib/dns/mod.ts";
import { raisedVersion, raiseStep, wouldBeLeftBehind } from "../../../lib/zone/mod.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const HALF = 2 ** 31;

Deno.test("raising a serial: one step where RFC 1982 lets it, two elsewhere, none where it is above", async (t) => {
  const cases: [current: number, above: number, kind: string, serial?: number][] = [
    [100, 200, "raise", 201],
    [100, 100, "raise", 101],
    [100, 99, "above"],
    [0xffff_fff0, 5, "raise", 6],
    [0xffff_fffe, 0xffff_fffe, "raise", 0xffff_ffff],
    [0xffff_fff0, 0xffff_ffff, "raise", 1], // never 0
    [1, HALF - 1, "raise", HALF],
    [1, HALF, "halfway", HALF], // ahead of 1, but what is above it is not
    [1, HALF + 1, "halfway", HALF], // incomparable with 1
    [1, HALF + 2, "above"],
    [HALF + 1, HALF, "above"],
    [HALF + 2, 0, "raise", 1], // as far as one step goes
    [HALF + 1, 0, "halfway", 0xffff_ffff], // 0 is left out
    [HALF + 1, 1, "halfway", 0xffff_ffff],
  ];
  for (const [current, above, kind, serial] of cases) {
    await t.step(`${current} above ${above}`, () => {
      const step = raiseStep(current, above);
      assertEquals([step.kind, "serial" in step ? step.serial : undefined], [kind, serial]);
    });
  }
});

Deno.test("raising a serial: from anywhere to anywhere at most two steps, each ahead of the last", () => {
  const ends = [0, 1, 2, HALF - 2, HALF - 1, HALF, HALF + 1, HALF + 2, 2 ** 32 - 2, 2 ** 32 - 1];
  for (const current of [...ends, 2026112800].filter((serial) => serial !== 0)) {
    for (const above of ends) {
      let serial = current;
      for (let steps = 0;; steps++) {
        const step = raiseStep(serial, above);
        if (step.kind === "above") break;
        assert(steps < 2, `${current} above ${above}`);
        assert(isAhead(step.serial, serial) && step.serial !== 0, `${serial} to ${step.serial}`);
        serial = step.serial;
      }
      assert(isAhead(serial, above), `${current} above ${above} ended at ${serial}`);
    }
  }
});

Deno.test("raising a serial: a secondary that has not taken the first step would be left behind", () => {
  const [before, first, second] = [1, HALF, HALF + 2];
  assertEquals(wouldBeLeftBehind(before, first, second), true);
  assertEquals(wouldBeLeftBehind(first, first, second), false);
  assertEquals(wouldBeLeftBehind(HALF + 1, first, second), false, "the one that is ahead of us");
});

Deno.test("a raised version is the same zone: its pages are shared, no record differs", () => {
  const previous = zoneVersion("example.org.", 7, "www 300 A 192.0.2.1");
  const { version, diff } = raisedVersion(previous, 12);
  assertEquals([version.serial, version.records], [12, previous.records]);
  assert(version.pages === previous.pages);
  assertEquals([diff.removed.count, diff.added.count], [0, 0]);
  assert(diff.fromSoa === previous.soa && diff.toSoa === version.soa);
});
