/**
 * Editing a Postgres source from the shell: each operation one transaction,
 * safe beside running servers and other writers.
 *
 * Owns: one connection. A zone's row is locked while its records change, so that
 * two edits of one zone come one after the other.
 */
import {
  batches,
  matchesContent,
  settingColumns,
  storedType,
  storedZoneName,
} from "./edit_rules.ts";
import { postgresError, SourceError, unreachable, zoneExists, zoneUnknown } from "./errors.ts";
import { connectPostgres, type PostgresClient, type Sql, transaction } from "./postgres_client.ts";
import { powerdnsRows, powerdnsZones, refusePowerdns } from "./powerdns_look.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import { planRestore } from "./restore_rules.ts";
import type { RecordEdit, Restored, SourceEditor, SourceRow, ZoneSettings } from "./source.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 10_000;
/** Longest wait for a lock another writer has, in ms. */
const LOCK_TIMEOUT_MS = 10_000;
/** Longest silence of the server within an operation, in ms. */
const SILENCE_MS = 60_000;

interface StoredRecord {
  readonly id: number;
  readonly type: string;
  readonly ttl: number | null;
  readonly content: string;
  readonly disabled: boolean;
}

export class PostgresEditor implements SourceEditor {
  readonly #client: PostgresClient;
  readonly #description: string;
  /** The operation before the next one. */
  #before: Promise<unknown> = Promise.resolve();

  private constructor(url: string) {
    this.#description = parsePostgresUrl(url).description;
    this.#client = connectPostgres(url, { connectMs: CONNECT_MS });
  }

  /** @throws {SourceError} the server cannot be reached, or has no schema `zonecast` */
  static async open(url: string): Promise<PostgresEditor> {
    const editor = new PostgresEditor(url);
    try {
      await editor.#transaction((sql) => sql`select from zonecast.zones limit 0`);
      return editor;
    } catch (error) {
      await editor.close();
      throw error;
    }
  }

