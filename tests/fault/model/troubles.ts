/** What goes wrong between changes. One step each. */
import type fc from "fast-check";
import { assert } from "@std/assert";
import { knownNow, type Model } from "./model.ts";
import { namesOf, type Operation, ZONES } from "./operation.ts";
import { settle } from "./settle.ts";
import type { BadRows } from "./verdicts.ts";
import type { World } from "./world.ts";

type Command = fc.AsyncCommand<Model, World>;

/**
 * zonecast ends and is started again, perhaps with other flags, on the state file as it is, without
 * one, or on an old copy.
 */
export class Restart implements Command {
  constructor(
    readonly signal: "SIGKILL" | "SIGTERM",
    readonly state: "kept" | "lost" | "old",
    readonly journal: "default" | "small",
    readonly meanwhile: readonly Operation[],
    /** Undefined: as it was. */
    readonly badRows: BadRows | undefined,
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
    const badRows = this.badRows ?? model.badRows;
    model.judgedBy(badRows);
    await world.setFlags({ journal: this.journal, badRows });
    await world.zonecast.start();
  }

  toString(): string {
    const { signal, state, journal, meanwhile, badRows } = this;
    const changes = meanwhile.length > 0 ? `, meanwhile: ${namesOf(meanwhile)}` : "";
    const bad = badRows ? `, bad rows ${badRows}` : "";
    return `restart by ${signal}, state ${state}, journal ${journal}${bad}${changes}`;
  }
}

/** The state file is copied, to be put back later. */
export class CopyState implements Command {
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
export class Outage implements Command {
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

export class TerminateConnections implements Command {
  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    await world.terminateConnections();
    model.mustTouch = true;
  }

  toString = () => "terminate zonecast's connections";
}

/** The state file is removed under zonecast, which writes it again. */
export class RemoveState implements Command {
  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    await world.removeState();
    model.mustTouch = true;
    await settle(model, world); // what was read is kept, in a file that is whole
  }

  toString = () => "remove the state file";
}

/** Somebody asks for a read of everything, whatever else goes on. */
export class ReadEverything implements Command {
  check = () => true;

  async run(_model: Model, world: World): Promise<void> {
    await world.sql`select pg_notify('dns_zone_changed', 'read all')`;
  }

  toString = () => "have everything read";
}

/** What may break a burst off, at any moment. */
export const BREAKS = ["SIGKILL", "SIGTERM", "disconnected"] as const;

/** Transactions as fast as they go, with transfers meanwhile; something may break in the midst. */
export class Burst implements Command {
  constructor(
    readonly transactions: readonly (readonly Operation[])[],
    /** After how many of them it breaks off; undefined: it does not. */
    readonly breakAfter: number | undefined,
    /** So much later, in ms: a publication takes some 20. */
    readonly delayMs: number,
    readonly breaks: typeof BREAKS[number],
  ) {}

  check = ({ open }: Readonly<Model>) => !open;

  async run(model: Model, world: World): Promise<void> {
    let broken: Promise<void> | undefined;
    let isOver = false;
    const fetching = (async () => {
      while (!isOver) for (const zone of ZONES) await world.secondary.refresh(zone);
    })();
    try {
      for (const [i, operations] of this.transactions.entries()) {
        const draft = model.draft(operations);
        model.committed(draft.work, await world.transact(draft.statements, "commit"));
        if (this.breakAfter === i) broken = this.#break(world);
      }
      await broken;
    } finally {
      isOver = true;
      await fetching;
    }
    if (!broken) return;
    model.mustTouch = true;
    if (this.breaks !== "disconnected") await world.zonecast.start();
  }

  async #break(world: World): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.breaks === "disconnected") await world.terminateConnections();
    else await world.stopZonecast(this.breaks);
  }

  toString(): string {
    const { transactions, breakAfter, delayMs, breaks } = this;
    const end = breakAfter === undefined
      ? ""
      : `, ${breaks} ${delayMs} ms after commit ${breakAfter}`;
    return `burst: ${transactions.map(namesOf).join(" | ")}${end}`;
  }
}
