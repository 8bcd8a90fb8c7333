/** The problems there are, kept in the state file. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStateFile } from "../../../lib/store/mod.ts";
import { problemBuffers, problemTexts, wireProblems } from "../../../lib/store/wire_problems.ts";
import { type KnownProblem } from "../../../lib/zone/mod.ts";
import { identityOf } from "../../../lib/zone/problem.ts";
import { tempDir } from "../../support/tempdir.ts";

function problem(name: string, code = "address"): KnownProblem {
  return {
    zone: "example.org.",
    group: `key org\0example\0${name}\0`,
    owner: `${name}.example.org.`,
    scope: "row",
    severity: "error",
    name,
    type: "A",
    content: "x é",
    code,
    reason: "no address",
    hint: undefined,
    since: 1234,
  };
}

function progress(put: KnownProblem[], gone: KnownProblem[] = []) {
  const byIdentity = (problems: KnownProblem[]) =>
    new Map(problems.map((one) => [identityOf(one), one]));
  const problems = { put: byIdentity(put), gone: byIdentity(gone) };
  return { cursor: "c", pending: new Map(), problems };
}

Deno.test("problems are kept as they come and go; a file that never had any says so", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  let store = await openStateFile(path);
  assertEquals((await store.load()).problems, undefined);
  const [a, b] = [problem("a"), problem("b")];
  await store.keepProgress(progress([]));
  assertEquals((await store.load()).problems, { problems: [], isWhole: true });
  await store.keepProgress(progress([a, b]));
  await store.keepProgress(progress([{ ...b, reason: "worse" }], [a]));
  await store.close();
  store = await openStateFile(path);
  const { problems } = await store.load();
  assertEquals(
    JSON.stringify(problems),
    JSON.stringify({
      problems: [{ ...b, reason: "worse" }],
      isWhole: true,
    }),
  );
  await store.keepProgress(progress([problem("", "problems-not-listed")], [b]));
  assertEquals((await store.load()).problems?.isWhole, false);
  await store.close();
});

Deno.test("ten thousand problems go to the file in small steps, as octets and no more than what changed", async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => problem(`é${i}`));
  const { problems } = progress(many, [problem("gone")]);
  const steps = wireProblems(problems);
  let pauses = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) pauses++;
  assert(pauses >= many.length / 100, `${pauses} places to pause`);
  const { put, gone } = step.value;
  assertEquals(
    [...problemTexts(put)],
    [...problems.put].map(([id, one]) => [
      id,
      JSON.stringify(one),
    ]),
  );
  assertEquals([gone, problemBuffers(step.value).length], [[...problems.gone.keys()], 3]);

  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  await store.load();
  await store.keepProgress(progress(many));
  await store.keepProgress(progress([], many.slice(1)));
  assertEquals((await store.load()).problems?.problems.map(({ name }) => name), ["é0"]);
  await store.close();
  const few = wireProblems(progress([]).problems).next();
  assertEquals(few, { done: true, value: { put: undefined, gone: [] } }); // of no change nothing
});

Deno.test("a damaged list of problems is reported and dropped, and the rest is whole", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  for (const damage of ["UPDATE problem SET problem = '{}'", "DELETE FROM problem"]) {
    let store = await openStateFile(path);
    await store.load();
    await store.keepProgress(progress([problem("a")]));
    await store.close();
    const db = new DatabaseSync(path);
    db.exec(damage);
    db.close();
    const reported: string[] = [];
    store = await openStateFile(path, { report: ({ code }) => reported.push(code) });
    const { problems, cursor } = await store.load();
    assertEquals([problems, cursor, reported], [undefined, "c", ["problems-damaged"]]);
    await store.keepProgress(progress([problem("b")]));
    assertEquals((await store.load()).problems?.problems.map(({ name }) => name), ["b"]);
    await store.close();
  }
});
