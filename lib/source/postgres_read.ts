/**
 * Reads from Postgres, each at one snapshot: of what the change feed says was
 * touched, or of everything.
 *
 * `records` may be a view: it needs the columns zone, name, type, ttl and
 * content; rows whose `disabled` is true are left out where there is such a
 * column. Without a column `owner` every read is of everything. A change of a
 * few owners costs one round trip ({@link QuickReader}) or two: what was touched,
 * and their records.
 *
 * Limitations: what a view reads from materialized views, foreign tables or
 * functions is not locked.
 */
import type { Logger } from "../ops/mod.ts";
import { type FeedCursor, formatCursor, parseCursor, whyNotFrom } from "./feed_cursor.ts";
import { OwnerWatch } from "./owner_watch.ts";
import type { Sql } from "./postgres_client.ts";
import { type Changes, FeedFollower } from "./postgres_feed.ts";
import {
  type FeedObstacle,
  type Inventory,
  type Present,
  takeInventory,
} from "./postgres_present.ts";
import { CannotLock, OtherInventory, ReadOpener } from "./postgres_opening.ts";
import {
  readAllRecords,
  readApprovals,
  readOwners,
  readPowerdnsRecords,
  readProblemOwners,
  readPublishedSerials,
  readZones,
  type Zones,
} from "./postgres_rows.ts";
import type { PostgresSession } from "./postgres_session.ts";
import { addOwners, withPending } from "./read_scope.ts";
import { QuickReader } from "./postgres_quick.ts";
import type { Deliver, Reading, ReadRequest, SourceRow } from "./source.ts";

/** A cursor that nothing happened since is kept this long, in ms: each new one is a write. */
const CURSOR_AGE_MS = 600_000;

/** What is learned about a source and outlives its sessions. */
export interface ReaderMemory {
  /** Why every read is of everything, as last said to the operator. */
  said: string | undefined;
  /** Whether a read went on from a cursor of before the server was started: not proven yet. */
  isRestarted: boolean;
  /** Why owners of records cannot be asked for, as the last read of everything found. */
  ownersWrong: string | undefined;
}

/** What a read comes to. */
interface ReadResult {
  readonly reading: Reading;
  readonly present: Present;
  readonly changes: Changes | undefined;
  /** Whether the transaction was ended with its last query. */
  readonly ended?: boolean;
}

/** Reads through one session. */
export class PostgresReader {
  readonly #opener: ReadOpener;
  /** What there is to read; undefined before it was looked at. */
  #inventory: Inventory | undefined;
  readonly #follower: FeedFollower;
  readonly #quick: QuickReader;
  /** The zones at the cursor of the last read; undefined when changes of them go unnoticed. */
  #zones: Zones | undefined;

