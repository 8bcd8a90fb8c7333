/**
 * What was read of the source and is not published: the owners that wait, zone
 * by zone, and which of them are to be read again without a change.
 *
 * Owns: both. Zones are named as the source names them.
 */
import { canonicalKey, parseName, ZonecastError } from "../dns/mod.ts";
import type { OwnerScope, Reading } from "../source/mod.ts";
import type { PendingOwners } from "../store/mod.ts";

export class Waiting {
  #pending: PendingOwners = new Map();
  /** Apex keys of zones whose waiting owners are to be read whatever the feed says. */
  readonly #due = new Set<string>();

  get pending(): PendingOwners {
    return this.#pending;
  }

  /** Takes what is kept now, durably. */
  keep(pending: PendingOwners): void {
    this.#pending = pending;
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

  /** The read failed: what was due still is. */
  giveBack(due: ReadonlyMap<string, string>): void {
    for (const key of due.values()) this.#due.add(key);
  }

  /** What goes on waiting after a reading because it was not read. */
  notRead(reading: Reading): Map<string, OwnerScope> {
    const kept = new Map<string, OwnerScope>();
    if (reading.scope === "everything") return kept;
    for (const [zone, owners] of this.#pending) {
      if (!reading.scope.has(zone)) kept.set(zone, owners);
    }
    return kept;
  }
}

/** Has what a reading covered of a zone wait, beside what waits of it already. */
export function addRead(pending: Map<string, OwnerScope>, reading: Reading, zone: string): void {
  const owners = reading.scope === "everything" ? "all" : reading.scope.get(zone) ?? [];
  const before = pending.get(zone) ?? [];
  const all = owners === "all" || before === "all";
  pending.set(zone, all ? "all" : new Set([...before, ...owners]));
}

/** The apex key of a zone by the source's name for it; undefined when that is no name. */
function zoneKey(zone: string): string | undefined {
  try {
    return canonicalKey(parseName(zone));
  } catch (error) {
    if (error instanceof ZonecastError) return undefined;
    throw error;
  }
}
