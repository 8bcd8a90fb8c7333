import { assert, assertEquals } from "@std/assert";
import { HeldOwners } from "../../../lib/zone/mod.ts";

Deno.test("few held owners are known by name, exactly", () => {
  const owners = new HeldOwners(5, 10);
  for (const name of ["a.", "b."]) owners.add(name);
  assertEquals([owners.count, owners.names], [2, new Set(["a.", "b."])]);
  assertEquals([owners.mayHave("a."), owners.mayHave("c.")], [true, false]);
});

Deno.test("many are known by a filter: each of them, and hardly any other", () => {
  const count = 50_000;
  const owners = new HeldOwners(count, 10_000);
  for (let i = 0; i < count; i++) owners.add(`host-${i}.example.org.`);
  assertEquals([owners.count, owners.names], [count, "all"]);
  for (let i = 0; i < count; i++) assert(owners.mayHave(`host-${i}.example.org.`));
  let others = 0;
  for (let i = 0; i < count; i++) if (owners.mayHave(`host-${count + i}.example.org.`)) others++;
  assert(others < count / 500, `${others} others taken for held`);
});

Deno.test("more than were foreseen are never taken for others", () => {
  const owners = new HeldOwners(2, 2);
  for (const name of ["a.", "b.", "c."]) owners.add(name);
  assertEquals([owners.names, owners.mayHave("a."), owners.mayHave("z.")], ["all", true, true]);
});
