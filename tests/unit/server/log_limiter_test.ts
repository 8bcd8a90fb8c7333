import { assertEquals } from "@std/assert";
import { LogLimiter } from "../../../lib/server/log_limiter.ts";

Deno.test("log limiter: once in 10 s for each key, counting what it holds back", () => {
  let now = 0;
  const limiter = new LogLimiter(() => now);
  assertEquals(limiter.pass("a"), 0);
  assertEquals(limiter.pass("a"), undefined);
  assertEquals(limiter.pass("b"), 0);
  now = 9_999;
  assertEquals(limiter.pass("a"), undefined);
  now = 10_000;
  assertEquals(limiter.pass("a"), 2);
});

Deno.test("log limiter: a clock set back does not silence the log", () => {
  let now = 3_600_000;
  const limiter = new LogLimiter(() => now);
  assertEquals(limiter.pass("a"), 0);
  now = 0;
  assertEquals(limiter.pass("a"), 0);
  assertEquals(limiter.pass("a"), undefined);
});
