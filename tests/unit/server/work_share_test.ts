import { assert, assertEquals, assertRejects } from "@std/assert";
import { WORK_SHARE_MS } from "../../../lib/server/limits.ts";
import { WorkShare } from "../../../lib/server/work_share.ts";

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

Deno.test("work that comes all at once is done in order, and leaves the event loop to others", async () => {
  const share = new WorkShare();
  const order: number[] = [];
  let turns = 0;
  const others = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 40 }, (_, i) =>
    share.run(() => {
      spin(WORK_SHARE_MS / 2);
      order.push(i);
    })));
  clearInterval(others);
  assertEquals(order, Array.from({ length: 40 }, (_, i) => i));
  assert(turns >= 10, `${turns} turns for others`);
});

Deno.test("little work never waits", async () => {
  const share = new WorkShare(() => 0);
  let done = 0;
  for (let i = 0; i < 100; i++) share.run(() => void done++);
  assertEquals(done, 100);
  await Promise.resolve();
});

Deno.test("work that throws takes its turn's time and gives the turn on", async () => {
  const share = new WorkShare();
  const failing = Array.from({ length: 4 }, () =>
    share.run(() => {
      spin(WORK_SHARE_MS);
      throw new Error("a fault");
    }));
  for (const work of failing) await assertRejects(() => work, Error, "a fault");
  await share.run(() => {});
});
