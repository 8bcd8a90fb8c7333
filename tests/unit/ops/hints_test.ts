import { assertEquals } from "@std/assert";
import { Hints } from "../../../lib/ops/mod.ts";

Deno.test("hints: many changes are one, and none is missed", async () => {
  const hints = new Hints();
  const gone = new AbortController();
  const watching = hints.watch(gone.signal);
  assertEquals((await watching.next()).value, 0);
  for (let i = 0; i < 5; i++) hints.changed();
  assertEquals((await watching.next()).value, 5);
  const next = watching.next();
  hints.changed();
  assertEquals((await next).value, 6);
  const last = watching.next();
  gone.abort();
  assertEquals((await last).done, true);
});
