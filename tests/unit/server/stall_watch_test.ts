import { assert, assertEquals, assertRejects } from "@std/assert";
import { StalledError, StallWatch } from "../../../lib/server/stall_watch.ts";

Deno.test("A write that ends in its time is waited for, one after the other", async () => {
  const watch = new StallWatch(10_000);
  let ended = 0;
  for (let i = 0; i < 3; i++) {
    await watch.over(Promise.resolve().then(() => void ended++));
    assertEquals(ended, i + 1);
  }
  watch.stop(); // else its timer would outlive the test
});

Deno.test("A write that does not end is told of after its time, counted from its own start", async () => {
  const watch = new StallWatch(100);
  await watch.over(Promise.resolve());
  await new Promise((resume) => setTimeout(resume, 60));
  const begun = performance.now();
  await assertRejects(() => watch.over(new Promise(() => {})), StalledError, "0.1 s");
  assert(performance.now() - begun >= 99, "the time of the write before was counted");
  watch.stop();
});

Deno.test("A write's own failure is thrown", async () => {
  const watch = new StallWatch(10_000);
  await assertRejects(() => watch.over(Promise.reject(new Error("gone"))), Error, "gone");
  watch.stop();
});

Deno.test("Stopping ends the wait for a write that does not end", async () => {
  const watch = new StallWatch(10_000);
  const wait = assertRejects(() => watch.over(new Promise(() => {})), Error, "closed");
  watch.stop();
  await wait;
});
