import { assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { jumpFloor, type SerialAnswers, SerialFloors } from "../../../lib/zone/mod.ts";

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
