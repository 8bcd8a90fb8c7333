/**
 * What was read of the source and is not published: the owners that wait, zone
 * by zone, and which of them are to be read again without a change.
 *
 * Owns: both. Zones are named as the source names them.
 */
import { canonicalKey, parseName, ZonecastError } from "../dns/mod.ts";
import type { OwnerScope, Reading, WakeReason } from "../source/mod.ts";
import type { PendingOwners } from "../store/mod.ts";

export class Waiting {
  #pending: PendingOwners = new Map();
  /** Zones of which only what the guard holds is pending. */
  #held: ReadonlySet<string> = new Set();
  /** Apex keys of zones whose waiting owners are to be read whatever the feed says. */
  readonly #due = new Set<string>();
  /** What led to the first read of zones that could not be built on what was known then. */
  readonly #causes = new Map<string, WakeReason>();

  get pending(): PendingOwners {
    return this.#pending;
  }

  /**
   * Takes what is kept now, durably.
   *
   * @param held  of these zones those of which only what the guard holds is pending
   */
  keep(pending: PendingOwners, held: ReadonlySet<string>): void {
    this.#pending = pending;
    this.#held = held;
    for (const zone of this.#causes.keys()) if (!pending.has(zone)) this.#causes.delete(zone);
  }

  /** Notes what led to a read of a zone that could not be built yet. */
  noteCause(zone: string, cause: WakeReason): void {
    this.#causes.set(zone, cause);
  }

  /** What was noted of a zone, if anything; forgotten with that. */
  takeCause(zone: string): WakeReason | undefined {
    const cause = this.#causes.get(zone);
    this.#causes.delete(zone);
    return cause;
  }

  /** Takes what was kept when zonecast ended: why it waited is not known, so all is read again. */
  restore(pending: PendingOwners): void {
    this.#pending = pending;
    for (const zone of pending.keys()) {
      const key = zoneKey(zone);
      if (key !== undefined) this.#due.add(key);
    }
  }

  /** Has what waits of a zone read again. */
  makeDue(apexKey: string): void {
    this.#due.add(apexKey);
  }

  /** The zones that are due: name → apex key. They are no longer, until {@link giveBack}. */
  takeDue(): ReadonlyMap<string, string> {
    const due = new Map<string, string>();
    for (const zone of this.#pending.keys()) {
      const key = zoneKey(zone);
      if (key !== undefined && this.#due.has(key)) due.set(zone, key);
    }
    this.#due.clear();
    return due;
  }

  /**
   * What is to be read along with any other owner of its zone, and what is due. What is
   * held is due when it is judged anew: other owners are read beside it.
   */
  toRead(due: ReadonlySet<string>): PendingOwners {
    if (this.#held.size === 0) return this.#pending;
    return new Map([...this.#pending].filter(([zone]) => due.has(zone) || !this.#held.has(zone)));
  }

  /** The owners of a zone that are held and were not read, though others of it were. */
  heldBeside(zone: string, { scope }: Reading, due: ReadonlySet<string>): OwnerScope | undefined {
    if (!this.#held.has(zone) || due.has(zone)) return undefined;
    if (scope === "everything" || scope.get(zone) === "all") return undefined;
    return this.#pending.get(zone);
  }

  /** The read failed: what was due still is. */
  giveBack(due: ReadonlyMap<string, string>): void {
    for (const key of due.values()) this.#due.add(key);
  }

  /** What stays pending after a reading because it was not read, and what of it is held. */
  notRead(reading: Reading): { pending: Map<string, OwnerScope>; held: Set<string> } {
    const pending = new Map<string, OwnerScope>();
    const held = new Set<string>();
    if (reading.scope === "everything") return { pending, held };
    for (const [zone, owners] of this.#pending) {
      if (reading.scope.has(zone)) continue;
      pending.set(zone, owners);
      if (this.#held.has(zone)) held.add(zone);
    }
    return { pending, held };
  }
}

/** Has what a reading covered of a zone wait, beside what waits of it already. */
export function addRead(pending: Map<string, OwnerScope>, reading: Reading, zone: string): void {
  addPending(pending, zone, reading.scope === "everything" ? "all" : reading.scope.get(zone) ?? []);
}

/** Has owners of a zone wait, beside what waits of it already. */
export function addPending(
  pending: Map<string, OwnerScope>,
  zone: string,
  owners: Iterable<string> | "all",
): void {
  const before = pending.get(zone) ?? [];
  const all = owners === "all" || before === "all";
  pending.set(zone, all ? "all" : new Set([...before, ...owners]));
}

/** Whether nothing has come and nothing gone: a zone's owners are the same where the set is. */
export function samePending(a: PendingOwners, b: PendingOwners): boolean {
  return a.size === b.size && [...a].every(([zone, owners]) => b.get(zone) === owners);
}

/** The apex key of a zone by the source's name for it; undefined when that is no name. */
export function zoneKey(zone: string): string | undefined {
  try {
    return canonicalKey(parseName(zone));
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}
