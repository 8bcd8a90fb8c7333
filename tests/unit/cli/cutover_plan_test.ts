/** The plan of a move: what is done, what waits, and until when, for facts and times given. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { CutoverFacts, CutoverMemory, OldServer } from "../../../lib/cli/cutover_facts.ts";
import { parseMemory, remember } from "../../../lib/cli/cutover_memory.ts";
import { isOver, planCutover, type StepId } from "../../../lib/cli/cutover_plan.ts";
import { keyTag } from "../../../lib/cli/key_tag.ts";
import { parseRdata, ROOT, TYPE } from "../../../lib/dns/mod.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const HOUR = 3_600_000;
const OLD: OldServer[] = [{ name: "ns1.old.", ip: "192.0.2.1", port: 53 }];
const OPTIONS = { lowTtl: 300, noLower: false };

/** How the world looks; each field is what one step changes. */
interface World {
  readonly newSerial?: number;
  readonly oldTtl?: number;
  readonly oldNames?: readonly string[];
  readonly parentNames?: readonly string[];
  readonly ds?: readonly number[];
  readonly differing?: number | undefined;
  readonly isOldGone?: boolean;
  readonly ourTtl?: number;
  readonly keys?: readonly number[];
  readonly glue?: ReadonlyMap<string, readonly string[]>;
  readonly parentGlue?: ReadonlyMap<string, readonly string[]>;
}

function facts(hours: number, world: World = {}): CutoverFacts {
  const { oldTtl = 86_400, oldNames = ["ns1.old."], parentNames = ["ns1.old."], ds = [] } = world;
  return {
    now: START + hours * HOUR,
    zone: "example.org.",
    ours: {
      serial: 7,
      nameServers: { names: ["ns1.new.", "ns2.new."], ttl: world.ourTtl ?? 3_600 },
      glue: world.glue ?? new Map(),
      keys: world.keys ?? [],
    },
    parent: [{
      server: "192.0.2.99:53",
      fault: undefined,
      delegation: { names: parentNames, ttl: 172_800 },
      glue: world.parentGlue ?? new Map(),
      ds,
      dsTtl: 3_600,
    }],
    old: [{
      name: "ns1.old.",
      address: "192.0.2.1:53",
      server: "ns1.old. (192.0.2.1:53)",
      fault: undefined,
      isAuthoritative: !world.isOldGone,
      serial: world.isOldGone ? undefined : 3,
      nameServers: world.isOldGone ? undefined : { names: oldNames, ttl: oldTtl },
    }],
    fresh: ["ns1.new.", "ns2.new."].map((name) => ({
      name,
      address: "192.0.2.2:53",
      server: name,
      fault: undefined,
      isAuthoritative: true,
      serial: world.newSerial ?? 7,
      nameServers: { names: ["ns1.new.", "ns2.new."], ttl: 3_600 },
    })),
    differing: "differing" in world ? world.differing : 0,
  };
}

/** Runs one after another, as an operator would, and gives the last plan: "id state +hours". */
function plans(runs: readonly (readonly [hours: number, world?: World])[], options = OPTIONS) {
  let memory: CutoverMemory | undefined;
  let lines: string[] = [];
  let over = false;
  for (const [hours, world] of runs) {
    const seen = facts(hours, world);
    memory = parseMemory(JSON.stringify(remember(memory, seen, OLD, options)))!;
    const steps = planCutover(seen, memory, options);
    over = isOver(steps);
    lines = steps.map(({ id, state, from }) => `${id} ${state} +${(from - START) / HOUR}`);
  }
  const of = (id: StepId) => lines.find((line) => line.startsWith(`${id} `))?.slice(id.length + 1);
  return { lines, of, over };
}

const LOW: World = { oldTtl: 300 };
const SWITCHED: World = { ...LOW, parentNames: ["ns1.new.", "ns2.new."] };

Deno.test("cutover: a move from its first day to its last", async (t) => {
  const runs: (readonly [number, World?])[] = [[0]];
  const table: [what: string, run: readonly [number, World?], expected: Record<string, string>][] =
    [
      ["at first the TTL is to be lowered, and all else has its date", [0], {
        serve: "done +0",
        same: "done +0",
        lower: "now +24",
        switch: "later +24",
        announce: "later +24",
        expire: "later +72",
        off: "later +72",
        raise: "done +72",
      }],
      ["lowered: the old TTL has to run out from then on", [5, LOW], {
        lower: "waiting +29",
        switch: "later +29",
      }],
      ["an hour before", [28, LOW], { lower: "waiting +29", switch: "later +29" }],
      ["run out: now", [29, LOW], { lower: "done +29", switch: "now +29", expire: "later +77" }],
      ["late is no harm: the switch is still to be done now", [40, LOW], { switch: "now +40" }],
      ["switched: the parent's TTL has to run out", [41, SWITCHED], {
        switch: "done +41",
        announce: "now +41",
        expire: "waiting +89",
        off: "later +89",
      }],
      ["the old servers name the new ones", [42, {
        ...SWITCHED,
        oldNames: ["ns1.new.", "ns2.new."],
      }], {
        announce: "done +41",
        expire: "waiting +89",
      }],
      ["run out: the old servers may go", [89, SWITCHED], { expire: "done +89", off: "now +89" }],
      ["gone", [90, { ...SWITCHED, isOldGone: true }], { off: "done +89", expire: "done +89" }],
    ];
  for (const [what, run, expected] of table) {
    await t.step(what, () => {
      runs.push(run);
      const { of, over } = plans(runs);
      for (const [id, text] of Object.entries(expected)) assertEquals(of(id as StepId), text, id);
      assertEquals(over, what === "gone");
    });
  }
});

