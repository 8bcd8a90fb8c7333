/**
 * What becomes of each change, from its commit in the source until the secondaries show it:
 * told to whoever follows (`zonecast tail`), and logged with the serial in every line.
 *
 * So is what the guard holds, and that it is held no more; the log has that from elsewhere.
 *
 * Only versions published since the start are followed: what was announced again then is old.
 *
 * Owns: the newest version of each zone published since the start, what was last said to be held,
 * and who follows.
 */
import { canonicalKey, formatName, type Name, type Serial } from "../dns/mod.ts";
import type { JsonObject, Logger } from "../ops/mod.ts";
import type { Hold } from "../primary.ts";
import type { Secondary, SecondaryEvent } from "../server/mod.ts";
import type { Publication } from "../store/mod.ts";

/** Events that wait for one follower; of more only the number is told. */
const MAX_WAITING = 1000;

/** Something that happened to a change. Times are ISO 8601 in UTC. */
export interface TrailEvent extends JsonObject {
  readonly event:
    | "published"
    | "notified"
    | "transferred"
    | "live"
    | "behind"
    | "held"
    | "released"
    | "missed";
  readonly at: string;
  /** Undefined where events were missed. */
  readonly zone?: string;
  /** Undefined, too, of what is held: it has no serial yet. */
  readonly serial?: number;
}

/** A secondary, and whether anything shows that it is live. */
type Watched = Pick<Secondary, "name" | "watch">;

/** What of a held part is told. */
type TrailHold = Pick<Hold, "zone" | "id" | "why">;

/** A version that is followed. */
interface Followed {
  readonly serial: Serial;
  /** When the newest change in it was committed, else when it was published; ms since the epoch. */
  readonly from: number;
  /** What was told already: "live ns1". */
  readonly told: Set<string>;
  /** Secondaries that have it. */
  readonly live: Set<string>;
}

export class Trail {
  readonly #log: Logger;
  readonly #secondaries: readonly Watched[];
  readonly #now: () => number;
  /** By canonical key of the apex. */
  readonly #followed = new Map<string, Followed>();
  readonly #followers = new Set<Follower>();
  /** Zone → what is held of it. */
  #holds = new Map<string, TrailHold>();

  /** @param secondaries  all there are: the m of "live on n of m" */
  constructor(log: Logger, secondaries: readonly Watched[], now: () => number = Date.now) {
    this.#log = log;
    this.#secondaries = secondaries;
    this.#now = now;
  }

  /**
   * A version is durable, served and announced.
   *
   * @param changedAt  when the newest change in it was committed, ms since the epoch
   */
  published(
    { version, diff, cause, publishedAt }: Publication,
    changedAt: number | undefined,
  ): void {
    const from = changedAt ?? publishedAt;
    const followed = {
      serial: version.serial,
      from,
      told: new Set<string>(),
      live: new Set<string>(),
    };
    this.#followed.set(version.apexKey, followed);
    this.#tell({
      event: "published",
      at: isoTime(publishedAt),
      zone: formatName(version.apex),
      serial: version.serial,
      added: diff?.added.count ?? version.records,
      removed: diff?.removed.count ?? 0,
      cause,
      committedAt: changedAt === undefined ? undefined : isoTime(changedAt),
      ms: changedAt === undefined ? undefined : msBetween(changedAt, publishedAt),
    });
  }

  /** A zone is no longer served. */
  retired(apex: Name): void {
    this.#followed.delete(canonicalKey(apex));
  }

  /**
   * What is held is no longer the same.
   *
   * @param holds  all there are now, one a zone
   */
  held(holds: Iterable<TrailHold>): void {
    const before = this.#holds;
    this.#holds = new Map(Array.from(holds, ({ zone, id, why }) => [zone, { zone, id, why }]));
    const at = isoTime(this.#now());
    for (const { zone, id, why } of this.#holds.values()) {
      if (before.get(zone)?.id !== id) this.#tell({ event: "held", at, zone, id, why });
    }
    for (const { zone, id } of before.values()) {
      if (!this.#holds.has(zone)) this.#tell({ event: "released", at, zone, id });
    }
  }

  /** A secondary's standing with a zone has changed. */
  secondary(event: SecondaryEvent): void {
    const followed = this.#followed.get(canonicalKey(event.zone));
    if (!followed) return;
    const { state, secondary } = event;
    if (state === "unknown") return;
    const key = `${state} ${secondary}`;
    if (followed.told.has(key)) return;
    followed.told.add(key);
    const ms = msBetween(followed.from, this.#now());
    const base = {
      at: isoTime(this.#now()),
      zone: formatName(event.zone),
      serial: followed.serial,
    };
    const fields = { zone: base.zone, serial: followed.serial, secondary };
    if (state === "behind") {
      followed.told.delete(`live ${secondary}`);
      this.#tell({ event: "behind", ...base, secondary, shows: event.serial, ms });
    } else if (state === "notified") {
      this.#log.info("secondary notified", { ...fields, ms });
      this.#tell({ event: "notified", ...base, secondary, ms });
    } else {
      // One that is not watched ends at transferred.
      const isWatched = this.#secondaries.some(({ name, watch }) =>
        name === secondary && watch.length > 0
      );
      if (state === "live" || !isWatched) followed.live.add(secondary);
      const count = { live: followed.live.size, of: this.#secondaries.length };
      if (state === "live") {
        followed.told.delete(`behind ${secondary}`);
        this.#log.info("live", { ...fields, shows: event.serial, ...count, ms });
        this.#tell({ event: "live", ...base, secondary, ...count, ms });
      } else this.#tell({ event: "transferred", ...base, secondary, kind: event.kind, ms });
    }
  }

  /**
   * What happens from now on.
   *
   * @param zone  the one zone to follow, in presentation format and lower case; undefined for all
   * @param signal  ends it
   */
  async *follow(zone: string | undefined, signal: AbortSignal): AsyncGenerator<TrailEvent> {
    const follower = new Follower(zone);
    const stop = () => follower.end();
    signal.addEventListener("abort", stop);
    this.#followers.add(follower);
    try {
      while (!signal.aborted) yield* await follower.next();
    } finally {
      this.#followers.delete(follower);
      signal.removeEventListener("abort", stop);
    }
  }

  #tell(event: TrailEvent): void {
    if (this.#followers.size === 0) return;
    for (const follower of this.#followers) follower.take(event);
  }
}

/** One who follows, and what waits for it. */
class Follower {
  #waiting: TrailEvent[] = [];
  #missed = 0;
  #wake: () => void = () => {};

  constructor(readonly zone: string | undefined) {}

  take(event: TrailEvent): void {
    if (this.zone !== undefined && event.zone?.toLowerCase() !== this.zone) return;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(event);
    else this.#missed++;
    this.#wake();
  }

  end(): void {
    this.#wake();
  }

  /** All that waits, as soon as something does; nothing when it is ended. */
  async next(): Promise<TrailEvent[]> {
    if (this.#waiting.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const events = this.#waiting;
    if (this.#missed > 0) {
      events.push({ event: "missed", at: isoTime(Date.now()), count: this.#missed });
    }
    this.#waiting = [];
    this.#missed = 0;
    return events;
  }
}

/** Whole ms; the source's clock, which says when a change was committed, may be ahead of ours. */
function msBetween(from: number, to: number): number {
  return Math.max(0, Math.round(to - from));
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
