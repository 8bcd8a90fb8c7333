import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { addPeak, mostOwners, type Peak, peaksWithin } from "../../../lib/primary/peaks.ts";

const WINDOW = 600_000;

Deno.test("the largest version of the window counts, and for hardly longer than it", () => {
  let peaks: Peak[] = [];
  peaks = addPeak(peaks, 100, 80, WINDOW, 0);
  peaks = addPeak(peaks, 80, 90, WINDOW, 100_000);
  peaks = addPeak(peaks, 90, 70, WINDOW, 200_000);
  assertEquals(mostOwners(peaksWithin(peaks, WINDOW, 200_000)), 100);
  assertEquals(mostOwners(peaksWithin(peaks, WINDOW, 599_999)), 100);
  assertEquals(mostOwners(peaksWithin(peaks, WINDOW, 600_000)), 90);
  assertEquals(mostOwners(peaksWithin(peaks, WINDOW, 800_000)), 0);
});

Deno.test("a clock set back makes no peak last longer than the window", () => {
  const peaks = addPeak([], 100, 50, WINDOW, 86_400_000);
  const [peak] = addPeak(peaks, 50, 40, WINDOW, 1000);
  assertEquals(peak, { until: 1000, owners: 100 });
});

Deno.test("ten thousand deletions in a window keep a few peaks, and the first of them", () => {
  let peaks: Peak[] = [];
  for (let i = 0; i < 10_000; i++) peaks = addPeak(peaks, 10_000 - i, 9_999 - i, WINDOW, i * 59);
  assertEquals(mostOwners(peaks), 10_000);
  assert(peaks.length <= 22, String(peaks.length));
});

Deno.test("at random: never below the largest of the window, never above one a twentieth older", () => {
  const steps = fc.array(fc.tuple(fc.nat(1000), fc.nat(120_000)), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(steps, (steps) => {
    const ended: Peak[] = [];
    let [owners, now, peaks] = [500, 0, [] as Peak[]];
    for (const [next, ms] of steps) {
      now += ms;
      ended.push({ until: now, owners });
      peaks = addPeak(peaks, owners, next, WINDOW, now);
      owners = next;
      const within = (ms: number) =>
        Math.max(owners, ...ended.filter(({ until }) => until > now - ms).map((e) => e.owners));
      const most = Math.max(owners, mostOwners(peaksWithin(peaks, WINDOW, now)));
      assert(most >= within(WINDOW), `${most} < ${within(WINDOW)}`);
      assert(most <= within(WINDOW * 1.05), `${most} > ${within(WINDOW * 1.05)}`);
    }
  }));
});
