/** Serials on their circle (RFC 1982). */
import { assertEquals, assertThrows } from "@std/assert";
import { addSerial, compareSerials, isAhead, isSerial } from "../../../lib/dns/mod.ts";

Deno.test("serials compare as RFC 1982 §3.2 has it", () => {
  const cases: [number, number, -1 | 0 | 1 | undefined][] = [
    [0, 0, 0],
    [1, 0, 1],
    [0, 1, -1],
    [0, 0xffffffff, 1],
    [0xffffffff, 0, -1],
    [0x7fffffff, 0, 1],
    [0x80000000, 0, undefined],
    [0, 0x80000000, undefined],
    [0x80000001, 0, -1],
    [100, 0x80000064, undefined],
  ];
  for (const [a, b, order] of cases) assertEquals(compareSerials(a, b), order, `${a} ${b}`);
  assertEquals([isAhead(1, 0), isAhead(0, 1), isAhead(0, 0x80000000)], [true, false, false]);
});

Deno.test("serials wrap when raised, by at most 2^31 - 1", () => {
  assertEquals(addSerial(0xffffffff, 1), 0);
  assertEquals(addSerial(0xffffffff, 2 ** 31 - 1), 2 ** 31 - 2);
  assertEquals(addSerial(5, 0), 5);
  for (const amount of [-1, 2 ** 31, 0.5, NaN]) {
    assertThrows(() => addSerial(0, amount), RangeError);
  }
  assertEquals([0, 2 ** 32 - 1, 2 ** 32, -1, 0.5].map(isSerial), [true, true, false, false, false]);
});
