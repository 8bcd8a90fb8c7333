/** The problems there are: what changes, since when, and what becomes of too many. */
import { assert, assertEquals } from "@std/assert";
import { type KnownProblem, NOT_LISTED, ProblemTable } from "../../../lib/zone/mod.ts";
import {
  type BriefProblem,
  FoundProblems,
  ProblemBudget,
} from "../../../lib/zone/found_problems.ts";
import { type Problem, problemGroup } from "../../../lib/zone/problem.ts";
import type { ProblemVerdict } from "../../../lib/zone/problem_table.ts";
import { drain } from "../../support/random_zones.ts";

const ZONE = "example.org.";
const APEX = "org\0example\0";

function problem(name: string, content: string, reason = "bad"): Problem {
  return {
    zone: ZONE,
    group: problemGroup(`${APEX}${name}\0`, ""),
    owner: `${name}.${ZONE}`,
    scope: "row",
    severity: "error",
    name,
    type: "A",
    content,
    code: "address",
    reason,
    hint: undefined,
  };
}

/** What a build says that has read these owners, or all. */
function verdict(
  listed: readonly Problem[],
  owners?: readonly string[],
  briefs: readonly BriefProblem[] = [],
): ProblemVerdict {
  const groups = new Set(owners?.map((name) => problemGroup(`${APEX}${name}\0`, "")));
  return {
    apexKey: APEX,
    zone: ZONE,
    problems: { listed, briefs },
    isJudged: true,
    coveredOwners: owners?.length,
    coveredGroups: () => groups,
    covers: (group) => !owners || groups.has(group),
  };
}

function setUp(maxListed?: number) {
  let now = 1000;
  const table = new ProblemTable(() => now, maxListed);
  const take = (...verdicts: ProblemVerdict[]) => {
    now++;
    drain(table.take(verdicts));
    const { events, put, gone } = table.takeChange();
    return {
      events: events.map(({ kind, problem: { name, content } }) => `${kind} ${name} ${content}`),
      put: put.size,
      gone: gone.size,
    };
  };
  return { table, take };
}

Deno.test("problems: each is told of once, when it appears, changes and is solved", () => {
  const { table, take } = setUp();
  const [a, b] = [problem("a", "1"), problem("b", "2")];
  assertEquals(take(verdict([a, b, a])).events, ["appeared a 1", "appeared b 2"]);
  assertEquals(take(verdict([a, b])), { events: [], put: 0, gone: 0 });
  const reworded = problem("a", "1", "worse");
  assertEquals(take(verdict([reworded], ["a"])), { events: ["changed a 1"], put: 1, gone: 0 });
  const other = take(verdict([problem("a", "3")], ["a"]));
  assertEquals(other, { events: ["changed a 3"], put: 1, gone: 1 });
  assertEquals(take(verdict([], ["c"])).events, []);
  assertEquals(take(verdict([], ["b"])).events, ["solved b 2"]);
  assertEquals([...table.counts()], [{ zone: ZONE, errors: 1, warnings: 0 }]);
  assertEquals(take(verdict([])).events, ["solved a 3"]);
  assertEquals([...table.counts()], []);
});

Deno.test("problems: since when one is there outlasts other words, and a restart", () => {
  const { table, take } = setUp();
  take(verdict([problem("a", "1")]));
  const [{ since }] = table.all();
  take(verdict([problem("a", "1", "worse")]));
  assertEquals([...table.all()].map((one) => one.since), [since]);
  const again = setUp();
  again.table.restore([...table.all()], () => APEX);
  assertEquals(again.take(verdict([problem("a", "1", "worse")])).events, []);
  assertEquals([...again.table.all()].map((one) => one.since), [since]);
  assertEquals(again.take(verdict([], ["a"])).events, ["solved a 1"]);
});

Deno.test("problems: a build that has not judged its owners ends none", () => {
  const { take } = setUp();
  take(verdict([problem("a", "1")]));
  const unjudged = { ...verdict([problem("b", "2")]), isJudged: false };
  assertEquals(take(unjudged).events, []);
  assertEquals(take(verdict([])).events, ["solved a 1"]);
});

Deno.test("problems: of too many the rest is counted, said in one problem, and listed when there is room", () => {
  const { table, take } = setUp(2);
  const many = ["a", "b", "c", "d"].map((name) => problem(name, "1"));
  take(verdict(many));
  const summary = () => [...table.all()].find(({ code }) => code === NOT_LISTED)?.reason;
  assertEquals([...table.counts()], [{ zone: ZONE, errors: 4, warnings: 0 }]);
  assert(summary()?.startsWith("2 more problems"));
  const kept: KnownProblem[] = [...table.all()];
  take(verdict(many.slice(1)));
  assert(summary()?.startsWith("1 more problems"));
  take(verdict([], ["b"]));
  take(verdict(many.slice(2)));
  assertEquals(summary(), undefined);
  assertEquals([...table.all()].map(({ name }) => name), ["c", "d"]);

  const again = setUp(2);
  again.table.restore(kept, () => APEX);
  const { gone } = again.take(verdict(many.slice(0, 1)));
  assertEquals(gone, 2); // b, and that there are more
});

Deno.test("problems: a read keeps so many as they are, of all its zones together", () => {
  const budget = new ProblemBudget(3);
  const [one, two] = [new FoundProblems(budget), new FoundProblems(budget)];
  for (const name of ["a", "b"]) one.push(problem(name, "1"));
  for (const name of ["a", "b"]) two.push(problem(name, "1"));
  assertEquals([one.listed.length, two.listed.length, two.briefs.length], [2, 1, 1]);
  assertEquals([one.bad, two.bad], [2, 2]);
  const { table, take } = setUp();
  take(verdict(two.listed, undefined, two.briefs));
  assertEquals([...table.counts()], [{ zone: ZONE, errors: 2, warnings: 0 }]);
  take(verdict(one.listed));
  assertEquals([...table.all()].length, 2);
});

Deno.test("problems: a change among very many costs what it touches, and forgetting all takes pauses", () => {
  const { table, take } = setUp();
  const many = Array.from({ length: 9_000 }, (_, i) => problem(`n${i}`, "1"));
  take(verdict(many));
  const all = () => {
    throw new Error("asked of each that is known");
  };
  const one = { ...verdict([problem("n7", "2")], ["n7"]), covers: all };
  assertEquals(table.badBeside(one), many.length - 1);
  assertEquals(take(one), { events: ["changed n7 2"], put: 1, gone: 1 });
  assertEquals(table.badBeside({ ...verdict([], []), covers: all }), many.length);
  const pauses = [...table.keepZones(() => false)].length;
  assert(pauses >= many.length / 1000, `${pauses} places to pause`);
  assertEquals([...table.counts()], []);
});
