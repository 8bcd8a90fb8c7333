/** What operators do with zonecast's own commands. One step each. */
import { assert, assertEquals } from "@std/assert";
import type fc from "fast-check";
import { isBehind } from "../../support/ixfr_client.ts";
import type { Model } from "./model.ts";
import { settle } from "./settle.ts";
import { touch } from "./tables.ts";
import { judge } from "./verdicts.ts";
import type { World } from "./world.ts";

type Command = fc.AsyncCommand<Model, World>;

/** Exit codes, as the README has them. */
const [GOOD, FAILED] = [0, 1];

/** A zone is made what it was, or what is served of it is taken into the tables. */
export class PutBack implements Command {
  constructor(
    readonly zone: number,
    /** Which of the secondary's copies; undefined: what is served now is exported and imported. */
    readonly copy: number | undefined,
  ) {}

  check = ({ open, tables }: Readonly<Model>) => !open && tables.names.length > 0;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    const zone = model.tables.names[this.zone % model.tables.names.length];
    const served = model.history(zone).finals()[0].served;
    const copies = world.secondary.copies(zone);
    if (!served || copies.length === 0 || world.variant.records === "view") return;
    let expected = served.text;
    if (this.copy === undefined) {
      const text = await world.zonecast.mustCli(["export", zone]);
      await world.zonecast.mustCli(["import", zone, "-"], text);
    } else {
      const { serial, text } = copies[this.copy % copies.length];
      const { code, stderr } = await world.zonecast.cli(["rollback", zone, `${serial}`, "--yes"]);
      if (code === FAILED && /^zonecast: Cannot read serial/.test(stderr)) return;
      assertEquals(code, GOOD, `rollback ${zone} ${serial}: ${stderr}`);
      expected = text;
    }
    const { settings, rows } = await world.readZone(zone);
    const found = judge({ zone, settings, rows }, served, model.badRows);
    // Of the settings it is the SOA's fields that are put back.
    const { default_ttl, serial_floor } = model.tables.settings(zone);
    if (default_ttl < 2 ** 31 && (serial_floor ?? 0) >= 0) {
      assertEquals(found.served?.text, expected, `${zone} in the tables`);
      assertEquals(found.badOwners, new Set<string>(), `${zone} in the tables`);
    }
    const touched = new Map();
    touch(touched, zone, "all");
    const tables = model.tables.withZone(zone, settings, rows);
    model.committed({ tables, touched, statements: [], added: [] }, undefined);
    model.mustTouch = true;
    await settle(model, world);
  }

  toString = () =>
    `${
      this.copy === undefined ? "export and import" : `roll back to copy ${this.copy} of`
    } ${this.zone}`;
}

/** A serial is raised by command, whether Postgres is there or not. */
export class RaiseAbove implements Command {
  constructor(readonly zone: number, readonly by: number, readonly isWithoutPostgres: boolean) {}

  check = ({ open, tables }: Readonly<Model>) => !open && tables.names.length > 0;

  async run(model: Model, world: World): Promise<void> {
    await settle(model, world);
    const zone = model.tables.names[this.zone % model.tables.names.length];
    const newest = world.secondary.newest(zone);
    if (!newest || !model.history(zone).finals()[0].served) return;
    if (this.isWithoutPostgres) {
      await world.stopPostgres("fast");
      model.mustTouch = true;
    }
    model.mayRise.add(zone);
    model.isSettled = false;
    const above = (newest.serial + this.by) % 2 ** 32;
    await world.zonecast.mustCli(["serial", zone, "--above", `${above}`]);
    if (this.isWithoutPostgres) await world.startPostgres();
    await settle(model, world);
    const serial = world.secondary.newest(zone)!.serial;
    assert(isBehind(above, serial), `${zone} has serial ${serial}, which is not above ${above}`);
  }

  toString = () =>
    `raise the serial of ${this.zone} by ${this.by}, by command${
      this.isWithoutPostgres ? ", without Postgres" : ""
    }`;
}
