/**
 * Editing the SQLite source: each operation one transaction, safe beside a
 * running server and other writers. Synchronous; lives in the source's worker.
 *
 * Limitation: an owner's records are found by looking at all of its zone, since
 * the file has no generated owner.
 */
import type { DatabaseSync } from "node:sqlite";
import {
  matchesContent,
  normalOwner,
  settingColumns,
  storedType,
  storedZoneName,
} from "./edit_rules.ts";
import { zoneExists, zoneUnknown } from "./errors.ts";
import { planRestore } from "./restore_rules.ts";
import type { RecordEdit, Restored, SourceEditor, SourceRow, ZoneSettings } from "./source.ts";
import { openFile, transaction } from "./sqlite_file.ts";
import type { EditOperation } from "./sqlite_protocol.ts";
import { readZones, selectRecords, sourceRow } from "./sqlite_read.ts";

/** Operations that make the file when it is not there. */
const MAKING: readonly EditOperation[] = ["addZone", "replaceZone"];

/** Operations that only read: they wait for no writer. */
const READING: readonly EditOperation[] = ["zones", "rows"];

/** {@link SourceEditor} without promises. */
type SyncEditor = {
  [O in EditOperation]: (
    ...args: Parameters<SourceEditor[O]>
  ) => Awaited<ReturnType<SourceEditor[O]>>;
};

/** Runs one operation on the file; the connection lasts as long. */
export function edit(path: string, op: EditOperation, args: readonly unknown[]): unknown {
  const db = openFile(path, MAKING.includes(op));
  try {
    const operation = new FileEditor(db)[op] as (...args: readonly unknown[]) => unknown;
    return transaction(db, () => operation(...args), READING.includes(op) ? "read" : "write");
  } finally {
    db.close();
  }
}

class FileEditor implements SyncEditor {
  constructor(readonly db: DatabaseSync) {}

  zones = (): { settings: ZoneSettings; records: number }[] => {
    const count = this.db.prepare(
      "select count(*) as n from records where zone = ? and disabled is not true",
    );
    return readZones(this.db).map((settings) => ({
      settings,
      records: Number(count.get(settings.name)?.n),
    }));
  };

  rows = (zone: string): SourceRow[] =>
    this.db.prepare(selectRecords("and zone = ?")).all(this.#mustFind(zone)).map(sourceRow);

  addZone = (settings: ZoneSettings, records: readonly RecordEdit[]): void => {
    if (this.#find(settings.name) !== undefined) throw zoneExists(settings.name);
    this.#insertRecords(this.#insertZone(settings), records);
  };

  setZone = (zone: string, settings: Partial<Omit<ZoneSettings, "name">>): void => {
    this.#setColumns(this.#mustFind(zone), settingColumns(settings));
  };

  removeZone = (zone: string): number => {
    const name = this.#mustFind(zone);
    const { changes } = this.db.prepare("delete from records where zone = ?").run(name);
    this.db.prepare("delete from zones where name = ?").run(name);
    return Number(changes);
  };

  setRecord = (zone: string, record: RecordEdit): boolean => {
    const name = this.#mustFind(zone);
    const same = this.#ownerRecords(name, record.name, record.type).filter(({ content }) =>
      matchesContent(name, record.type, content, record.content)
    );
    if (same.length === 0) {
      this.#insertRecords(name, [record]);
      return true;
    }
    const stale = same.filter(({ ttl, disabled }) => disabled || ttl !== record.ttl);
    const change = this.db.prepare("update records set ttl = ?, disabled = 0 where id = ?");
    for (const { id } of stale) change.run(record.ttl, id);
    return stale.length > 0;
  };

  unsetRecords = (zone: string, name: string, type?: string, content?: string): number => {
    const stored = this.#mustFind(zone);
    const gone = this.#ownerRecords(stored, name, type).filter((record) =>
      matchesContent(stored, record.type, record.content, content)
    );
    const remove = this.db.prepare("delete from records where id = ?");
    for (const { id } of gone) remove.run(id);
    return gone.length;
  };

