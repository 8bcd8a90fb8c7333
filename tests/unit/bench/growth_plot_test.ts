import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { drawPlot, type Plot } from "../../bench/growth_plot.ts";

const plot: Plot = {
  title: "Cost & growth",
  caption: "one machine",
  xLabel: "records",
  yLabel: "time",
  formatX: (value) => `${value / 1000}k`,
  formatY: (value) => `${value} s`,
  series: [
    {
      name: "change",
      points: [
        { x: 1_000, median: 0.01, low: 0.009, high: 0.1 },
        { x: 100_000, median: 0.01, low: 0.01, high: 0.02 },
      ],
    },
    { name: "transfer", points: [{ x: 1_000, median: 0.001, low: 0.001, high: 0.001 }] },
  ],
};

Deno.test("a plot names its series, its sizes and its medians, escaped for XML", () => {
  const svg = drawPlot(plot);
  for (const text of ["Cost &#38; growth", "change", "transfer", "1k", "100k", ">0.001 s<"]) {
    assertStringIncludes(svg, text);
  }
});

Deno.test("a logarithmic axis gives each decade the same room", () => {
  const decades = drawPlot(plot).matchAll(/y="([\d.]+)" class="quiet end"/g);
  const places = [...decades].map(([, y]) => Number(y));
  assertEquals(places.length, 3); // 0.001, 0.01, 0.1
  assertEquals(places[0] - places[1], places[1] - places[2]);
  assert(places[0] > places[1], "greater values stand higher");
});

Deno.test("what has no logarithm cannot be drawn", () => {
  const zero = { x: 1_000, median: 1, low: 0, high: 1 };
  assertThrows(() => drawPlot({ ...plot, series: [{ name: "a", points: [zero] }] }), RangeError);
  assertThrows(() => drawPlot({ ...plot, series: [] }), RangeError);
});
