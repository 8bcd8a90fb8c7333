/**
 * What the log says of holds: each once, again when its content has changed, and at a
 * restart that it still is.
 *
 * A hold that grows with every commit of a long series is told of when it begins
 * and when it stays as it is.
 *
 * Owns: what was said, and a timer. Effects: log.
 */
import type { Logger } from "../ops/mod.ts";
import type { Verdict } from "./approvals.ts";
import { type Hold, releaseCommand } from "./hold.ts";

/** A hold that has changed is told of when it was the same for this long, in ms. */
const SETTLE_MS = 1000;

export class HoldLog {
  /** Ids told of, by apex key. */
  readonly #said = new Map<string, string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(readonly log: Logger) {}

  /** Takes one that was told of before a restart. */
  restored(hold: Hold): void {
    const { apexKey, zone, id, since, why } = hold;
    this.#said.set(apexKey, id);
    const at = new Date(since).toISOString();
    this.log.warn("a change is still held; the zone is served as before", {
      zone,
      id,
      since: at,
      why,
      hint: hintOf(hold),
    });
  }

  /** A zone's hold began, has other content, or is over. */
  changed(before: Hold | undefined, after: Hold | undefined): void {
    const apexKey = (after ?? before)?.apexKey;
    if (apexKey === undefined) return;
    clearTimeout(this.#timers.get(apexKey));
    this.#timers.delete(apexKey);
    if (!after) {
      this.#said.delete(apexKey);
      this.log.info("nothing is held any more", { zone: before?.zone });
    } else if (!before) this.#say(after);
    else this.#timers.set(apexKey, setTimeout(() => this.#say(after), SETTLE_MS));
  }

  #say(hold: Hold): void {
    const { apexKey, zone, id, why, ownerCount, removedCount, addedCount } = hold;
    this.#timers.delete(apexKey);
    if (this.#said.get(apexKey) === id) return;
    this.#said.set(apexKey, id);
    this.log.error("a change is held; the zone is served as before", {
      zone,
      id,
      why,
      owners: ownerCount,
      removed: removedCount,
      added: addedCount,
      hint: hintOf(hold),
    });
  }

  /** An approval has ended. */
  approved({ zone, id, serial, held }: Verdict): void {
    if (serial !== undefined) this.log.info("what was held is released", { zone, id, serial });
    else if (held !== undefined) {
      this.log.warn("what was approved is no longer what is held", {
        zone,
        approved: id,
        held,
        hint: `look again: zonecast held ${zone}`,
      });
    }
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

function hintOf(hold: Hold): string {
  return `if it is meant: ${releaseCommand(hold)}; to see it: zonecast held ${hold.zone}`;
}
