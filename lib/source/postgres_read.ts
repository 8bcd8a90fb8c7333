/**
 * Reads from Postgres, each at one snapshot: of what the change feed says was
 * touched, or of everything.
 *
 * First the tables are locked against TRUNCATE and rewrites, which are not
 * MVCC-safe: a snapshot taken before them sees an empty table. Only then the
 * snapshot is taken. `records` may be a view: it needs the columns zone, name,
 * type, ttl and content; rows whose `disabled` is true are left out where there
 * is such a column. Without a column `owner` every read is of everything.
 *
 * Limitations: what a view reads from materialized views, foreign tables or
 * functions is not locked.
 */
import type { Logger } from "../ops/mod.ts";
import { SourceError } from "./errors.ts";
import { type FeedCursor, formatCursor, parseCursor, whyNotFrom } from "./feed_cursor.ts";
import { OwnerWatch } from "./owner_watch.ts";
import { type Sql, transaction } from "./postgres_client.ts";
import {
  type Changes,
  FeedFollower,
  type FeedObstacle,
  type Inventory,
  lookAround,
  type Present,
  takeInventory,
} from "./postgres_feed.ts";
import {
  readAllRecords,
  readOwners,
  readPowerdnsRecords,
  readProblemOwners,
  readPublishedSerials,
  readZones,
  type Zones,
} from "./postgres_rows.ts";
import type { PostgresSession } from "./postgres_session.ts";
import { addOwners, withPending } from "./read_scope.ts";
import type { Deliver, Reading, ReadRequest } from "./source.ts";

/** Longest wait for a table's lock, in ms. */
const LOCK_TIMEOUT_MS = 5000;
/** A cursor that nothing happened since is kept this long, in ms: each new one is a write. */
const CURSOR_AGE_MS = 600_000;

/** What to lock: less where the role, or the kind of relation, does not let us. */
type LockScope = "zones and records" | "zones" | "nothing";
const LESS: Record<LockScope, LockScope | undefined> = {
  "zones and records": "zones",
  "zones": "nothing",
  "nothing": undefined,
};

/** What is learned about a source and outlives its sessions. */
export interface ReaderMemory {
  /** Why every read is of everything, as last said to the operator. */
  said: string | undefined;
  /** Why owners of records cannot be asked for, as the last read of everything found. */
  ownersWrong: string | undefined;
}

/** What a read comes to. */
interface ReadResult {
  readonly reading: Reading;
  readonly changes: Changes | undefined;
}

/** Reads through one session; remembers what can be locked there. */
export class PostgresReader {
  #lock: LockScope = "zones and records";
  /** What there is to read; undefined before it was looked at. */
  #inventory: Inventory | undefined;
  readonly #follower: FeedFollower;
  /** The zones at the cursor of the last read; undefined when changes of them go unnoticed. */
  #zones: Zones | undefined;

  constructor(
    readonly session: PostgresSession,
    readonly log: Logger,
    readonly memory: ReaderMemory,
  ) {
    this.#follower = new FeedFollower(session);
  }

  /**
   * Reads what the request and the feed ask for.
   *
   * Effects: one transaction, REPEATABLE READ and READ ONLY, on the session's
   * reading connection; `deliver` is awaited, one batch after the other.
   *
   * @throws what Postgres, the session's end or `deliver` throws
   */
  async read(request: ReadRequest, deliver: Deliver): Promise<Reading> {
    for (;;) {
      if (!this.#inventory || this.#inventory.obstacle) {
        this.#inventory = await takeInventory(this.session);
        if (this.#inventory.obstacle) this.#say(this.#inventory.obstacle);
      }
      try {
        return await this.#read(request, deliver);
      } catch (error) {
        this.#inventory = undefined; // something of it may be gone
        if (error instanceof OtherInventory) continue;
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

  async #read(request: ReadRequest, deliver: Deliver): Promise<Reading> {
    const { reading, changes } = await this.session.guard(
      transaction(
        this.session.reader,
        "isolation level repeatable read read only",
        (sql) => this.#readWithin(sql, request, deliver),
      ),
    );
    this.#follower.ended(reading.cursor, changes);
    return reading;
  }

  async #readWithin(sql: Sql, request: ReadRequest, deliver: Deliver): Promise<ReadResult> {
    const inventory = this.#inventory!;
    await this.#takeLocks(sql, inventory);
    const present = await lookAround(sql, this.session, !inventory.obstacle);
    if (present.powerdns !== inventory.powerdns) throw new OtherInventory();
    const cursor = request.cursor === undefined ? undefined : parseCursor(request.cursor);
    const reason = this.#whyNoFeed(present, inventory) ?? whyNotOn(request, cursor, present);
    if (reason !== undefined || !cursor) {
      return await this.#readEverything(sql, present, deliver, reason);
    }
    const changes = await this.#follower.changes(sql, cursor, present);
    if (request.everything || changes.everything) {
      const why = request.everything ? "it was asked for" : "any zone was touched";
      return await this.#readEverything(sql, present, deliver, why, changes);
    }
    return await this.#readTouched(sql, request, cursor, present, changes, deliver);
  }

  /** Why the feed is of no use for this source; undefined when it is. */
  #whyNoFeed(present: Present, inventory: Inventory): string | undefined {
    if (inventory.obstacle) return inventory.obstacle.reason;
    const obstacle = ownerObstacle(present, this.memory.ownersWrong);
    if (obstacle) this.#say(obstacle);
    return obstacle?.reason;
  }

  async #readEverything(
    sql: Sql,
    present: Present,
    deliver: Deliver,
    reason: string | undefined,
    changes?: Changes,
  ): Promise<ReadResult> {
    const { session } = this;
    this.log.debug("source read whole", { reason });
    const zones = await readZones(sql, session, present.powerdns);
    const { settings } = zones;
    const publishedSerials = present.told
      ? await readPublishedSerials(sql, session, zones)
      : undefined;
    const watch = new OwnerWatch(settings);
    for await (const rows of readAllRecords(sql, session, present.columns)) {
      if (present.columns.owner) watch.look(rows);
      await deliver(rows, settings);
    }
    if (present.columns.owner) this.memory.ownersWrong = watch.wrong;
    if (present.powerdns) {
      for await (const rows of readPowerdnsRecords(sql, session, zones)) {
        await deliver(rows, settings);
      }
    }
    const reading: Reading = {
      cursor: formatCursor(cursorOf(present)),
      zones: settings,
      scope: "everything",
      snapshot: present.snapshot,
      changedAt: changes?.newestAt,
      publishedSerials,
    };
    this.#zones = present.zonesTable ? zones : undefined;
    return { reading, changes };
  }

