/** What happens: changes, and what goes wrong between them. One step each. */
import fc from "fast-check";
import { assert } from "@std/assert";
import { isBehind } from "../../support/ixfr_client.ts";
import { until } from "../../support/wait.ts";
import { expectedStates, type Model } from "./model.ts";
import {
  addZone,
  insertion,
  type Operation,
  rowOperation,
  setFloor,
  zoneOperation,
  ZONES,
} from "./operations.ts";
import { Mistake } from "./mistake.ts";
import { settle } from "./settle.ts";
import type { Served } from "./verdicts.ts";
import type { World } from "./world.ts";

type Command = fc.AsyncCommand<Model, World>;

const list = (operations: readonly Operation[]) => operations.map(({ name }) => name).join("; ");

/** How long wait_live may take where an answer is final. */
const WAIT = "60 s";

/** What is known to be served of every zone, now that all is settled. */
function knownNow(model: Model): Map<string, Served | undefined> {
  return new Map(ZONES.map((zone) => [zone, model.history(zone).finals()[0].served]));
}

/** One transaction, committed or rolled back, with a savepoint in it that is rolled back. */
class Transaction implements Command {
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
    const draft = model.draft(this.operations, this.discarded);
    const xid = await world.transact(draft.statements, this.ends);
    const { touched } = draft.work;
    if (this.ends === "rollback") touched.clear();
    else model.committed(draft.work, xid);
    if (!this.asks) return;
    for (const zone of model.tables.names) {
      const { state, reason } = await world.waitLive(zone, xid, WAIT);
      const expected = expectedStates(model, before.get(zone), zone, touched);
      assert(
        expected.includes(state),
        `wait_live of ${zone}: ${state} (${reason}), expected ${expected.join(" or ")}; ` +
          `touched: ${Deno.inspect(touched.get(zone))}`,
      );
    }
  }

  toString(): string {
    const { operations, discarded, ends, asks } = this;
    const within = discarded.length > 0 ? ` (rolled back within: ${list(discarded)})` : "";
    return `${ends}${asks ? " and ask" : ""}: ${list(operations)}${within}`;
  }
}

/** Whether an operation waits for no transaction that adds rows. */
const isOfRows = ({ name }: Operation) => /^(insert|update|delete|set)/.test(name);

/** Waits, and compares everything. */
class Settle implements Command {
  check = () => true;
  run = settle;
  toString = () => "settle";
}

/** zonecast ends and is started again, on the state file as it is, without one, or on an old copy. */
class Restart implements Command {
  constructor(
    readonly signal: "SIGKILL" | "SIGTERM",
    readonly state: "kept" | "lost" | "old",
    readonly journal: "default" | "small",
    readonly meanwhile: readonly Operation[],
  ) {}

  check({ open, copied }: Readonly<Model>): boolean {
    return !(open && this.meanwhile.length > 0) && !(this.state === "old" && !copied);
  }

  async run(model: Model, world: World): Promise<void> {
    await world.stopZonecast(this.signal);
    const draft = model.draft(this.meanwhile);
    if (this.meanwhile.length > 0) {
      model.committed(draft.work, await world.transact(draft.statements, "commit"));
    }
    await world.secondary.idle();
    model.mustTouch = true;
    if (this.state !== "kept") {
      for (const zone of ZONES) {
        model.history(zone).saw(zone, world.secondary.takeSeen(zone));
      }
      if (this.state === "lost") await world.removeState();
      else await world.restoreState();
      model.begunFrom(this.state === "old" ? model.copied! : new Map());
    }
    await world.setFlags({ journal: this.journal });
    await world.zonecast.start();
  }

  toString(): string {
    const { signal, state, journal, meanwhile } = this;
    const changes = meanwhile.length > 0 ? `, meanwhile: ${list(meanwhile)}` : "";
    return `restart by ${signal}, state ${state}, journal ${journal}${changes}`;
  }
}

/** The state file is copied, to be put back later. */
class CopyState implements Command {
  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    await world.stopZonecast("SIGTERM");
    await world.copyState();
    model.copied = knownNow(model);
    model.mustTouch = true;
    await world.zonecast.start();
  }

  toString = () => "copy the state file";
}

/** Postgres goes and comes back; zonecast serves on, also when it is started meanwhile. */
class Outage implements Command {
  constructor(readonly how: "immediate" | "fast" | "kill9", readonly restarts: boolean) {}

  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    await world.stopPostgres(this.how);
    model.open = undefined;
    model.mustTouch = true;
    if (this.restarts) {
      await world.stopZonecast("SIGKILL");
      await world.zonecast.start();
    }
    for (const zone of ZONES) {
      const texts = model.history(zone).texts();
      const text = (await world.secondary.whole(zone))?.text ?? "";
      assert(
        texts.has(text),
        `${zone} without Postgres:\n${text}\n--- expected one of\n` +
          [...texts].join("\n--- or\n"),
      );
    }
    await world.startPostgres();
  }

  toString = () => `Postgres stopped (${this.how})${this.restarts ? ", zonecast restarted" : ""}`;
}

class TerminateConnections implements Command {
  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    await world.terminateConnections();
    model.mustTouch = true;
  }

  toString = () => "terminate zonecast's connections";
}

/** Transactions as fast as they go, with transfers meanwhile; zonecast may be killed in the midst. */
class Burst implements Command {
  constructor(
    readonly transactions: readonly (readonly Operation[])[],
    /** After how many of them zonecast is killed; undefined: it is not. */
    readonly killAfter: number | undefined,
    /** So much later, in ms: a publication takes some 20. */
    readonly killDelayMs: number,
  ) {}

  check = ({ open }: Readonly<Model>) => !open;

