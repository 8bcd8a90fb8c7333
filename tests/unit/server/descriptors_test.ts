import { assert, assertEquals } from "@std/assert";
import { freeDescriptors, isOutOfDescriptors } from "../../../lib/server/descriptors.ts";
import { DEFAULT_LIMITS, limitsWithin, RESERVED_DESCRIPTORS } from "../../../lib/server/limits.ts";

/** A machine with so many descriptors. */
function machineWith(descriptors: number, code = "EMFILE") {
  let used = 0;
  const open = () => {
    if (used >= descriptors) throw Object.assign(new Error("none left"), { code });
    used++;
    return { [Symbol.dispose]: () => void used-- };
  };
  return { open, used: () => used };
}

Deno.test("freeDescriptors counts what can be opened, and keeps none of it", () => {
  for (const [there, expected] of [[5, 5], [100, 10], [0, 0]]) {
    const { open, used } = machineWith(there);
    assertEquals([freeDescriptors(10, open), used()], [expected, 0]);
  }
  assertEquals(freeDescriptors(10, machineWith(3, "ENFILE").open), 3);
});

Deno.test("freeDescriptors takes all for free when nothing can be found out", () => {
  assertEquals(freeDescriptors(10, machineWith(3, "EACCES").open), 10);
});

Deno.test("isOutOfDescriptors knows the error the system gives", () => {
  assert(!isOutOfDescriptors(new Error("Too many")));
  assert(!isOutOfDescriptors(undefined));
});

Deno.test("limitsWithin leaves limits as they are while descriptors suffice", () => {
  const enough = DEFAULT_LIMITS.connections + RESERVED_DESCRIPTORS;
  assertEquals(limitsWithin(DEFAULT_LIMITS, enough), DEFAULT_LIMITS);
});

Deno.test("limitsWithin keeps descriptors back, and each kind of client its share", () => {
  for (const free of [1, 2, 10, 34, 130, 500]) {
    const limits = limitsWithin(DEFAULT_LIMITS, free);
    assert(limits.connections >= 1 && limits.connections <= Math.max(1, free - 1), `${free}`);
    assert(free < 20 || limits.strangerConnections < limits.connections, `${free}`);
    assert(limits.connectionsPerSecondary >= 1 && limits.connectionsPerStranger >= 1);
    assert(free < 20 || limits.connectionsPerSecondary < limits.connections, `${free}`);
  }
  assertEquals(limitsWithin(DEFAULT_LIMITS, 34).connections, 17);
});