  async #readTouched(
    sql: Sql,
    request: ReadRequest,
    cursor: FeedCursor,
    present: Present,
    changes: Changes,
    deliver: Deliver,
  ): Promise<ReadResult> {
    const { session } = this;
    this.#say(undefined);
    const known = this.#follower.continues(formatCursor(cursor)) && !changes.zones;
    const zones = (known ? this.#zones : undefined) ??
      await readZones(sql, session, present.powerdns);
    const scope = withPending(changes.owners, request);
    // Whoever reads first knows of no problems yet; their rows show them again.
    const isFirst = !this.#follower.isFollowing;
    if (isFirst && present.told) {
      addOwners(scope, await readProblemOwners(sql, session));
    }
    // A zone that is read whole may be a new one; the first read shows an old state file.
    const isAsked = isFirst || [...scope.values()].includes("all");
    const publishedSerials = present.told && isAsked
      ? await readPublishedSerials(sql, session, zones)
      : undefined;
    for await (const rows of readOwners(sql, session, present.columns, zones, scope)) {
      await deliver(rows, zones.settings);
    }
    const keep = scope.size === 0 && present.readAt - cursor.readAt < CURSOR_AGE_MS;
    const reading: Reading = {
      cursor: formatCursor(keep ? cursor : cursorOf(present)),
      zones: zones.settings,
      scope,
      snapshot: keep ? cursor.snapshot : present.snapshot,
      changedAt: changes.newestAt,
      publishedSerials,
    };
    this.#zones = present.zonesTable ? zones : undefined;
    return { reading, changes };
  }

  async #takeLocks(sql: Sql, inventory: Inventory): Promise<void> {
    const tables = this.#lock === "nothing" ? [] : ["zonecast.zones"];
    if (this.#lock === "zones and records") tables.push("zonecast.records");
    if (tables.length > 0 && !inventory.obstacle) tables.push("zonecast.changes");
    if (tables.length > 0 && inventory.powerdns) {
      tables.push("zonecast.powerdns_zones", "zonecast.powerdns_records");
    }
    const lock = tables.length === 0 ? "" : `lock table ${tables.join()} in access share mode`;
    try {
      await this.session.answer(
        // All rows are fetched: plans for the first few, as cursors get them, can be far slower.
        sql.unsafe(
          `set local lock_timeout = ${LOCK_TIMEOUT_MS}; set local cursor_tuple_fraction = 1; ${lock}`,
        ).simple(),
      );
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // 42501: no privilege on a table behind a view; 42809: neither table nor view.
      if (code === "42501" || code === "42809") throw new CannotLock(String(error));
      if (code !== "55P03") throw error;
      throw new SourceError(
        "source-locked",
        `Cannot read ${tables.join(", ")}: another session keeps them locked (waited ${
          LOCK_TIMEOUT_MS / 1000
        } s)`,
        "look for a long ALTER TABLE, TRUNCATE or VACUUM FULL in pg_stat_activity",
        { cause: error },
      );
    }
  }

  /** Says once why every read is of everything, and when that is over. */
  #say(obstacle: FeedObstacle | undefined): void {
    if (this.memory.said === obstacle?.reason) return;
    this.memory.said = obstacle?.reason;
    if (obstacle) this.log.warn("source must be read whole every time", { ...obstacle });
    else this.log.info("source is read by what was touched again");
  }
}

/** Why owners of `records` cannot be asked for; undefined when they can. */
function ownerObstacle(present: Present, wrong: string | undefined): FeedObstacle | undefined {
  const hint = "give it the column zonecast.owner(zone, name) as owner, zone as zones has it";
  if (!present.columns.owner) return { reason: "records has no column owner", hint };
  return wrong === undefined ? undefined : { reason: wrong, hint };
}

/** Why the feed does not go on from the cursor; undefined when it does. */
function whyNotOn(
  request: ReadRequest,
  cursor: FeedCursor | undefined,
  present: Present,
): string | undefined {
  if (request.cursor === undefined) return "it is the first read";
  return cursor ? whyNotFrom(cursor, present) : "the last read was of another source";
}

function cursorOf(present: Present): FeedCursor {
  const { database, system, timeline, standby, oids, views, snapshot, readAt } = present;
  return { database, system, timeline, standby, oids, views, snapshot, readAt };
}

/** Tables of PowerDNS are served that were not, or the other way round. */
class OtherInventory extends Error {}

/** The relations cannot be locked by us, ever. */
class CannotLock extends Error {}