  async run(model: Model, world: World): Promise<void> {
    let killed: Promise<void> | undefined;
    let isOver = false;
    const fetching = (async () => {
      while (!isOver) for (const zone of ZONES) await world.secondary.refresh(zone);
    })();
    try {
      for (const [i, operations] of this.transactions.entries()) {
        const draft = model.draft(operations);
        model.committed(draft.work, await world.transact(draft.statements, "commit"));
        if (this.killAfter === i) killed = this.#kill(world);
      }
      await killed;
    } finally {
      isOver = true;
      await fetching;
    }
    if (!killed) return;
    model.mustTouch = true;
    await world.zonecast.start();
  }

  async #kill(world: World): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.killDelayMs));
    await world.stopZonecast("SIGKILL");
  }

  toString(): string {
    const { transactions, killAfter, killDelayMs } = this;
    const kill = killAfter === undefined
      ? ""
      : `, zonecast killed ${killDelayMs} ms after commit ${killAfter}`;
    return `burst: ${transactions.map(list).join(" | ")}${kill}`;
  }
}

/** A transaction begins, and others go on and are committed before it. */
class OpenTransaction implements Command {
  constructor(readonly operations: readonly Operation[]) {}

  check = ({ open, tables }: Readonly<Model>) => !open && tables.names.length > 0;

  async run(model: Model, world: World): Promise<void> {
    const { work, statements } = model.draft(this.operations);
    model.open = work.added;
    await world.open(statements);
  }

  toString = () => `begin: ${list(this.operations)}`;
}

class CloseTransaction implements Command {
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
class Unheard implements Command {
  constructor(readonly operations: readonly Operation[]) {}

  check = ({ open }: Readonly<Model>) => !open;

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

  toString = () => `unheard: ${list(this.operations)}, then NOTIFY`;
}

/** The secondary is away while something changes: published, and live once it is back. */
class SecondaryAway implements Command {
  constructor(readonly operations: readonly Operation[]) {}

  check = ({ open }: Readonly<Model>) => !open;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    const before = knownNow(model);
    world.secondary.up = false;
    const draft = model.draft(this.operations);
    const xid = await world.transact(draft.statements, "commit");
    model.committed(draft.work, xid);
    const { touched } = draft.work;
    try {
      for (const zone of model.tables.names) {
        const expected = expectedStates(model, before.get(zone), zone, touched);
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

  toString = () => `secondary away: ${list(this.operations)}`;
}

/** A zone's serial is to be above another one. */
class RaiseFloor implements Command {
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

const some = (max: number) =>
  fc.array(
    fc.oneof({ weight: 9, arbitrary: rowOperation }, { weight: 1, arbitrary: zoneOperation }),
    {
      minLength: 1,
      maxLength: max,
      size: "max",
    },
  );
const nothingOr = <T>(weight: number, arbitrary: fc.Arbitrary<T[]>) =>
  fc.oneof({ weight, arbitrary: fc.constant<T[]>([]) }, { weight: 1, arbitrary });

const transaction = fc
  .tuple(
    some(4),
    nothingOr(4, some(2)),
    fc.constantFrom("commit", "commit", "commit", "commit", "rollback" as const),
    fc.constantFrom(true, false, false),
  )
  .map((parts) => new Transaction(...parts));
/** Makes the zones come back that others remove. */
const newZone = fc.constantFrom(...ZONES).map((zone) =>
  new Transaction([addZone(zone)], [], "commit", true)
);
const restart = fc
  .tuple(
    fc.constantFrom("SIGKILL", "SIGTERM" as const),
    fc.constantFrom("kept", "kept", "kept", "lost", "old" as const),
    fc.constantFrom("default", "small" as const),
    nothingOr(1, some(3)),
  )
  .map((parts) => new Restart(...parts));
const burst = fc
  .tuple(
    fc.array(some(2), { minLength: 2, maxLength: 6, size: "max" }),
    fc.oneof(fc.constant(undefined), fc.nat(5)),
    fc.nat(40),
  )
  .map((parts) => new Burst(...parts));

/** The commands, each as often as it is here. */
export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...Array<fc.Arbitrary<Command>>(22).fill(transaction),
  ...Array<fc.Arbitrary<Command>>(6).fill(fc.constant(new Settle())),
  ...Array<fc.Arbitrary<Command>>(3).fill(newZone),
  ...Array<fc.Arbitrary<Command>>(4).fill(burst),
  ...Array<fc.Arbitrary<Command>>(3).fill(restart),
  ...Array<fc.Arbitrary<Command>>(2).fill(
    fc.array(insertion, { minLength: 1, maxLength: 3 }).map((ops) => new OpenTransaction(ops)),
  ),
  ...Array<fc.Arbitrary<Command>>(3).fill(
    fc.constantFrom("commit", "commit", "rollback" as const).map((ends) =>
      new CloseTransaction(ends)
    ),
  ),
  fc.constant(new CopyState()),
  fc.tuple(fc.constantFrom("immediate", "fast", "kill9" as const), fc.boolean()).map((parts) =>
    new Outage(...parts)
  ),
  fc.constant(new TerminateConnections()),
  some(3).map((operations) => new Unheard(operations)),
  fc.tuple(
    fc.nat(3),
    fc.constantFrom("rows", "name servers", "zone" as const),
    fc.boolean(),
    fc.constantFrom("approved by SQL", "approved by command", "undone" as const),
  ).map((parts) => new Mistake(...parts)),
  some(2).map((operations) => new SecondaryAway(operations)),
  fc.tuple(fc.nat(3), fc.constantFrom(1, 1000, 2 ** 20)).map((parts) => new RaiseFloor(...parts)),
];
