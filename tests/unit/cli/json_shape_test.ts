import { assertEquals } from "@std/assert";
import {
  list,
  listFields,
  maybe,
  misfits,
  number,
  object,
  orNull,
  record,
  text,
  time,
  word,
  yesNo,
} from "../../../lib/cli/json_shape.ts";
import type { JsonValue } from "../../../lib/ops/mod.ts";

const SHAPE = object("all of it", {
  name: text("a name"),
  state: maybe(word("a state", ["up", "down"])),
  at: maybe(time("a time")),
  floor: orNull(number("a floor")),
  zones: list("zones", object("a zone", { signed: yesNo("whether") })),
  counts: maybe(record("counts", number("a count"))),
});

const GOOD: JsonValue = { name: "a", floor: null, zones: [{ signed: true }] };

const CASES: [what: string, value: JsonValue, misfits: string[]][] = [
  ["the least there may be", GOOD, []],
  ["all there may be", {
    name: "a",
    state: "up",
    at: "2026-01-01T00:00:00.000Z",
    floor: 1,
    zones: [],
    counts: { a: 1, b: 2 },
  }, []],
  ["no object", [], ["$ is [], and should be object"]],
  ["a field is missing", { name: "a", zones: [] }, ["$.floor is missing"]],
  ["null where it may not be", { ...GOOD, name: null }, ["$.name is null, and should be text"]],
  ["another type", { ...GOOD, name: 1 }, ["$.name is 1, and should be text"]],
  ["another word", { ...GOOD, state: "off" }, ['$.state is "off", which is none of up, down']],
  ["no time", { ...GOOD, at: "now" }, ['$.at is "now", and should be time']],
  ["within a list", { ...GOOD, zones: [{}, { signed: 1 }] }, [
    "$.zones[0].signed is missing",
    "$.zones[1].signed is 1, and should be true|false",
  ]],
  ["within a record", { ...GOOD, counts: { a: "1" } }, [
    '$.counts.a is "1", and should be number',
  ]],
  ["a field that is not documented", { ...GOOD, more: 1 }, [
    "$.more is there, and not documented",
  ]],
];

Deno.test("misfits: a value and what is not as its shape says", async (t) => {
  for (const [what, value, expected] of CASES) {
    await t.step(what, () => assertEquals([...misfits(SHAPE, value)], expected));
  }
});

Deno.test("listFields: every field by its path, with what may be absent or null", () => {
  assertEquals([...listFields(SHAPE)].map(({ path, type }) => `${path} ${type}`), [
    "name text",
    'state "up" or "down", may be absent',
    "at time, may be absent",
    "floor number or null",
    "zones list",
    "zones[] object",
    "zones[].signed true|false",
    "counts object, may be absent",
    "counts.* number",
  ]);
});
