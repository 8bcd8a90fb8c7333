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

export class SecondaryStates {
  readonly #zones = new Map<Secondary, Map<string, SecondaryZone>>();

  constructor(readonly secondaries: readonly Secondary[]) {
    for (const secondary of secondaries) this.#zones.set(secondary, new Map());
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