  replaceZone = (settings: ZoneSettings, records: readonly RecordEdit[]): void => {
    const existing = this.#find(settings.name);
    if (existing === undefined) return this.addZone(settings, records);
    const { serial_floor, ...columns } = settingColumns(settings);
    this.#setColumns(existing, serial_floor === null ? columns : { ...columns, serial_floor });
    this.db.prepare("delete from records where zone = ?").run(existing);
    this.#insertRecords(existing, records);
  };

  restoreZone = (
    zone: string,
    settings: Partial<Omit<ZoneSettings, "name">>,
    records: readonly RecordEdit[],
    dryRun: boolean,
  ): Restored => {
    const name = this.#mustFind(zone);
    const defaultTtl = this.db.prepare("select default_ttl from zones where name = ?").get(name);
    const stored = this.#enabledRecords(name);
    const plan = planRestore(name, Number(defaultTtl?.default_ttl), stored, records);
    if (!dryRun) {
      this.#setColumns(name, settingColumns(settings));
      const remove = this.db.prepare("delete from records where id = ?");
      for (const { id } of plan.removed) remove.run(id);
      this.#insertRecords(name, plan.added);
    }
    return { removed: plan.removed.map(({ id: _, ...record }) => record), added: plan.added };
  };

  /** The zone's name as its row spells it; undefined when there is none. */
  #find(zone: string): string | undefined {
    const wanted = storedZoneName(zone);
    if (this.db.prepare("select 1 from zones where name = ?").get(wanted)) return wanted;
    const owner = normalOwner(wanted, "@");
    return this.db.prepare("select name from zones").all()
      .map(({ name }) => String(name))
      .find((name) => normalOwner(name, "@") === owner);
  }

  #mustFind(zone: string): string {
    const name = this.#find(zone);
    if (name === undefined) throw zoneUnknown(zone);
    return name;
  }

  #insertZone(settings: ZoneSettings): string {
    const name = storedZoneName(settings.name);
    const columns = { name, ...settingColumns(settings) };
    const names = Object.keys(columns);
    this.db.prepare(
      `insert into zones (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`,
    ).run(...Object.values(columns));
    return name;
  }

  #setColumns(zone: string, columns: Record<string, string | number | null>): void {
    const names = Object.keys(columns);
    if (names.length === 0) return;
    this.db.prepare(
      `update zones set ${names.map((name) => `${name} = ?`).join(", ")} where name = ?`,
    )
      .run(...Object.values(columns), zone);
  }

  #insertRecords(zone: string, records: readonly RecordEdit[]): void {
    const insert = this.db.prepare(
      "insert into records (zone, name, type, ttl, content) values (?, ?, ?, ?, ?)",
    );
    for (const { name, type, ttl, content } of records) {
      insert.run(zone, name, storedType(type), ttl, content);
    }
  }

  #enabledRecords(zone: string): (RecordEdit & { readonly id: number })[] {
    const rows = this.db.prepare(
      `select id, name, type, ttl, content from records
       where zone = ? and disabled is not true order by id`,
    );
    return rows.all(zone).map((row) => ({
      id: Number(row.id),
      name: String(row.name),
      type: String(row.type),
      ttl: row.ttl === null ? null : Number(row.ttl),
      content: String(row.content),
    }));
  }

  /** An owner's records, of one type or of all. */
  #ownerRecords(zone: string, name: string, type: string | undefined) {
    const owner = normalOwner(zone, name);
    const all = this.db.prepare(
      "select id, name, type, ttl, content, disabled from records where zone = ? order by id",
    );
    const found = [];
    for (const row of all.iterate(zone)) {
      if (type !== undefined && storedType(String(row.type)) !== storedType(type)) continue;
      if (normalOwner(zone, String(row.name)) !== owner) continue;
      found.push({
        id: Number(row.id),
        type: String(row.type),
        ttl: row.ttl === null ? null : Number(row.ttl),
        content: String(row.content),
        disabled: row.disabled !== 0,
      });
    }
    return found;
  }
}
