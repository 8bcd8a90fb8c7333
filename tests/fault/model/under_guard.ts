/**
 * Changes of any size under the guard, one upon the other, with what goes wrong between them: what
 * is held is approved, whatever it is, until nothing is; then all is served as the tables have it.
 *
 * Only where that depends on the rows alone: with `omit`, and with name servers in every zone. What
 * is held when, tests of the guard say.
 */
import type fc from "fast-check";
import { until } from "../../support/wait.ts";
import { happen, MEANWHILE, restartGuarded } from "./mistake.ts";
import type { Model } from "./model.ts";
import { namesOf, type Operation, ZONES } from "./operation.ts";
import { settle } from "./settle.ts";
import { judge } from "./verdicts.ts";
import type { World } from "./world.ts";

/** A transaction, and what happens behind it. */
export interface GuardedStep {
  readonly operations: readonly Operation[];
  readonly then: typeof MEANWHILE[number] | undefined;
  /** Whether zonecast is given time to read it by itself. */
  readonly waits: boolean;
}

export class UnderGuard implements fc.AsyncCommand<Model, World> {
  constructor(
    readonly steps: readonly GuardedStep[],
    readonly by: "SQL" | "command",
  ) {}

  check = ({ open, badRows }: Readonly<Model>) => !open && badRows === "omit";

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    if (!ZONES.every((zone) => isSure(model, zone))) return;
    await restartGuarded(model, world, "on");
    for (const step of this.steps) await this.#do(step, model, world);
    await this.#approveAll(model, world);
    for (const zone of ZONES) {
      world.secondary.takeSeen(zone);
      model.history(zone).known(expectedOf(model, zone));
      model.mayRise.add(zone);
    }
    model.isSettled = false;
    await restartGuarded(model, world, "off");
    await settle(model, world);
  }

  async #do(
    { operations, then, waits }: GuardedStep,
    model: Model,
    world: World,
  ): Promise<void> {
    const before = model.tables;
    const draft = model.draft(operations);
    model.tables = draft.work.tables;
    const isGood = ZONES.every((zone) => isSure(model, zone));
    model.tables = before;
    if (!isGood || draft.statements.length === 0) return;
    const xid = await world.transact(draft.statements, "commit");
    model.committed(draft.work, xid);
    if (waits && draft.work.touched.size > 0) await world.waitRead(xid, () => true);
    if (then !== "outage") return await happen(then, model, world);
    // Held and published parts of changes together are no state that ever was committed.
    await world.stopPostgres("fast");
    await world.startPostgres();
    model.mustTouch = true;
  }

  async #approveAll(model: Model, world: World): Promise<void> {
    const expected = new Map(ZONES.map((zone) => [zone, expectedOf(model, zone)?.text]));
    let seen: unknown;
    await until(async () => {
      const held = await world.held();
      for (const { zone, id } of held) {
        // Another change may have come, and with it another id.
        if (this.by === "command") await world.zonecast.cli(["approve", zone, id]);
        else await world.sql`select zonecast.approve(${zone}, ${id})`.catch(() => {});
      }
      if (held.length > 0) return false;
      for (const zone of ZONES) {
        const text = (await world.secondary.whole(zone))?.text;
        seen = { zone, text, expected: expected.get(zone), log: world.zonecast.log().slice(-3000) };
        if (text !== expected.get(zone)) return false;
      }
      return true;
    }, { what: "all that was held is approved and served", seen: () => seen });
    world.secondary.check();
  }

  toString(): string {
    const steps = this.steps.map(({ operations, then, waits }) =>
      `${namesOf(operations)}${waits ? ", read" : ""}${then ? `, ${then}` : ""}`
    );
    return `under the guard: ${steps.join(" | ")}; all approved by ${this.by}`;
  }
}

const expectedOf = ({ tables }: Model, zone: string) =>
  judge(tables.zoneRows(zone), undefined, "omit").served;

/** Whether what is served of a zone depends on its rows alone. */
function isSure({ tables }: Model, zone: string): boolean {
  if (!tables.has(zone)) return true;
  const { served, held } = judge(tables.zoneRows(zone), undefined, "omit");
  return served !== undefined && !held;
}
