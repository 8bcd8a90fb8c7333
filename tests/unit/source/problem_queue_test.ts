import { assert, assertEquals } from "@std/assert";
import { ProblemQueue } from "../../../lib/source/problem_queue.ts";
import type { ProblemReport } from "../../../lib/source/write_back.ts";
import { SLICE_MS } from "../../../lib/ops/mod.ts";

const problem = (name: string): ProblemReport => ({
  zone: "z",
  owner: name,
  name,
  type: "A",
  content: "x",
  code: "bad-rdata",
  severity: "error",
  reason: "r",
  hint: undefined,
});

/** So many problems, each slow to come by. */
function* slowly(count: number): Generator<ProblemReport> {
  for (let i = 0; i < count; i++) {
    if (i % 64 === 0) { for (const end = performance.now() + SLICE_MS; performance.now() < end;); }
    yield problem(`n${i}`);
  }
}

Deno.test("problems that were being sorted in are forgotten when all are to be compared", async () => {
  const queue = new ProblemQueue(() => []);
  queue.changed([], []);
  assert(queue.take()?.isWhole); // the first time
  queue.changed(slowly(500), []);
  const prepared = queue.prepare();
  setTimeout(() => queue.compare(), 0); // in the first pause: the zone is new, say
  await prepared;
  const whole = queue.take()!;
  assertEquals([whole.isWhole, [...whole.put]], [true, []]);
  assertEquals(queue.take(), undefined, "what is no more is not told again");
});