Deno.test("cutover: what stops the switch, and what it costs to leave a step out", async (t) => {
  const table: [what: string, runs: (readonly [number, World?])[], id: StepId, text: string][] = [
    ["a new server lags", [[0, LOW], [24, { ...LOW, newSerial: 6 }]], "switch", "later +24"],
    ["and then it says so", [[0, { newSerial: 6 }]], "serve", "now +0"],
    ["records differ", [[0, LOW], [24, { ...LOW, differing: 2 }]], "switch", "later +24"],
    ["not compared", [[0, { differing: undefined }]], "same", "now +0"],
    ["DS records of the old keys", [[0, LOW], [24, { ...LOW, ds: [5] }]], "dnssec", "now +25"],
    ["removed: their TTL runs out", [[0, { ...LOW, ds: [5] }], [2, LOW]], "dnssec", "waiting +3"],
    ["and the switch waits for it", [[0, { ...LOW, ds: [5] }], [2, LOW]], "switch", "later +3"],
    [
      "DS records of keys of ours",
      [[0, { ...LOW, ds: [5], keys: [5] }], [24, {
        ...LOW,
        ds: [5],
        keys: [5],
      }]],
      "switch",
      "now +24",
    ],
    // Seen low from the first: nobody knows what it was before.
    ["a TTL that was low from the first", [[0, LOW]], "switch", `later +${300 / 3600}`],
    ["raised again before the switch", [[0], [1, LOW], [2], [3, LOW]], "lower", "waiting +27"],
    ["switched back", [[0], [5, LOW], [30, SWITCHED], [31, LOW]], "switch", "now +31"],
    [
      "switched too soon: the TTL before counts",
      [[0], [5, LOW], [6, {
        ...SWITCHED,
        parentNames: ["ns1.new.", "ns2.new."],
      }]],
      "expire",
      "waiting +54",
    ],
  ];
  for (const [what, runs, id, text] of table) {
    await t.step(what, () => assertEquals(plans(runs).of(id), text));
  }
  await t.step("--no-lower: at once, and longer after", () => {
    const options = { lowTtl: 300, noLower: true };
    const { of } = plans([[0]], options);
    assertEquals([of("switch"), of("lower")], ["now +0", "later +0"]);
    const after = plans([[0], [1, { parentNames: ["ns1.new.", "ns2.new."] }]], options);
    assertEquals(after.of("expire"), "waiting +49");
  });
  await t.step("glue at the parent must be ours", () => {
    const glue = new Map([["ns1.new.", ["192.0.2.2"]]]);
    const wrong = { ...SWITCHED, glue, parentGlue: new Map([["ns1.new.", ["192.0.2.9"]]]) };
    assertEquals(plans([[0, LOW], [1, wrong]]).of("switch"), "now +1");
    assertEquals(plans([[0, LOW], [1, { ...wrong, parentGlue: glue }]]).of("switch"), "done +1");
  });
});

Deno.test("cutover: notes say what to do", () => {
  const seen = facts(0, { ds: [5], newSerial: 6, differing: 1 });
  const steps = planCutover(seen, remember(undefined, seen, OLD, OPTIONS), OPTIONS);
  const notes = steps.flatMap((step) => step.notes).join("\n");
  for (
    const text of [
      "ns1.new. has serial 6, here it is 7",
      "zonecast verify example.org. --against 192.0.2.1 --ignore SOA --ignore @/NS",
      "DS records for keys that the zone here has not (5)",
      "have the registrar name ns1.new., ns2.new.",
      "set it to 300 there, or leave it with --no-lower",
    ]
  ) assertStringIncludes(notes, text);
});

Deno.test("cutover: a plan file that is none, is damaged", () => {
  for (
    const text of ["", "[]", "{}", '{"zone":"a.","seen":{},"old":[{}]}', '{"seen":1,"old":[]}']
  ) {
    assertEquals(parseMemory(text), undefined, text);
  }
});

Deno.test("keyTag: RFC 4034's example, 60485", () => {
  const key = "256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZ" +
    "DRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADj" +
    "FDc2w/rljwvFw==";
  assertEquals(keyTag(parseRdata(TYPE.DNSKEY, key, ROOT)), 60485);
});
