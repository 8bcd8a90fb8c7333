import { assert, assertEquals } from "@std/assert";
import { parseName, TYPE } from "../../../lib/dns/mod.ts";
import {
  answersSoaQuery,
  farthestBehind,
  hasSerial,
  MAX_POLL_MS,
  pollMs,
  renotifyMs,
  soaQuery,
} from "../../../lib/transfer/mod.ts";
import { RCODE } from "../../../lib/wire/mod.ts";
import { decodeMessage } from "../../support/oracle.ts";

const APEX = parseName("Example.org.");

Deno.test("soaQuery: one question for the SOA, no recursion desired", () => {
  const query = decodeMessage(soaQuery(0xbeef, APEX));
  assertEquals([query.id, query.type, query.flag_rd], [0xbeef, "query", false]);
  assertEquals(query.questions, [{ name: "Example.org", type: "SOA", class: "IN" }]);
  assertEquals([query.answers?.length, query.additionals?.length], [0, 0]);
});

Deno.test("answersSoaQuery wants ID, name without case, type and class; a bare header only with an error", () => {
  const question = { name: parseName("example.ORG."), type: TYPE.SOA, class: 1 };
  const response = { id: 7, rcode: RCODE.NOERROR, question, serial: 1 };
  assert(answersSoaQuery(response, 7, APEX));
  assert(!answersSoaQuery(response, 8, APEX));
  assert(!answersSoaQuery(response, 7, parseName("example.net.")));
  assert(!answersSoaQuery({ ...response, question: { ...question, type: TYPE.A } }, 7, APEX));
  assert(!answersSoaQuery({ ...response, question: { ...question, class: 3 } }, 7, APEX));
  assert(!answersSoaQuery({ ...response, question: undefined }, 7, APEX));
  assert(answersSoaQuery({ ...response, question: undefined, rcode: RCODE.FORMERR }, 7, APEX));
});

Deno.test("hasSerial: there or ahead by RFC 1982; not behind, unknown or incomparable", () => {
  const cases: readonly [shown: number | undefined, has: boolean][] = [
    [10, true],
    [11, true],
    [10 + 2 ** 31 - 1, true],
    [9, false],
    [2 ** 32 - 1, false],
    [10 + 2 ** 31, false],
    [undefined, false],
  ];
  for (const [shown, has] of cases) assertEquals(hasSerial(shown, 10), has, `${shown}`);
  assert(hasSerial(3, 2 ** 32 - 5)); // across the wrap
});

Deno.test("farthestBehind: the least by RFC 1982, unknown when one is", () => {
  assertEquals(farthestBehind([]), undefined);
  assertEquals(farthestBehind([7]), 7);
  assertEquals(farthestBehind([7, 5, 9]), 5);
  assertEquals(farthestBehind([2, 2 ** 32 - 2, 1]), 2 ** 32 - 2);
  assertEquals(farthestBehind([7, undefined]), undefined);
});

Deno.test("pollMs doubles from 20 ms to 5 s; renotifyMs from 5 s to 5 minutes", () => {
  assertEquals(Array.from({ length: 10 }, (_, i) => pollMs(i)), [
    ...[20, 40, 80, 160, 320, 640, 1280, 2560],
    ...[MAX_POLL_MS, MAX_POLL_MS],
  ]);
  assertEquals(Array.from({ length: 8 }, (_, i) => renotifyMs(i) / 1000), [
    ...[5, 10, 20, 40, 80, 160, 300, 300],
  ]);
  assertEquals(pollMs(5_000), MAX_POLL_MS);
  assertEquals(renotifyMs(5_000), 300_000);
});
