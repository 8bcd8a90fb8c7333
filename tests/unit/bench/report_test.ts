/** The bench's own arithmetic and table. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { format, reportText, rowsOf } from "../../bench/report.ts";
import { judge, type Sample } from "../../bench/scenario.ts";
import { median, summarize } from "../../bench/statistics.ts";
import { label } from "../../bench/zones.ts";

Deno.test("the median of an even number of samples lies between the two in the middle", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(median([7]), 7);
  assertEquals(summarize([3, 9, 1]), { median: 3, min: 1, max: 9, count: 3 });
});

const goal = { scenario: "s", what: "w", unit: "s", bound: "" } as const;

Deno.test("a goal is met at its bound, missed beyond it, and not measured without either side", () => {
  assertEquals(judge({ ...goal, value: 2, atMost: 2 }, false), "met");
  assertEquals(judge({ ...goal, value: 3, atMost: 2 }, false), "missed");
  assertEquals(judge({ ...goal, value: 2, atLeast: 2 }, false), "met");
  assertEquals(judge({ ...goal, value: 1, atLeast: 2 }, false), "missed");
  assertEquals(judge({ ...goal, value: undefined, atMost: 2 }, false), "not measured");
  assertEquals(judge({ ...goal, value: 1 }, false), "not measured");
  assertEquals(judge({ ...goal, value: 1, atMost: 2 }, true), "not measured");
});

Deno.test("values are shown with three digits and a unit", () => {
  assertEquals(format(0.0123456, "s"), "12.3 ms");
  assertEquals(format(0.000456, "s"), "456 µs");
  assertEquals(format(8.026, "s"), "8.03 s");
  assertEquals(format(150 * 2 ** 20, "octets"), "150 MiB");
  assertEquals(format(233, "octets"), "233 octets");
  assertEquals(format(3_000_000, "records/s"), "3 M rec/s");
  assertEquals(format(143_210, "questions/s"), "143 k q/s");
});

const sample = (server: string, value: number): Sample => ({
  scenario: "axfr",
  what: "last octet",
  server,
  size: 1000,
  unit: "s",
  value,
});

Deno.test("rows hold medians and their ratio to zonecast's", () => {
  const rows = rowsOf(
    [sample("NSD", 0.5), sample("zonecast", 0.05), sample("NSD", 0.7), sample("NSD", 0.6)],
    "axfr",
  );
  assertEquals(rows.map(({ server, median }) => [server, median]), [["zonecast", 0.05], [
    "NSD",
    0.6,
  ]]);
  assertEquals(rows[0].ratio, undefined);
  assertEquals(Math.round(rows[1].ratio ?? 0), 12);
});

Deno.test("the table names missing peers, and a missed goal with its reason", () => {
  const missed = {
    ...goal,
    scenario: "axfr",
    value: 0.05,
    atMost: 0.01,
    verdict: "missed",
  } as const;
  const text = reportText({
    machine: { cpu: "cpu", cores: 2, memory: 2 ** 34, kernel: "Linux", system: "Debian", load: 3 },
    zonecast: "0.1.0",
    peers: [
      { name: "NSD", package: "nsd", version: "4.6.1", setup: "as it is" },
      { name: "YADIFA", package: "yadifa", setup: "as it is" },
    ],
    rounds: 3,
    quick: false,
    scenarios: [{ name: "axfr", title: "AXFR" }],
    samples: [sample("zonecast", 0.05)],
    goals: [
      { ...missed, bound: "1/10 of NSD's", reason: "the moon was full" },
      { ...missed, what: "v" },
    ],
    notes: [],
    failures: [],
  });
  assertStringIncludes(text, "YADIFA is missing (Debian: yadifa)");
  assertStringIncludes(
    text,
    "MISSED        w: 50 ms, goal ≤ 10 ms (1/10 of NSD's): the moon was full",
  );
  assertStringIncludes(
    text,
    "MISSED        v: 50 ms, goal ≤ 10 ms: no cause is known; the load was 3.0 on 2 cores at the start",
  );
  assertStringIncludes(text, "goals: 0 met, 2 missed, 0 not measured");
});

Deno.test("the names of a zone are app-<10 hex>, and no two are the same", () => {
  const labels = new Set<string>();
  for (let index = 0; index < 20_000; index++) labels.add(label(index));
  assertEquals(labels.size, 20_000);
  assertEquals([...labels].every((name) => /^app-[0-9a-f]{10}$/.test(name)), true);
});