  constructor(
    readonly session: PostgresSession,
    readonly log: Logger,
    readonly memory: ReaderMemory,
  ) {
    this.#opener = new ReadOpener(session, log);
    this.#follower = new FeedFollower(session);
    this.#quick = new QuickReader(session);
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
        if (!(error instanceof CannotLock) || !this.#opener.lockLess(error)) throw error;
      }
    }
  }

  async #read(request: ReadRequest, deliver: Deliver): Promise<Reading> {
    if (this.#quick.preparing) await this.#quick.preparing;
    const quick = await this.#readQuickly(request, deliver);
    const result = quick ?? await this.session.guard(this.#transact(request, deliver));
    const { reading, changes, present } = result;
    this.#follower.ended(reading.cursor, changes);
    if (!quick) this.#quick.prepare(this.#inventory!, present);
    return reading;
  }

  /** What a few touched owners come to; undefined where the read is of more, or of anything else. */
  async #readQuickly(request: ReadRequest, deliver: Deliver): Promise<ReadResult | undefined> {
    const { everything, pending, due } = request;
    if (everything || pending.size > 0 || due.size > 0 || !this.#zones) return undefined;
    if (request.cursor === undefined || !this.#follower.continues(request.cursor)) return undefined;
    const cursor = parseCursor(request.cursor)!;
    const quick = await this.#quick.read(cursor);
    if (!quick || whyNotOn(request, cursor, quick.present) !== undefined) return undefined;
    const { present, records } = quick;
    const { sql } = this.session.reader;
    const changes = await this.#follower.changes(sql, cursor, present, quick.changes);
    if (changes.zones || [...changes.owners.values()].includes("all")) return undefined;
    return await this.#readTouched(sql, request, cursor, present, changes, deliver, records);
  }

  async #transact(request: ReadRequest, deliver: Deliver): Promise<ReadResult> {
    const client = this.session.reader;
    let ended: boolean | undefined;
    try {
      const result = await this.#readWithin(client.sql, request, deliver);
      ({ ended } = result);
      return result;
    } finally {
      // Nobody waits for the end of a transaction that only read, and nothing is lost with it;
      // one that failed is rolled back by it. A connection that is gone takes no query.
      if (!ended && !client.closed) client.sql.unsafe("commit").catch(() => {});
    }
  }

  async #readWithin(sql: Sql, request: ReadRequest, deliver: Deliver): Promise<ReadResult> {
    const inventory = this.#inventory!;
    const cursor = request.cursor === undefined ? undefined : parseCursor(request.cursor);
    const { present, changes: first } = await this.#opener.open(
      inventory,
      cursor && !inventory.obstacle ? this.#follower.firstQuery(cursor) : undefined,
    );
    const reason = this.#whyNoFeed(present, inventory) ?? whyNotOn(request, cursor, present);
    if (reason !== undefined || !cursor) {
      return await this.#readEverything(sql, present, deliver, reason);
    }
    const changes = await this.#follower.changes(sql, cursor, present, first);
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
    const approvals = this.#inventory!.approvals ? await readApprovals(sql, session) : undefined;
    const watch = new OwnerWatch(settings);
    for await (const rows of readAllRecords(sql, session, present.columns)) {
      if (present.columns.owner) watch.look(rows);
      await deliver(rows, settings, true);
    }
    if (present.columns.owner) this.memory.ownersWrong = watch.wrong;
    this.memory.isRestarted = false;
    if (present.powerdns) {
      for await (const rows of readPowerdnsRecords(sql, session, zones)) {
        await deliver(rows, settings, true);
      }
    }
    const reading: Reading = {
      cursor: formatCursor(cursorOf(present)),
      zones: settings,
      scope: "everything",
      snapshot: present.snapshot,
      changedAt: changes?.newestAt,
      changedTick: tickOf(changes?.newestAt, present),
      publishedSerials,
      approvals,
    };
    this.#zones = present.zonesTable ? zones : undefined;
    return { reading, present, changes };
  }

  async #readTouched(
    sql: Sql,
    request: ReadRequest,
    cursor: FeedCursor,
    present: Present,
    changes: Changes,
    deliver: Deliver,
    records?: SourceRow[],
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
    // Whoever approves touches the zone's settings.
    const approvals = this.#inventory!.approvals && (isFirst || changes.zones)
      ? await readApprovals(sql, session)
      : undefined;
    const owners = records
      ? readAlready(records)
      : readOwners(sql, session, present.columns, zones, scope, request.maxRecords);
    let ended = false;
    for (let next = await owners.next();; next = await owners.next()) {
      if (next.done) {
        ended = next.value;
        break;
      }
      await deliver(next.value, zones.settings, false);
    }
    const isRestarted = cursor.startedAt !== present.startedAt;
    if (isRestarted) this.memory.isRestarted = true;
    const keep = scope.size === 0 && !isRestarted && present.readAt - cursor.readAt < CURSOR_AGE_MS;
    const reading: Reading = {
      cursor: formatCursor(keep ? cursor : cursorOf(present)),
      zones: zones.settings,
      scope,
      snapshot: keep ? cursor.snapshot : present.snapshot,
      changedAt: changes.newestAt,
      changedTick: tickOf(changes.newestAt, present),
      publishedSerials,
      approvals,
    };
    this.#zones = present.zonesTable ? zones : undefined;
    return { reading, present, changes, ended };
  }

  /** Says once why every read is of everything, and when that is over. */
  #say(obstacle: FeedObstacle | undefined): void {
    if (this.memory.said === obstacle?.reason) return;
    this.memory.said = obstacle?.reason;
    if (obstacle) this.log.warn("source must be read whole every time", { ...obstacle });
    else this.log.info("source is read by what was touched again");
  }
}

/** Records that came in a transaction which has ended. */
async function* readAlready(records: SourceRow[]): AsyncGenerator<SourceRow[], boolean> {
  yield records;
  return true;
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

/** A time of the server's clock on our monotonic one, so far as its answer was on its way no longer. */
function tickOf(at: number | undefined, { readAt, readTick }: Present): number | undefined {
  return at === undefined ? undefined : readTick - (readAt - at);
}

function cursorOf(present: Present): FeedCursor {
  const { database, system, timeline, standby, startedAt, oids, views, snapshot, readAt } = present;
  return { database, system, timeline, standby, startedAt, oids, views, snapshot, readAt };
}