  zones(): Promise<{ settings: ZoneSettings; records: number }[]> {
    return this.#transaction(async (sql) => {
      const enabled = await hasDisabled(sql) ? sql`where disabled is not true` : sql``;
      const counts = await sql<{ zone: string; records: number }[]>`
        select zone, count(*) as records from zonecast.records ${enabled} group by zone`;
      const byZone = new Map(counts.map(({ zone, records }) => [zone, records]));
      const zones = await sql<ZoneSettings[]>`
        select name, mname, rname, refresh, retry, expire, minimum,
          default_ttl as "defaultTtl", soa_ttl as "soaTtl", serial_floor as "serialFloor"
        from zonecast.zones order by name`;
      const own = zones.map((settings) => ({ settings, records: byZone.get(settings.name) ?? 0 }));
      return [...own, ...await powerdnsZones(sql)];
    });
  }

  rows(zone: string): Promise<SourceRow[]> {
    return this.#transaction(async (sql) => {
      const name = await findZone(sql, zone);
      if (name === undefined) {
        const rows = await powerdnsRows(sql, zone);
        if (rows) return rows;
        throw zoneUnknown(zone);
      }
      const enabled = await hasDisabled(sql) ? sql`and disabled is not true` : sql``;
      const rows = await sql<SourceRow[]>`
        select zone, name, type, ttl, content from zonecast.records
        where zone = ${name} ${enabled}`;
      return [...rows];
    });
  }

  addZone(settings: ZoneSettings, records: readonly RecordEdit[]): Promise<void> {
    return this.#transaction(async (sql) => {
      if (await lockZone(sql, settings.name) !== undefined) throw zoneExists(settings.name);
      if (records.length > 0) await mustBeTable(sql, settings.name);
      await insertZone(sql, settings);
      await this.#insertRecords(sql, storedZoneName(settings.name), records);
    });
  }

  setZone(zone: string, settings: Partial<Omit<ZoneSettings, "name">>): Promise<void> {
    return this.#transaction(async (sql) => {
      const name = await mustLockZone(sql, zone);
      const columns = settingColumns(settings);
      if (Object.keys(columns).length === 0) return;
      await sql`update zonecast.zones set ${sql(columns)} where name = ${name}`;
    });
  }

  removeZone(zone: string): Promise<number> {
    return this.#transaction(async (sql) => {
      const name = await mustLockZone(sql, zone);
      // Rows of a view stay where they are: nothing serves them without the zone.
      const removed = await recordsAreTable(sql)
        ? await sql`delete from zonecast.records where zone = ${name}`
        : { count: 0 };
      await sql`delete from zonecast.zones where name = ${name}`;
      return removed.count ?? 0;
    });
  }

  setRecord(zone: string, record: RecordEdit): Promise<boolean> {
    return this.#transaction(async (sql) => {
      const name = await mustLockZone(sql, zone);
      await mustBeTable(sql, zone);
      const same = (await ownerRecords(sql, name, record.name, record.type))
        .filter(({ content }) => matchesContent(name, record.type, content, record.content));
      if (same.length === 0) {
        await this.#insertRecords(sql, name, [record]);
        return true;
      }
      const stale = same.filter(({ ttl, disabled }) => disabled || ttl !== record.ttl);
      if (stale.length === 0) return false;
      await sql`
        update zonecast.records set ttl = ${record.ttl}, disabled = false
        where id in ${sql(stale.map(({ id }) => id))}`;
      return true;
    });
  }

  unsetRecords(zone: string, name: string, type?: string, content?: string): Promise<number> {
    return this.#transaction(async (sql) => {
      const stored = await mustLockZone(sql, zone);
      await mustBeTable(sql, zone);
      const gone = (await ownerRecords(sql, stored, name, type))
        .filter((record) => matchesContent(stored, record.type, record.content, content));
      if (gone.length === 0) return 0;
      const { count } = await sql`
        delete from zonecast.records where id in ${sql(gone.map(({ id }) => id))}`;
      return count;
    });
  }

  replaceZone(settings: ZoneSettings, records: readonly RecordEdit[]): Promise<void> {
    return this.#transaction(async (sql) => {
      await mustBeTable(sql, settings.name);
      const existing = await lockZone(sql, settings.name);
      if (existing === undefined) await insertZone(sql, settings);
      else {
        const { serial_floor, ...columns } = settingColumns(settings);
        const floor = serial_floor === null ? {} : { serial_floor };
        await sql`
          update zonecast.zones set ${sql({ ...columns, ...floor })} where name = ${existing}`;
        await sql`delete from zonecast.records where zone = ${existing}`;
      }
      await this.#insertRecords(sql, existing ?? storedZoneName(settings.name), records);
    });
  }

  restoreZone(
    zone: string,
    settings: Partial<Omit<ZoneSettings, "name">>,
    records: readonly RecordEdit[],
    dryRun: boolean,
  ): Promise<Restored> {
    return this.#transaction(async (sql) => {
      const name = await mustLockZone(sql, zone);
      await mustBeTable(sql, zone);
      const [{ defaultTtl }] = await sql<{ defaultTtl: number }[]>`
        select default_ttl as "defaultTtl" from zonecast.zones where name = ${name}`;
      const enabled = await hasDisabled(sql) ? sql`and disabled is not true` : sql``;
      const stored = await sql<(RecordEdit & { id: number })[]>`
        select id, name, type, ttl, content from zonecast.records
        where zone = ${name} ${enabled} order by id`;
      const plan = planRestore(name, defaultTtl, stored, records);
      if (!dryRun) {
        const columns = settingColumns(settings);
        if (Object.keys(columns).length > 0) {
          await sql`update zonecast.zones set ${sql(columns)} where name = ${name}`;
        }
        await this.#removeRecords(sql, plan.removed.map(({ id }) => id));
        await this.#insertRecords(sql, name, plan.added);
      }
      return { removed: plan.removed.map(({ id: _, ...record }) => record), added: plan.added };
    });
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  async #insertRecords(
    sql: Sql,
    zone: string,
    records: readonly RecordEdit[],
  ): Promise<void> {
    for (const batch of batches(records)) {
      const rows = batch.map((record) => ({ ...record, type: storedType(record.type) }));
      await sql`
        insert into zonecast.records (zone, name, type, ttl, content)
        select ${zone}, name, type, ttl, content
        from jsonb_to_recordset(${sql.json(rows)})
          as r (name text, type text, ttl bigint, content text)`;
      this.#showLife();
    }
  }

  async #removeRecords(sql: Sql, ids: readonly number[]): Promise<void> {
    for (const batch of batches(ids)) {
      await sql`delete from zonecast.records where id in ${sql(batch)}`;
      this.#showLife();
    }
  }

  /** Puts off the end that silence brings. */
  #showLife: () => void = () => {};

  /** Runs the body in one transaction, after those begun before it. */
  #transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    const result = this.#before.then(() => this.#transact(body));
    this.#before = result.catch(() => {}); // whoever waits for it is told
    return result;
  }

  /** Runs the body in one transaction; a server that falls silent ends it. */
  async #transact<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      this.#showLife = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          this.#client.destroy();
          reject(unreachable(this.#description, `no answer for ${SILENCE_MS / 1000} s`));
        }, SILENCE_MS);
      };
    });
    this.#showLife();
    try {
      const done = transaction(this.#client, "", async (sql) => {
        await sql.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
        return await body(sql);
      });
      return await Promise.race([done, silence]);
    } catch (error) {
      throw postgresError(error, this.#description);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The zone's name as its row spells it; undefined when there is none. */
async function findZone(sql: Sql, zone: string): Promise<string | undefined> {
  const [row] = await sql<{ name: string }[]>`
    select name from zonecast.zones where zonecast.owner(name, '@') = zonecast.owner(${zone}, '@')`;
  return row?.name;
}

/** {@link findZone}, with the row locked: further edits of the zone wait. */
async function lockZone(sql: Sql, zone: string): Promise<string | undefined> {
  const [row] = await sql<{ name: string }[]>`
    select name from zonecast.zones where zonecast.owner(name, '@') = zonecast.owner(${zone}, '@')
    for update`;
  return row?.name;
}

async function mustLockZone(sql: Sql, zone: string): Promise<string> {
  const name = await lockZone(sql, zone);
  if (name !== undefined) return name;
  await refusePowerdns(sql, zone);
  throw zoneUnknown(zone);
}

async function insertZone(sql: Sql, settings: ZoneSettings): Promise<void> {
  const columns = { name: storedZoneName(settings.name), ...settingColumns(settings) };
  const { count } = await sql`insert into zonecast.zones ${sql(columns)} on conflict do nothing`;
  if (count === 0) throw zoneExists(settings.name); // made by another transaction since we looked
}

async function hasDisabled(sql: Sql): Promise<boolean> {
  const found = await sql`
    select from pg_attribute where attrelid = 'zonecast.records'::regclass
      and attname = 'disabled' and not attisdropped`;
  return found.count > 0;
}

/** An owner's records, of one type or of all. */
async function ownerRecords(
  sql: Sql,
  zone: string,
  name: string,
  type: string | undefined,
): Promise<StoredRecord[]> {
  const ofType = type === undefined ? sql`` : sql`and upper(type) = ${storedType(type)}`;
  const rows = await sql<StoredRecord[]>`
    select id, type, ttl, content, disabled from zonecast.records
    where zone = ${zone} and owner = zonecast.owner(${zone}, ${name}) ${ofType} order by id`;
  return [...rows];
}

async function recordsAreTable(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ kind: string }[]>`
    select relkind::text as kind from pg_class where oid = 'zonecast.records'::regclass`;
  return row.kind === "r" || row.kind === "p";
}

/** @throws {SourceError} code "source-view" */
async function mustBeTable(sql: Sql, zone: string): Promise<void> {
  if (await recordsAreTable(sql)) return;
  throw new SourceError(
    "source-view",
    `Cannot change records of zone "${zone}": zonecast.records is a view`,
    "its rows live in your own tables; change them there",
  );
}
