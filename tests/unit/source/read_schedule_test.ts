import { assertEquals } from "@std/assert";
import { ReadSchedule } from "../../../lib/source/mod.ts";

Deno.test("requests made before a read begins are one read", () => {
  const schedule = new ReadSchedule(100);
  assertEquals(schedule.take(0), undefined);
  assertEquals(schedule.dueIn(0), undefined);
  schedule.ask("poll");
  schedule.ask("feed");
  schedule.ask("feed");
  assertEquals(schedule.take(0), { reason: "feed", everything: false });
  assertEquals(schedule.take(0), undefined);
});

Deno.test("the first change goes at once, more within the interval go together", () => {
  const schedule = new ReadSchedule(100);
  schedule.ask("feed");
  const read = schedule.take(1000)!;
  schedule.ended(read, 1000, 1005, { everything: false, published: true });
  schedule.ask("feed");
  assertEquals(schedule.dueIn(1010), 95);
  assertEquals(schedule.take(1104), undefined);
  assertEquals(schedule.take(1105)?.reason, "feed");
});

Deno.test("a change after a poll that found nothing goes at once; after one that did it waits", () => {
  const schedule = new ReadSchedule(100);
  for (const [published, due] of [[false, 0], [true, 90]] as const) {
    schedule.ask("poll");
    const read = schedule.take(1_000)!;
    schedule.ended(read, 1_000, 1_005, { everything: false, published });
    schedule.ask("feed");
    assertEquals(Math.max(0, schedule.dueIn(1_015)!), due);
    assertEquals(schedule.take(2_000)?.reason, "feed");
  }
});

Deno.test("reads of everything are twice the last one's duration apart; the feed is read between", () => {
  const schedule = new ReadSchedule(100);
  schedule.ask("notification");
  const read = schedule.take(0)!;
  assertEquals(read, { reason: "notification", everything: true });
  schedule.ended(read, 0, 3000, { everything: true, published: true });
  schedule.ask("notification");
  schedule.ask("feed");
  assertEquals(schedule.dueIn(3000), 100);
  const part = schedule.take(3100)!;
  assertEquals(part, { reason: "feed", everything: false });
  schedule.ended(part, 3100, 3110, { everything: false, published: true });
  assertEquals(schedule.dueIn(3110), 5890);
  assertEquals(schedule.take(9000), { reason: "notification", everything: true });
});

Deno.test("a read of everything serves whoever asked for less", () => {
  const schedule = new ReadSchedule(0);
  schedule.ask("feed");
  schedule.ask("proof");
  assertEquals(schedule.take(0), { reason: "proof", everything: true });
  assertEquals(schedule.dueIn(0), undefined);
});

Deno.test("where a poll reads everything, idle polling stays cheap but a change is not kept waiting", () => {
  const schedule = new ReadSchedule(100);
  schedule.ask("poll");
  const read = schedule.take(0)!;
  schedule.ended(read, 0, 1000, { everything: true, published: true });
  schedule.ask("poll");
  assertEquals(schedule.dueIn(1000), 10_000);
  schedule.ask("reconnect");
  assertEquals(schedule.dueIn(1000), 100);
});

Deno.test("after a read that failed the next one is due as after any other", () => {
  const schedule = new ReadSchedule(100);
  schedule.ask("feed");
  const read = schedule.take(0)!;
  schedule.ended(read, 0, 50, undefined);
  schedule.ask("request");
  assertEquals(schedule.take(149), undefined);
  assertEquals(schedule.take(150), { reason: "request", everything: false });
});
