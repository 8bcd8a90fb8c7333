/** The tables zones and records as the model has them, and what a transaction does to them. */
import type { Row } from "./rows.ts";
import type { Settings, ZoneRows } from "./verdicts.ts";

/** Owners that a transaction touched in a zone, in their one form; "all": any may be. */
export type Touched = Map<string, Set<string> | "all">;

interface Zone {
  readonly settings: Settings;
  readonly rows: ReadonlyMap<number, Row>;
}

/** A value that is never changed: each change makes another. */
export class Tables {
  constructor(private readonly zones: ReadonlyMap<string, Zone> = new Map()) {}

  get names(): string[] {
    return [...this.zones.keys()];
  }

  has(zone: string): boolean {
    return this.zones.has(zone);
  }

  settings(zone: string): Settings {
    return this.zones.get(zone)!.settings;
  }

  rows(zone: string): readonly Row[] {
    return [...this.zones.get(zone)!.rows.values()];
  }

  /** Undefined when there is no such zone. The same object for a zone that did not change. */
  zoneRows(zone: string): ZoneRows | undefined {
    const one = this.zones.get(zone);
    if (!one) return undefined;
    let rows = known.get(one);
    if (rows?.zone !== zone) {
      known.set(one, rows = { zone, settings: one.settings, rows: [...one.rows.values()] });
    }
    return rows;
  }

  withZone(zone: string, settings: Settings, rows?: readonly Row[]): Tables {
    const before = this.zones.get(zone);
    const kept = rows ? new Map(rows.map((row) => [row.id, row])) : before?.rows ?? new Map();
    return new Tables(new Map(this.zones).set(zone, { settings, rows: kept }));
  }

  withoutZone(zone: string): Tables {
    const zones = new Map(this.zones);
    zones.delete(zone);
    return new Tables(zones);
  }

  renamed(zone: string, to: string): Tables {
    const { settings, rows } = this.zones.get(zone)!;
    return this.withoutZone(zone).withZone(to, settings, [...rows.values()]);
  }

  withRow(zone: string, row: Row): Tables {
    const { settings, rows } = this.zones.get(zone)!;
    return new Tables(
      new Map(this.zones).set(zone, { settings, rows: new Map(rows).set(row.id, row) }),
    );
  }

  withoutRow(zone: string, id: number): Tables {
    const { settings, rows } = this.zones.get(zone)!;
    return this.withZone(zone, settings, [...rows.values()].filter((row) => row.id !== id));
  }
}

const known = new WeakMap<Zone, ZoneRows>();

/** Adds what was touched to what is. */
export function touch(touched: Touched, zone: string, owners: Iterable<string> | "all"): void {
  const before = touched.get(zone);
  if (before === "all" || owners === "all") touched.set(zone, "all");
  else touched.set(zone, new Set([...before ?? [], ...owners]));
}
