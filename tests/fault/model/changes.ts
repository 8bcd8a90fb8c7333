/** What is changed, and how it is asked about. One step each. */
import type fc from "fast-check";
import { assert } from "@std/assert";
import { isBehind } from "../../support/ixfr_client.ts";
import { until } from "../../support/wait.ts";
import { expectedStates, knownNow, type Model } from "./model.ts";
import { namesOf, type Operation } from "./operation.ts";
import { settle } from "./settle.ts";
import type { World } from "./world.ts";
import { setFloor } from "./zone_operations.ts";

type Command = fc.AsyncCommand<Model, World>;

/** How long wait_live may take where an answer is final. */
const WAIT = "60 s";

/** One transaction, committed or rolled back, with a savepoint in it that is rolled back. */
export class Transaction implements Command {
  constructor(
    readonly operations: readonly Operation[],
    readonly discarded: readonly Operation[],
    readonly ends: "commit" | "rollback",
    /** Whether wait_live is asked what became of it. */
    readonly asks: boolean,
  ) {}

  check = ({ open }: Readonly<Model>) =>
    !open || [...this.operations, ...this.discarded].every(isOfRows);

  async run(model: Model, world: World): Promise<void> {
    if (this.asks) await settle(model, world); // so that it is the only one
    const before = knownNow(model);
    const mightRise = new Set(model.mayRise);
    const draft = model.draft(this.operations, this.discarded);
    const xid = await world.transact(draft.statements, this.ends);
    const { touched } = draft.work;
    if (this.ends === "rollback") touched.clear();
    else model.committed(draft.work, xid);
    if (!this.asks) return;
    for (const zone of model.tables.names) {
      const { state, reason } = await world.waitLive(zone, xid, WAIT);
      const expected = expectedStates(model, before.get(zone), mightRise, zone, touched);
      assert(
        expected.includes(state),
        `wait_live of ${zone}: ${state} (${reason}), expected ${expected.join(" or ")}; ` +
          `touched: ${Deno.inspect(touched.get(zone))}`,
      );
    }
  }

  toString(): string {
    const { operations, discarded, ends, asks } = this;
    const within = discarded.length > 0 ? ` (rolled back within: ${namesOf(discarded)})` : "";
    return `${ends}${asks ? " and ask" : ""}: ${namesOf(operations)}${within}`;
  }
}

/** Whether an operation waits for no transaction that adds rows. */
const isOfRows = ({ name }: Operation) => /^(insert|update|delete|set)/.test(name);

/** Waits, and compares everything. */
export class Settle implements Command {
  check = () => true;
  run = settle;
  toString = () => "settle";
}

/** A transaction begins, and others go on and are committed before it. */
export class OpenTransaction implements Command {
  constructor(readonly operations: readonly Operation[]) {}

  check = ({ open, tables }: Readonly<Model>) => !open && tables.names.length > 0;

  async run(model: Model, world: World): Promise<void> {
    const { work, statements } = model.draft(this.operations);
    model.open = work.added;
    await world.open(statements);
  }

  toString = () => `begin: ${namesOf(this.operations)}`;
}

export class CloseTransaction implements Command {
  constructor(readonly ends: "commit" | "rollback") {}

  check = ({ open }: Readonly<Model>) => open !== undefined;

  async run(model: Model, world: World): Promise<void> {
    const xid = await world.close(this.ends);
    const work = model.closed();
    if (this.ends === "commit") model.committed(work, xid);
  }

  toString = () => `${this.ends} what was begun`;
}

/** Changes that no trigger sees, and a notification of one's own: everything is read. */
export class Unheard implements Command {
  constructor(readonly operations: readonly Operation[]) {}

  // Without triggers no row follows its zone to another name.
  check = ({ open }: Readonly<Model>) =>
    !open && !this.operations.some(({ name }) => name.startsWith("rename"));

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    const draft = model.draft(this.operations);
    await world.transact(
      ["set local session_replication_role = replica", ...draft.statements],
      "commit",
    );
    model.committed(draft.work, undefined);
    await world.sql`select pg_notify('dns_zone_changed', 'all is new')`;
    const texts = new Map(
      model.tables.names.map((zone) => [
        zone,
        model.history(zone).finals().map(({ served }) => served?.text),
      ]),
    );
    for (const [zone, expected] of texts) {
      await until(async () => expected.includes((await world.secondary.whole(zone))?.text), {
        what: `${zone} is served as it is, though no trigger told`,
        seen: () => expected,
      });
    }
    model.mustTouch = true;
    await settle(model, world);
  }

  toString = () => `unheard: ${namesOf(this.operations)}, then NOTIFY`;
}

/** The secondary is away while something changes: published, and live once it is back. */
export class SecondaryAway implements Command {
  constructor(readonly operations: readonly Operation[]) {}

  check = ({ open }: Readonly<Model>) => !open;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    const before = knownNow(model);
    const mightRise = new Set(model.mayRise);
    world.secondary.up = false;
    const draft = model.draft(this.operations);
    const xid = await world.transact(draft.statements, "commit");
    model.committed(draft.work, xid);
    const { touched } = draft.work;
    try {
      for (const zone of model.tables.names) {
        const expected = expectedStates(model, before.get(zone), mightRise, zone, touched);
        if (!before.get(zone) || expected.join() !== "live") continue;
        await until(async () => {
          const { state } = await world.waitLive(zone, xid, "100 ms");
          assert(state === "timeout" || state === "published", state);
          return state === "published";
        }, { what: `${zone} is published while its secondary is away` });
      }
    } finally {
      world.secondary.up = true;
    }
    for (const zone of model.tables.names) await world.secondary.refresh(zone);
  }

  toString = () => `secondary away: ${namesOf(this.operations)}`;
}

/** A zone's serial is to be above another one. */
export class RaiseFloor implements Command {
  constructor(readonly zone: number, readonly by: number) {}

  check = ({ open, tables }: Readonly<Model>) => !open && tables.names.length > 0;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    const zone = model.tables.names[this.zone % model.tables.names.length];
    const newest = world.secondary.newest(zone);
    if (!newest) return; // it was never served
    const floor = (newest.serial + this.by) % 2 ** 32;
    const draft = model.draft([setFloor(zone, floor)]);
    model.committed(draft.work, await world.transact(draft.statements, "commit"));
    await settle(model, world);
    if (model.history(zone).finals()[0].held) return;
    const serial = world.secondary.newest(zone)!.serial;
    assert(isBehind(floor, serial), `${zone} has serial ${serial}, its floor is ${floor}`);
  }

  toString = () => `raise the serial of ${this.zone} by ${this.by}`;
}
