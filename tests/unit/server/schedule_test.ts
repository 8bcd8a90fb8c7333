import { assert, assertEquals } from "@std/assert";
import { Schedule } from "../../../lib/server/schedule.ts";
import { HandClock } from "../../support/clock.ts";
import { randomOf } from "../../support/random.ts";

Deno.test("times run in their order, those of one time in the order they were added, by one timer", () => {
  const clock = new HandClock();
  const schedule = new Schedule(clock);
  const ran: string[] = [];
  for (const [ms, what] of [[50, "c"], [20, "a"], [50, "d"], [20, "b"], [90, "e"]] as const) {
    schedule.after(ms, () => ran.push(what));
    assertEquals(clock.pending, 1);
  }
  clock.advance(19);
  assertEquals(ran, []);
  clock.advance(1);
  assertEquals(ran, ["a", "b"]);
  clock.advance(30);
  assertEquals(ran, ["a", "b", "c", "d"]);
  clock.advance(1_000);
  assertEquals(ran, ["a", "b", "c", "d", "e"]);
  assertEquals([schedule.waiting, clock.pending], [0, 0]);
});

Deno.test("what is canceled does not run, and leaves no timer behind", () => {
  const clock = new HandClock();
  const schedule = new Schedule(clock);
  const cancel = schedule.after(10, () => assert(false));
  cancel();
  cancel(); // once more is no error
  assertEquals([schedule.waiting, clock.pending], [0, 0]);
  clock.advance(100);
});

Deno.test("what runs may add and cancel", () => {
  const clock = new HandClock();
  const schedule = new Schedule(clock);
  const ran: number[] = [];
  const cancels = [1, 2, 3].map((n) => schedule.after(10, () => ran.push(n)));
  schedule.after(5, () => {
    cancels[1]();
    schedule.after(0, () => ran.push(0));
  });
  clock.advance(10);
  assertEquals(ran, [0, 1, 3]);
});

Deno.test("thousands of times added and canceled at random run in their order", () => {
  const random = randomOf(7);
  const clock = new HandClock();
  const schedule = new Schedule(clock);
  const expected: number[] = [];
  const ran: number[] = [];
  for (let i = 0; i < 5_000; i++) {
    const ms = Math.floor(random() * 1_000);
    const cancel = schedule.after(ms, () => ran.push(ms));
    if (random() < 0.5) cancel();
    else expected.push(ms);
  }
  assertEquals(schedule.waiting, expected.length);
  clock.advance(1_000);
  assertEquals(ran, expected.sort((a, b) => a - b));
});
