/**
 * A mistake in the database under the guard: held, served on as it was, all else published, the
 * same whatever happens meanwhile; then approved, or undone.
 *
 * While it is held it stands in the real tables and not in the model's, which are what is served.
 */
import { assert, assertEquals } from "@std/assert";
import type fc from "fast-check";
import { until } from "../../support/wait.ts";
import type { Model } from "./model.ts";
import { type Operation, ZONES } from "./operation.ts";
import { exchangeRows, otherNameServers } from "./row_operations.ts";
import { GOOD_KINDS, ownerOf, type Row } from "./rows.ts";
import { settle } from "./settle.ts";
import { Outage, ReadEverything, TerminateConnections } from "./troubles.ts";
import type { World } from "./world.ts";
import { AddZone, putZone, RemoveZone } from "./zone_operations.ts";

/** The guard looks at no zone of fewer owners. */
const GUARDED_FROM = 10;

/** What may happen while something is held. */
export const MEANWHILE = ["killed", "outage", "all is read", "disconnected"] as const;
type Meanwhile = typeof MEANWHILE[number];

/** A mistake, and what undoes it. */
interface Made {
  readonly mistake: Operation;
  readonly undo: Operation;
}

export class Mistake implements fc.AsyncCommand<Model, World> {
  constructor(
    readonly zone: number,
    readonly kind: "rows" | "name servers" | "zone",
    /** What happens while it is held, before and after something else is changed. */
    readonly meanwhile: readonly Meanwhile[],
    readonly ends: "approved by SQL" | "approved by command" | "undone",
  ) {}

  check = ({ open, tables }: Readonly<Model>) => !open && tables.names.length > 0;

  async run(model: Model, world: World): Promise<void> {
    const zone = model.tables.names[this.zone % model.tables.names.length];
    await settle(model, world);
    const made = this.#make(model, zone);
    if (!made) return;
    await restartGuarded(model, world, "on");
    await settle(model, world);

    const { statements } = model.draft([made.mistake]);
    const xid = await world.transact(statements, "commit");
    const id = await world.heldId(zone);
    if (this.kind !== "zone") {
      const { state, reason } = await world.waitLive(zone, xid, "60 s");
      assertEquals(state, "held", `${zone}: ${reason}`);
    }
    model.guarded.add(zone);
    model.lastXid = xid;
    model.isSettled = false;
    await settle(model, world);
    const [before, after] = this.meanwhile;
    await happen(before, model, world);
    await settle(model, world);
    await this.#changeOther(model, world, zone);
    await happen(after, model, world);
    await settle(model, world);
    assertEquals(await world.heldId(zone), id, `${zone}: the same content has another id`);

    await this.#end(model, world, zone, id, made);
    model.guarded.clear();
    await settle(model, world);
    assert(!(await world.isHeld(zone)), `${zone} is still held, though it was ${this.ends}`);
    await restartGuarded(model, world, "off");
    await settle(model, world);
  }

  /** Undefined where the zone is too small, or has troubles that would be mixed up with this one. */
  #make(model: Model, zone: string): Made | undefined {
    const verdict = model.judge(zone, undefined);
    const before = model.history(zone).finals()[0].served;
    const { tables } = model;
    // Of owners that are served as they were before, the rows are not what is served.
    if (verdict.served?.text !== before?.text || !before || before.owners.size < GUARDED_FROM) {
      return undefined;
    }
    const rows = tables.rows(zone);
    // What a DNAME hides would have other problems without it.
    const hides = rows.some(({ kind }) => kind.type === "DNAME");
    if (hides && verdict.problems.size > 0) return undefined;
    const isPlain = (row: Row) =>
      !row.disabled && !verdict.troubledOwners.has(ownerOf(row.name, zone));
    switch (this.kind) {
      case "zone": {
        if (verdict.problems.size > 0) return undefined;
        const undo = putZone(zone, tables.settings(zone), rows);
        return { mistake: new RemoveZone(zone), undo };
      }
      case "name servers": {
        const old = rows.filter(({ name, kind }) => name === "@" && kind.type === "NS");
        if (old.length < 2 || !old.every(isPlain)) return undefined;
        const fresh = otherNameServers(model.ids);
        return {
          mistake: exchangeRows(zone, old, fresh),
          undo: exchangeRows(zone, fresh, old),
        };
      }
      case "rows": {
        const gone = rows.filter((row) => row.name !== "@" && isPlain(row));
        const owners = new Set(gone.map(({ name }) => ownerOf(name, zone)));
        if (owners.size * 2 <= before.owners.size) return undefined;
        return { mistake: exchangeRows(zone, gone, []), undo: exchangeRows(zone, [], gone) };
      }
    }
  }

  /** What else changes is published. */
  async #changeOther(model: Model, world: World, zone: string): Promise<void> {
    const id = model.ids.next();
    const row: Row = { id, name: `n${id}`, kind: GOOD_KINDS[0], ttl: 60, disabled: false };
    const other = this.kind === "zone" ? model.tables.names.find((one) => one !== zone) : zone;
    const fresh = ZONES.find((one) => !model.tables.has(one));
    const change = other ? exchangeRows(other, [], [row]) : new AddZone(fresh!);
    const draft = model.draft([change]);
    model.committed(draft.work, await world.transact(draft.statements, "commit"));
    await settle(model, world);
  }

  async #end(model: Model, world: World, zone: string, id: string, made: Made): Promise<void> {
    if (this.ends === "undone") {
      const { statements } = model.draft([made.undo]);
      model.lastXid = await world.transact(statements, "commit");
      model.isSettled = false;
      return;
    }
    const { work } = model.draft([made.mistake]);
    let xid: string | undefined;
    if (this.ends === "approved by command") await world.zonecast.mustCli(["approve", zone, id]);
    else xid = await world.transact([`select zonecast.approve('${zone}', '${id}')`], "commit");
    // The read that finds an approval is not yet the one that publishes what it releases.
    await until(async () => !(await world.isHeld(zone)), { what: `${id} of ${zone} is released` });
    model.committed(work, xid);
    model.mustTouch = true;
  }

  toString = () =>
    `mistake (${this.kind}) in ${this.zone}, held, ${[...this.meanwhile, this.ends].join(", ")}`;
}

/** Lets something go wrong. */
export async function happen(
  what: Meanwhile | undefined,
  model: Model,
  world: World,
): Promise<void> {
  switch (what) {
    case "killed":
      await restartGuarded(model, world, "on");
      break;
    case "outage":
      await new Outage("fast", false).run(model, world);
      break;
    case "all is read":
      await new ReadEverything().run(model, world);
      model.mustTouch = true;
      break;
    case "disconnected":
      await new TerminateConnections().run(model, world);
  }
}

/** zonecast is killed, and started with the guard on or off. */
export async function restartGuarded(
  model: Model,
  world: World,
  guard: "on" | "off",
): Promise<void> {
  await world.stopZonecast("SIGKILL");
  await world.secondary.idle();
  await world.setFlags({ guard });
  await world.zonecast.start();
  model.mustTouch = true;
}
