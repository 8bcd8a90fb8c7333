import { assertEquals } from "@std/assert";
import { formatName, parseName } from "../../../lib/dns/mod.ts";
import { jumpFloor, type SerialAnswers, SerialFloors } from "../../../lib/zone/mod.ts";
import { until } from "../../support/wait.ts";

const APEX = parseName("example.org.");

/** Floors whose secondaries answer this; the first verdict is taken, so they were asked. */
async function answered(answers: SerialAnswers): Promise<SerialFloors> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const floors = new SerialFloors(() => Promise.resolve(answers), () => resolve());
  assertEquals(floors.verdict(APEX, [], false), { kind: "asking" });
  await promise;
  return floors;
}

Deno.test("without secondaries the floor is what else is known", () => {
  const floors = new SerialFloors(undefined, () => {});
  assertEquals(floors.verdict(APEX, [7], false), { kind: "known", floors: [7] });
});

Deno.test("the floor is above what every secondary and the database last had", async () => {
  const floors = await answered({ asked: 2, answered: 2, serials: [40, 50] });
  assertEquals(floors.verdict(APEX, [45], false), { kind: "known", floors: [45, 40, 50] });
});

Deno.test("an operator's floor is one among the others, where they have a greatest one", async () => {
  const floors = await answered({ asked: 2, answered: 2, serials: [40, 50] });
  assertEquals(floors.verdict(APEX, [45], true), { kind: "known", floors: [45, 40, 50] });
});

Deno.test("secondaries that answer without having the zone set no floor", async () => {
  const floors = await answered({ asked: 1, answered: 1, serials: [] });
  assertEquals(floors.verdict(APEX, [], false), { kind: "known", floors: [] });
});

Deno.test("when nobody answers, the zone begins 2^16 above the time and all that is known", async () => {
  const floors = await answered({ asked: 2, answered: 0, serials: [] });
  assertEquals(floors.verdict(APEX, [9], false), {
    kind: "unanswered",
    floors: [9],
    jump: 65_536,
  });
  assertEquals(jumpFloor([9], 5_000, 65_536), 65_545);
  assertEquals(jumpFloor([9], 20_000, 65_536), 65_556);
  assertEquals(jumpFloor([2 ** 32 - 1], 5_000, 65_536), 5 + 65_536);
});

Deno.test("serials without a greatest one hold the zone until an operator chooses", async () => {
  const floors = await answered({ asked: 3, answered: 3, serials: [0, 2 ** 31] });
  assertEquals(floors.verdict(APEX, [], false).kind, "incomparable");
  assertEquals(floors.verdict(APEX, [123], true), { kind: "known", floors: [123] });
});

/** Floors whose secondaries answer when the test says so; of which zones it was told, and how often. */
function asking(zones: readonly string[]) {
  const answers = new Map<string, () => void>();
  const told: string[] = [];
  const floors = new SerialFloors((apex) => {
    const { promise, resolve } = Promise.withResolvers<SerialAnswers>();
    answers.set(formatName(apex), () => resolve({ asked: 1, answered: 1, serials: [7] }));
    return promise;
  }, (apex) => told.push(formatName(apex)));
  const names = zones.map((zone) => parseName(zone));
  const answer = async (zone: string) => {
    answers.get(zone)!();
    await Promise.resolve(); // what waits for it has run
  };
  return { floors, told, names, answer, asked: answers };
}

Deno.test("what was asked ahead is there for the first verdict, and nobody is told of it", async () => {
  const { floors, told, names: [apex], answer, asked } = asking(["example.org."]);
  floors.prepare(apex);
  floors.prepare(apex);
  await answer("example.org.");
  assertEquals(floors.verdict(apex, [], false), { kind: "known", floors: [7] });
  assertEquals([asked.size, told], [1, []]);
});

/** More zones than are told of one by one. */
const MANY = Array.from({ length: 60 }, (_, n) => `z${n}.example.`);

Deno.test("of few zones each is told of at once, whatever else is asked about", async () => {
  const { floors, told, names, answer } = asking(["a.example.", "b.example."]);
  for (const name of names) floors.verdict(name, [], false);
  await answer("b.example.");
  assertEquals(told, ["b.example."]);
  floors.close();
});

Deno.test("many zones that are asked about at once are told of together", async () => {
  const { floors, told, names, answer } = asking(MANY);
  for (const name of names) floors.prepare(name);
  for (const name of names) assertEquals(floors.verdict(name, [], false), { kind: "asking" });
  for (const zone of MANY.slice(0, 10)) await answer(zone);
  assertEquals(told, []);
  await answer(MANY[10]); // few are left
  assertEquals(told, MANY.slice(0, 11));
});

Deno.test("a zone does not wait for long for the many that are asked about beside it", async () => {
  const { floors, told, names, answer } = asking(MANY);
  for (const name of names) floors.verdict(name, [], false);
  await answer(MANY[0]);
  await until(() => told.length > 0, { what: "it is told of the first" });
  assertEquals(told, [MANY[0]]);
  floors.close();
});
