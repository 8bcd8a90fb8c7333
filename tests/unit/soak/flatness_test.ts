import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { drawPanels, roundUp } from "../../soak/panels.ts";
import type { Sample } from "../../soak/samples.ts";
import { flatness, MIB } from "../../soak/verdicts.ts";

/** Samples of so many seconds, each made from the share of the time that has gone. */
function samples(seconds: number, over: (share: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: seconds }, (_, index) => ({
    at: index + 1,
    rss: 150 * MIB,
    descriptors: 60,
    cpuMs: index,
    answerP50: 0.2,
    answerP99: 3,
    loopDelay: 5,
    slowdown: 1.2,
    ...over(index / seconds),
  }));
}

function bad(of: readonly Sample[]): string[] {
  return flatness(of).filter(({ good }) => !good).map(({ what }) => what.split(":")[0]);
}

Deno.test("a soak that stays as it is is flat, also when it begins with a rise", () => {
  assertEquals(bad(samples(600, () => ({}))), []);
  assertEquals(bad(samples(600, (share) => ({ rss: (share < 0.2 ? 80 : 150) * MIB }))), []);
});

Deno.test("what grows all the time is not flat, each figure by itself", () => {
  const grows = (figure: keyof Sample, from: number, to: number) =>
    bad(samples(600, (share) => ({ [figure]: from + share * (to - from) })));
  assertEquals(grows("rss", 100 * MIB, 200 * MIB), ["RSS"]);
  assertEquals(grows("descriptors", 50, 150), ["descriptors"]);
  assertEquals(grows("answerP99", 2, 200), ["SOA p99"]);
  assertEquals(grows("loopDelay", 2, 200), ["loop delay"]);
});

Deno.test("a short soak may grow by more, a single second may be slow", () => {
  const rise = (share: number) => ({ rss: (150 + share * 90) * MIB });
  assertEquals(bad(samples(120, rise)), []);
  assertEquals(bad(samples(1_200, rise)), ["RSS"]);
  assertEquals(bad(samples(600, (share) => share === 0.9 ? { answerP99: 900 } : {})), []);
});

Deno.test("delays that grow as others take the processor are the machine's, and grow by as much", () => {
  const delays = (by: number) => ({ answerP99: 60 * by, loopDelay: 60 * by });
  const busier = (share: number) => share < 0.7 ? 1.5 : 6;
  const machine = (share: number) => ({ ...delays(busier(share)), slowdown: busier(share) });
  assertEquals(bad(samples(120, machine)), []);
  assertEquals(bad(samples(120, (share) => delays(busier(share)))), ["SOA p99", "loop delay"]);
  const ours = (share: number) => ({ ...machine(share), loopDelay: share < 0.7 ? 60 : 6_000 });
  assertEquals(bad(samples(120, ours)), ["loop delay"]);
});

Deno.test("no figures are not taken for good ones", () => {
  assertEquals(flatness([]).every(({ good }) => !good), true);
  assertEquals(bad(samples(600, () => ({ answerP99: NaN }))), ["SOA p99"]);
});

Deno.test("panels: each has its label and an axis from 0 to a round number above its values", () => {
  const svg = drawPanels({
    title: "A & B",
    caption: "grey",
    times: [1, 60, 120],
    panels: [
      { label: "memory", values: [120, 150, NaN], unit: "MiB" },
      { label: "count", values: [1, 2, 3], unit: "" },
    ],
    spans: [{ from: 30, to: Infinity }],
  });
  for (const text of ["A &#38; B", "memory", ">200 MiB<", ">100 MiB<", ">5<", "minutes"]) {
    assertStringIncludes(svg, text);
  }
  assert(!/NaN|Infinity/.test(svg), svg);
});

Deno.test("a round number is 1, 2 or 5 times a power of ten", () => {
  assertEquals([0, 0.3, 1, 1.1, 4, 51, 200].map(roundUp), [1, 0.5, 1, 2, 5, 100, 200]);
});
