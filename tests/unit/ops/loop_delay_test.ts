import { assert, assertEquals } from "@std/assert";
import { LoopDelay } from "../../../lib/ops/mod.ts";
import { until } from "../../support/wait.ts";

Deno.test("a loop that was kept from running was late by about that time", async () => {
  const delay = new LoopDelay();
  try {
    assertEquals(delay.figures(), { medianMs: 0, longestMs: 0 });
    for (const end = performance.now() + 400; performance.now() < end;);
    // The look was due at 100 ms.
    await until(() => delay.figures().longestMs >= 290, { what: "300 ms of delay are seen" });
    assert(delay.figures().medianMs <= delay.figures().longestMs);
  } finally {
    delay.close();
  }
});
