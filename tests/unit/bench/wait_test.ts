/** A bench that is interrupted waits for nothing more. */
import { assertEquals, assertRejects } from "@std/assert";
import { endWaits, until } from "../../support/wait.ts";

Deno.test("what is awaited when waits are ended fails at its next look, what holds does not", async () => {
  const waiting = until(() => false, { what: "nothing", timeoutMs: 3_600_000 });
  endWaits();
  await assertRejects(() => waiting, Error, "No longer waited for: nothing");
  assertEquals(await until(() => 7, { what: "seven" }), 7);
});
