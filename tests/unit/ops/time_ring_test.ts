import { assert, assertEquals } from "@std/assert";
import { Quantiles } from "../../../lib/ops/quantiles.ts";
import { TimeRing } from "../../../lib/ops/time_ring.ts";

const values = (ring: TimeRing<{ n: number }>, tick: number) =>
  ring.list(tick).map((slot) => slot?.value.n);

Deno.test("TimeRing: what is older than the ring is forgotten, also after a long pause", () => {
  const ring = new TimeRing(3, 1_000, () => ({ n: 0 }));
  ring.at(500).n++;
  ring.at(999).n++;
  ring.at(1_000).n++;
  assertEquals(values(ring, 1_500), [undefined, 2, 1]);
  assertEquals(values(ring, 2_500), [2, 1, undefined]);
  ring.at(4_200).n = 7;
  assertEquals(values(ring, 4_200), [undefined, undefined, 7]);
  assertEquals(ring.list(4_200)[2]?.agoMs, 200);
  assertEquals(values(ring, 1e9), [undefined, undefined, undefined]);
  ring.at(1e9).n = 9;
  assertEquals(values(ring, 1e9), [undefined, undefined, 9]);
});

Deno.test("Quantiles: true to an eighth, from half a millisecond to half an hour", () => {
  const spread = new Quantiles();
  assertEquals(spread.at(0.5), undefined);
  for (const value of [0.0005, 0.003, 0.02, 0.1, 1, 7.3, 60, 1800]) {
    const one = new Quantiles();
    one.add(value);
    for (const share of [0, 0.5, 1]) {
      const ratio = one.at(share)! / value;
      assert(ratio > 7 / 8 && ratio < 9 / 8, `${value}: ${one.at(share)}`);
    }
  }
  for (let i = 1; i <= 1000; i++) spread.add(i / 1000);
  assert(Math.abs(spread.at(0.5)! - 0.5) < 0.5 / 8);
  assert(Math.abs(spread.at(0.95)! - 0.95) < 0.95 / 8);
  spread.add(0);
  spread.add(-1);
  spread.add(1e9);
  assertEquals(spread.count, 1003);
  const both = new Quantiles();
  both.addAll(spread);
  both.addAll(spread);
  assertEquals([both.count, both.at(0.5)], [2006, spread.at(0.5)]);
});
