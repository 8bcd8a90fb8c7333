/**
 * Waits until zonecast has read all that was committed, and compares all there is with the model:
 * what is served, every serial, every copy of the secondary's brought up to date, the problems.
 */
import { assert, assertEquals } from "@std/assert";
import { isBehind } from "../../support/ixfr_client.ts";
import { until } from "../../support/wait.ts";
import type { Model } from "./model.ts";
import { ZONES } from "./operation.ts";
import type { Copy } from "./secondary.ts";
import type { Served } from "./verdicts.ts";
import type { World } from "./world.ts";

/** Everything must be up. */
export async function settle(model: Model, world: World): Promise<void> {
  world.secondary.check();
  if (!model.isSettled || model.mustTouch) await waitRead(model, world);
  const known = new Map<string, Served | undefined>();
  for (const zone of ZONES) known.set(zone, await settleZone(model, world, zone));
  await compareProblems(
    world,
    model.problems(known),
    ({ zone, line }) =>
      model.mayShowOthers(zone, known.get(zone)) ||
      // A zone removed without triggers leaves its rows behind.
      !model.tables.has(zone) && line === JSON.stringify([zone, "", "", "", "zone-unknown"]),
  );
  world.secondary.check();
  await world.questions.ask(world, known);
  model.settled(known);
}

async function waitRead(model: Model, world: World): Promise<void> {
  let xid = model.lastXid;
  // A touch is a transaction of now: none that read before a restart can have seen it.
  if (model.mustTouch || xid === undefined) {
    const zone = model.tables.names[0];
    const what = zone ? `'${zone}', array['touched']` : "null, null";
    xid = model.lastXid = await world.transact([`select zonecast.touch(${what})`], "commit");
  }
  const mayWait = (zone: string) =>
    model.guarded.has(zone) || model.history(zone).finals().some(({ held }) => held);
  const pending = await world.waitRead(xid, (pending) => pending.every(mayWait));
  for (const zone of model.tables.names) {
    const isHeld = model.history(zone).finals().every(({ held }) => held);
    assert(!isHeld || pending.includes(zone), `${zone} is held, but nothing of it waits`);
  }
}

/** Returns what is served of the zone. */
async function settleZone(
  model: Model,
  { secondary, zonecast }: World,
  zone: string,
): Promise<Served | undefined> {
  const history = model.history(zone);
  const isHeld = history.finals().every(({ held }) => held);
  const finals = history.finals().map(({ served }) => served);
  const texts = [...new Set(finals.map((final) => final?.text))];
  const before = secondary.newest(zone);
  let shown: Copy | undefined;
  await until(async () => {
    shown = await secondary.whole(zone);
    if (!shown) return texts.includes(undefined);
    // One whose state file was lost or is old is raised above what its secondary has.
    const mustRise = before !== undefined && isBehind(shown.serial, before.serial) && !isHeld;
    return finals.some((final) => final) && !mustRise;
  }, {
    what: `${zone} is ${texts.includes(undefined) ? "not served" : "served"}`,
    seen: () => ({ shown, before: before?.serial, log: zonecast.log().slice(-3000) }),
  });
  if (!shown) {
    history.saw(zone, secondary.takeSeen(zone));
    return undefined;
  }
  if (before && isBehind(shown.serial, before.serial)) {
    return knownFinal(zone, finals, shown); // held as an old state file has it
  }
  await until(async () => {
    await secondary.refresh(zone);
    secondary.check();
    return secondary.newest(zone)?.serial === shown!.serial;
  }, { what: `the secondary has ${zone} at ${shown.serial}` });
  const expected = history.texts();
  history.saw(zone, secondary.takeSeen(zone));
  const final = knownFinal(zone, finals, shown);
  const mayRise = model.mayRise.has(zone) || expected.size > 1;
  if (before && !mayRise) {
    assertEquals(shown.serial, before.serial, `${zone}: a new serial for the same zone`);
  }
  await updateCopies(secondary, zone, shown);
  return final;
}

/** The one that is shown, of those there may be. */
function knownFinal(
  zone: string,
  finals: readonly (Served | undefined)[],
  shown: Copy,
): Served | undefined {
  const final = finals.find((final) => final?.text === shown.text);
  if (!final) {
    assertEquals(shown.text, finals[0]?.text, `${zone} at ${shown.serial}, of ${finals.length}`);
  }
  return final;
}

/** From every serial that a copy was kept of, a transfer brings the zone as it is. */
async function updateCopies(
  secondary: World["secondary"],
  zone: string,
  shown: Copy,
): Promise<void> {
  for (const [i, copy] of secondary.copies(zone).entries()) {
    const updated = await secondary.update(zone, copy, i % 2 === 0 ? "tcp" : "udp");
    assertEquals(
      { serial: updated.serial, text: updated.text },
      { serial: shown.serial, text: shown.text },
      `${zone} brought up to date from ${copy.serial}`,
    );
  }
}

/** @param mayStand  of a problem that is not expected, whether it may be there all the same */
async function compareProblems(
  world: World,
  expected: ReadonlySet<string>,
  mayStand: (problem: { readonly zone: string; readonly line: string }) => boolean,
): Promise<void> {
  let found = new Set<string>();
  try {
    await until(async () => {
      const problems = (await world.problems()).filter((one) =>
        expected.has(one.line) || !mayStand(one)
      );
      found = new Set(problems.map(({ line }) => line));
      return found.symmetricDifference(expected).size === 0;
    }, { what: "the problems written back are the model's", timeoutMs: 20_000 });
  } catch (error) {
    assertEquals([...found].sort(), [...expected].sort(), String(error));
    throw error;
  }
}
