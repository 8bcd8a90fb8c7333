/**
 * One read of everything from Postgres, at one snapshot.
 *
 * First the tables are locked against TRUNCATE and rewrites, which are not
 * MVCC-safe: a snapshot taken before them sees an empty table. Only then the
 * snapshot is taken. `records` may be a view: it needs the columns zone, name,
 * type, ttl and content; rows whose `disabled` is true are left out where there
 * is such a column.
 *
 * Limitations: what a view reads from materialized views, foreign tables or
 * functions is not locked.
 */
import type { Logger } from "../ops/mod.ts";
import { SourceError } from "./errors.ts";
import { type Sql, transaction } from "./postgres_client.ts";
import type { PostgresSession } from "./postgres_session.ts";
import type { Deliver, Reading, SourceRow, ZoneSettings } from "./source.ts";

/** Records fetched at a time: some 200 KB; a further batch is under way while one is delivered. */
const BATCH_RECORDS = 2000;
/** Longest wait for a table's lock, in ms. */
const LOCK_TIMEOUT_MS = 5000;

/** What to lock: less where the role, or the kind of relation, does not let us. */
type LockScope = "zones and records" | "zones" | "nothing";
const LESS: Record<LockScope, LockScope | undefined> = {
  "zones and records": "zones",
  "zones": "nothing",
  "nothing": undefined,
};

/** Reads through one session; remembers what can be locked there. */
export class PostgresReader {
  #lock: LockScope = "zones and records";

  constructor(readonly session: PostgresSession, readonly log: Logger) {}

  /**
   * All zones and records.
   *
   * Effects: one transaction, REPEATABLE READ and READ ONLY, on the session's
   * reading connection; `deliver` is awaited, one batch after the other.
   *
   * @throws what Postgres, the session's end or `deliver` throws
   */
  async readEverything(deliver: Deliver): Promise<Reading> {
    for (;;) {
      try {
        return await this.#read(deliver, this.#lock);
      } catch (error) {
        const less = LESS[this.#lock];
        if (!(error instanceof CannotLock) || !less) throw error;
        this.log.warn("source tables cannot be locked for reading", {
          tables: this.#lock,
          reason: error.message,
          hint: "a TRUNCATE during a read may then show an empty zone; grant SELECT on them",
        });
        this.#lock = less;
      }
    }
  }

  #read(deliver: Deliver, lock: LockScope): Promise<Reading> {
    const { session } = this;
    return session.guard(
      transaction(session.reader, "isolation level repeatable read read only", async (sql) => {
        await session.answer(sql.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`));
        await this.#takeLocks(sql, lock);
        const [{ snapshot }] = await session.answer(
          sql<{ snapshot: string }[]>`select pg_current_snapshot()::text as snapshot`,
        );
        const zones = await this.#readZones(sql);
        await this.#readRecords(sql, (rows) => deliver(rows, zones));
        return {
          cursor: JSON.stringify({ ...session.identity, snapshot }),
          zones,
          scope: "everything",
          snapshot,
        } satisfies Reading;
      }),
    );
  }

  async #takeLocks(sql: Sql, lock: LockScope): Promise<void> {
    if (lock === "nothing") return;
    const tables = lock === "zones" ? "zonecast.zones" : "zonecast.zones, zonecast.records";
    try {
      await this.session.answer(sql.unsafe(`lock table ${tables} in access share mode`));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // 42501: no privilege on a table behind a view; 42809: neither table nor view.
      if (code === "42501" || code === "42809") throw new CannotLock(String(error));
      if (code !== "55P03") throw error;
      throw new SourceError(
        "source-locked",
        `Cannot read ${tables}: another session keeps them locked (waited ${
          LOCK_TIMEOUT_MS / 1000
        } s)`,
        "look for a long ALTER TABLE, TRUNCATE or VACUUM FULL in pg_stat_activity",
        { cause: error },
      );
    }
  }

  async #readZones(sql: Sql): Promise<ZoneSettings[]> {
    const rows = await this.session.answer(sql<ZoneSettings[]>`
      select name, mname, rname, refresh, retry, expire, minimum,
        default_ttl as "defaultTtl", soa_ttl as "soaTtl", serial_floor as "serialFloor"
      from zonecast.zones order by name`);
    return [...rows];
  }

  async #readRecords(
    sql: Sql,
    take: (rows: readonly SourceRow[]) => void | Promise<void>,
  ): Promise<void> {
    const { session } = this;
    const columns = await session.answer(sql<{ name: string }[]>`
      select attname as name from pg_attribute
      where attrelid = 'zonecast.records'::regclass and attnum > 0 and not attisdropped`);
    const enabled = columns.some(({ name }) => name === "disabled")
      ? "where disabled is not true"
      : "";
    await session.answer(sql.unsafe(`declare zonecast_records no scroll cursor for
      select zone, name, type, ttl, content from zonecast.records ${enabled}`));
    const fetch = () =>
      session.answer(sql.unsafe<RawRow[]>(`fetch ${BATCH_RECORDS} from zonecast_records`));
    let fetching = fetch();
    for (;;) {
      const rows = await fetching;
      if (rows.length === 0) return;
      fetching = fetch();
      fetching.catch(() => {}); // awaited in the next round; until then nobody looks at it
      await take(rows.map(sourceRow));
    }
  }
}

/** A row as it comes: a view may give any type, and null. */
type RawRow = Record<keyof SourceRow, unknown>;

/** The row as text; null becomes empty text, which is reported as a bad row, not skipped. */
function sourceRow({ zone, name, type, ttl, content }: RawRow): SourceRow {
  return {
    zone: String(zone ?? ""),
    name: String(name ?? ""),
    type: String(type ?? ""),
    ttl: ttl === null || typeof ttl === "number" ? ttl : Number(ttl),
    content: String(content ?? ""),
  };
}

/** The relations cannot be locked by us, ever. */
class CannotLock extends Error {}
