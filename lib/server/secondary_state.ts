/**
 * What is known of each secondary and zone: NOTIFY, transfers, SOA queries, the SOA it shows.
 *
 * Owns: one entry for each (secondary, zone) that had traffic. A request from an
 * address that several secondaries share is counted for all of them.
 */
import { canonicalKey, formatName, type Name, type Serial } from "../dns/mod.ts";
import type { Transport } from "./respond.ts";
import type { Secondary } from "./secondary.ts";

/** How a NOTIFY stands. */
export interface NotifyState {
  /** The serial announced. */
  readonly serial: Serial;
  /** When the last message went, ms since the epoch; undefined while it waits its turn. */
  readonly sentAt: number | undefined;
  /** Messages sent for this serial. */
  readonly attempts: number;
  /** When NOERROR came, ms since the epoch. */
  readonly acknowledgedAt: number | undefined;
  /** RCODE of the last reply for this serial. */
  readonly rcode: number | undefined;
}

/** A transfer that ended well. */
export interface TransferState {
  readonly kind: "axfr" | "ixfr";
  readonly transport: Transport;
  readonly serial: Serial;
  readonly octets: number;
  readonly durationMs: number;
  /** When it ended, ms since the epoch. */
  readonly at: number;
}

/**
 * How far a secondary is with the version that is served:
 * - unknown: nothing has been heard of it since the version was announced;
 * - notified: it has acknowledged the NOTIFY;
 * - transferred: it has fetched the version;
 * - live: all its watched servers show the serial;
 * - behind: they have not for as long as the lag alarm allows, or not any more, or
 *   they show a serial ahead of ours, which is not ours either.
 */
export type SecondaryState = "unknown" | "notified" | "transferred" | "live" | "behind";

/** What its watched servers show. */
export interface WatchState {
  readonly state: SecondaryState;
  /**
   * The serial farthest behind; undefined when a server shows none. With nothing
   * watched, the serial last transferred.
   */
  readonly serial: Serial | undefined;
  /** When it was last seen, ms since the epoch. */
  readonly seenAt: number | undefined;
  /** Since when it has not shown a version announced, ms since the epoch. */
  readonly lagSince: number | undefined;
  /** A serial shown that is ahead of ours. */
  readonly ahead: Serial | undefined;
}

/** One secondary and one zone. */
export interface SecondaryZone {
  /** Presentation format. */
  readonly zone: string;
  notify: NotifyState | undefined;
  transfer: TransferState | undefined;
  /** When it last asked for the SOA, ms since the epoch. */
  soaQueryAt: number | undefined;
  /** Undefined before the zone is first announced. */
  watch: WatchState | undefined;
}

/** Totals of one secondary since the start. */
export interface SecondaryCounts {
  notifySent: number;
  notifyAcknowledged: number;
  /** Answers to NOTIFY other than NOERROR. */
  notifyRefused: number;
}

/** How one secondary stands with all zones together. */
export interface SecondarySummary {
  readonly name: string;
  /** Zones in each state. */
  readonly zones: Readonly<Record<SecondaryState, number>>;
  /** The longest that it has lacked a version announced: since when, ms since the epoch. */
  readonly lagSince: number | undefined;
  /** Zones of which it shows a serial ahead of ours. */
  readonly ahead: number;
  readonly counts: Readonly<SecondaryCounts>;
}

export class SecondaryStates {
  readonly #zones = new Map<Secondary, Map<string, SecondaryZone>>();
  readonly #counts = new Map<Secondary, SecondaryCounts>();

  constructor(readonly secondaries: readonly Secondary[]) {
    for (const secondary of secondaries) {
      this.#zones.set(secondary, new Map());
      this.#counts.set(secondary, { notifySent: 0, notifyAcknowledged: 0, notifyRefused: 0 });
    }
  }

  /** The totals of a secondary, to be counted in. */
  countsOf(secondary: Secondary): SecondaryCounts {
    return this.#counts.get(secondary)!;
  }

  /** How a secondary stands; looks at each of its zones. */
  summary(secondary: Secondary): SecondarySummary {
    const zones = { unknown: 0, notified: 0, transferred: 0, live: 0, behind: 0 };
    let lagSince: number | undefined;
    let ahead = 0;
    for (const { watch } of this.#zones.get(secondary)?.values() ?? []) {
      zones[watch?.state ?? "unknown"]++;
      if (watch?.ahead !== undefined) ahead++;
      if (watch?.lagSince !== undefined) lagSince = Math.min(lagSince ?? Infinity, watch.lagSince);
    }
    return { name: secondary.name, zones, lagSince, ahead, counts: this.countsOf(secondary) };
  }

  /** The entry of a secondary and zone, made if there is none. */
  of(secondary: Secondary, apex: Name): SecondaryZone {
    const zones = this.#zones.get(secondary);
    if (!zones) throw new RangeError(`Cannot find state of secondary "${secondary.name}"`);
    const key = canonicalKey(apex);
    let entry = zones.get(key);
    if (!entry) {
      entry = {
        zone: formatName(apex),
        notify: undefined,
        transfer: undefined,
        soaQueryAt: undefined,
        watch: undefined,
      };
      zones.set(key, entry);
    }
    return entry;
  }

  /** The entry of a secondary and zone, copied; undefined when there is none. */
  find(secondary: Secondary, apex: Name): SecondaryZone | undefined {
    const entry = this.#zones.get(secondary)?.get(canonicalKey(apex));
    return entry && { ...entry };
  }

  /** Forgets a zone. */
  retire(apex: Name): void {
    const key = canonicalKey(apex);
    for (const zones of this.#zones.values()) zones.delete(key);
  }

  /** All entries of a secondary, copied. */
  list(secondary: Secondary): SecondaryZone[] {
    return [...this.#zones.get(secondary)?.values() ?? []].map((entry) => ({ ...entry }));
  }
}
