/**
 * Where a read ended, and whether the next one can go on from there.
 *
 * A cursor is the identity of what was read (which cluster, database, relations,
 * which definition of the views) and the snapshot it was read at. Anything that
 * makes the change feed no continuation of that read asks for everything. Pure.
 */
import type { ServerIdentity } from "./postgres_session.ts";

/** Which relations were read. Oids, because a restored table is another one. */
export interface FeedIdentity extends ServerIdentity {
  /** Oids of the database, of zones, records and changes. */
  readonly oids: readonly [database: number, zones: number, records: number, changes: number];
  /** Digest of the definitions of the views read, one behind the other; empty for tables. */
  readonly views: string;
}

/** A cursor, taken apart. */
export interface FeedCursor extends FeedIdentity {
  /** `pg_snapshot` as text. */
  readonly snapshot: string;
  /** When it was read, by the server's clock, in ms since the epoch. */
  readonly readAt: number;
}

/** What a snapshot says of transactions: all below xmin are over, none from xmax on has begun. */
export interface SnapshotBounds {
  readonly xmin: bigint;
  readonly xmax: bigint;
}

const SNAPSHOT = /^(\d{1,20}):(\d{1,20}):(\d{1,20}(?:,\d{1,20})*)?$/;

/** @throws {RangeError} it is no `pg_snapshot` */
export function snapshotBounds(snapshot: string): SnapshotBounds {
  const parts = SNAPSHOT.exec(snapshot);
  if (!parts) throw new RangeError(`"${snapshot}" is no snapshot`);
  return { xmin: BigInt(parts[1]), xmax: BigInt(parts[2]) };
}

export function formatCursor(cursor: FeedCursor): string {
  return JSON.stringify(cursor);
}

/** The cursor; undefined for one that another kind or version of source made. */
export function parseCursor(text: string): FeedCursor | undefined {
  let value: Partial<FeedCursor> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the state file was used with another source
  }
  const fits = typeof value === "object" && value !== null &&
    typeof value.snapshot === "string" && SNAPSHOT.test(value.snapshot) &&
    Number.isFinite(value.readAt) && Array.isArray(value.oids) && value.oids.length === 4;
  return fits ? value as FeedCursor : undefined;
}

/** What there is now, to be compared with a cursor. */
export interface FeedPresent extends FeedIdentity {
  readonly snapshot: string;
  /** Changes of transactions below this one may be pruned. */
  readonly floor: bigint;
}

/** Why the feed does not go on from the cursor, for the log; undefined when it does. */
export function whyNotFrom(cursor: FeedCursor, now: FeedPresent): string | undefined {
  // What the role may not see is undefined, and the same on both sides.
  if (cursor.system !== now.system) return "another cluster answers";
  if (cursor.timeline !== now.timeline) return "the cluster has a new timeline";
  if (cursor.database !== now.database || cursor.oids[0] !== now.oids[0]) {
    return "another database answers";
  }
  if (cursor.standby !== now.standby) return "a standby and a primary changed places";
  const other = ["zones", "records", "changes"].find((_, at) =>
    cursor.oids[at + 1] !== now.oids[at + 1]
  );
  if (other) return `zonecast.${other} is another relation`;
  if (cursor.views !== now.views) return "a view was redefined";
  const [before, present] = [snapshotBounds(cursor.snapshot), snapshotBounds(now.snapshot)];
  if (present.xmax < before.xmax) return "the database is older than at the last read";
  // A floor from the future came with a dump of another cluster: it says nothing.
  if (before.xmin < now.floor && now.floor <= present.xmax) {
    return "the feed since the last read was pruned";
  }
  return undefined;
}
