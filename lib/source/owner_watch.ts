/**
 * Whether a relation's own column `owner` and its spelling of zones are those
 * the change feed speaks of; a view may give anything. Pure.
 *
 * What it lets pass is found wrong no sooner than by a read of everything: only
 * a few owners of each batch are compared, but every zone is.
 */
import { formatName, lowerName, parseName, ZonecastError } from "../dns/mod.ts";
import { normalOwner } from "./edit_rules.ts";
import type { SourceRow, ZoneSettings } from "./source.ts";

/** Rows of a batch whose owner is compared with the one it must be. */
const OWNERS_COMPARED = 5;

export class OwnerWatch {
  /** What is wrong, in words; undefined while nothing is. */
  wrong: string | undefined;
  /** Spellings of zones met in rows; those in `zones` are right. */
  readonly #spellings: Set<string>;
  readonly #zones: Map<string, string>;

  constructor(zones: readonly ZoneSettings[]) {
    this.#spellings = new Set(zones.map(({ name }) => name));
    this.#zones = new Map(zones.map(({ name }) => [normalZone(name), name]));
  }

  /** Looks at a batch of rows. */
  look(rows: readonly SourceRow[]): void {
    if (this.wrong !== undefined) return;
    for (const { zone } of rows) {
      if (!this.#spellings.has(zone)) this.#meet(zone);
    }
    for (const { zone, name, owner } of rows.slice(0, OWNERS_COMPARED)) {
      const right = normalOwner(zone, name);
      if (owner === right || right.includes(" ")) continue; // a blank: it is no name
      this.wrong = `records gives "${owner ?? ""}" as owner of "${name}" in "${zone}"`;
    }
  }

  #meet(zone: string): void {
    this.#spellings.add(zone);
    const known = this.#zones.get(normalZone(zone));
    if (known !== undefined) this.wrong = `records spells the zone "${known}" as "${zone}"`;
  }
}

function normalZone(zone: string): string {
  try {
    return formatName(lowerName(parseName(zone)));
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return zone;
  }
}
