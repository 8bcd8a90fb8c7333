/**
 * Watches the secondaries: whether what was announced is what they show.
 *
 * After a NOTIFY is acknowledged the SOA of each watched server is asked for until
 * all have the version; while one lags, NOTIFY is sent again; one that lags for long
 * is an alarm; one that has all is looked at again now and then. Each server has its
 * own pace, so one that is away delays no other.
 *
 * Owns: a {@link ZoneWatch} for each zone and secondary. Effects: per-secondary
 * states, events, log.
 *
 * Limitations: a transfer counts for all secondaries that share its client's
 * address; a serial that is incomparable with ours (RFC 1982 §3.2) counts as behind.
 */
import { canonicalKey, formatName, type Name, type Serial } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import { rcodeName } from "../wire/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Clock } from "./clock.ts";
import { LogLimiter } from "./log_limiter.ts";
import { RecheckRing } from "./recheck_ring.ts";
import type { Secondary } from "./secondary.ts";
import type { SecondaryState, SecondaryStates, WatchState } from "./secondary_state.ts";
import { ServerWatch } from "./server_watch.ts";
import type { SoaClient, SoaPeer } from "./soa_client.ts";
import { type WatchSetting, ZoneWatch } from "./zone_watch.ts";

/** How a secondary stands with a zone, when that has changed. Times are ms since the epoch. */
export interface SecondaryEvent {
  /** The apex. */
  readonly zone: Name;
  /** The secondary's name. */
  readonly secondary: string;
  /**
   * The serial seen, of several watched servers the one farthest behind; undefined
   * when one shows none. With nothing watched, the serial last transferred.
   */
  readonly serial: Serial | undefined;
  readonly state: SecondaryState;
  /** A serial seen that is ahead of ours, whichever server shows it. */
  readonly ahead: Serial | undefined;
  /** When the serial was seen. */
  readonly seenAt: number | undefined;
  readonly lastNotifyAt: number | undefined;
  readonly lastTransferAt: number | undefined;
  /** "axfr" or "ixfr", of the last transfer. */
  readonly kind: string | undefined;
}

export interface WatcherOptions {
  readonly states: SecondaryStates;
  readonly client: SoaClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lagAlarmMs: number;
  /** Sends NOTIFY again, or soon; stops sending it. */
  readonly notify: {
    announceAgain(secondary: Secondary, version: ZoneVersion): void;
    lags(secondary: Secondary, apex: Name): void;
    settle(secondary: Secondary, apex: Name): void;
  };
  readonly onSecondary?: (event: SecondaryEvent) => void;
}

export class Watcher implements WatchSetting {
  readonly clock: Clock;
  readonly lagAlarmMs: number;
  readonly #options: WatcherOptions;
  readonly #limiter: LogLimiter;
  readonly #peers: ReadonlyMap<Secondary, readonly SoaPeer[]>;
  readonly #rings = new Map<SoaPeer, RecheckRing>();
  /** By {@link canonicalKey} of the apex. */
  readonly #watches = new Map<string, Map<Secondary, ZoneWatch>>();

  /** The client's peers are made here; start it afterwards. */
  constructor(options: WatcherOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.lagAlarmMs = options.lagAlarmMs;
    this.#limiter = new LogLimiter(() => options.clock.now());
    const { states, client } = options;
    this.#peers = new Map(states.secondaries.map((secondary) => [
      secondary,
      secondary.watch.map((address) => client.peer(address, secondary.via, secondary.keys)),
    ]));
    for (const peer of [...this.#peers.values()].flat()) {
      this.#rings.set(peer, new RecheckRing(options.clock));
    }
  }

  /** Every server watched, once. */
  get peers(): readonly SoaPeer[] {
    return [...this.#rings.keys()];
  }

  /** A version is being served. */
  announced(version: ZoneVersion): void {
    let watches = this.#watches.get(version.apexKey);
    if (!watches) this.#watches.set(version.apexKey, watches = this.#watchesOf(version));
    for (const watch of watches.values()) watch.announced(version);
  }

  acknowledged(secondary: Secondary, version: ZoneVersion): void {
    this.#watches.get(version.apexKey)?.get(secondary)?.acknowledged(version);
  }

  /** A secondary has fetched a serial, or said that it has it. */
  fetched(secondary: Secondary, apex: Name, serial: Serial): void {
    this.#watches.get(canonicalKey(apex))?.get(secondary)?.fetched(serial);
  }

  retire(apex: Name): void {
    const key = canonicalKey(apex);
    for (const watch of this.#watches.get(key)?.values() ?? []) watch.stop();
    this.#watches.delete(key);
  }

  close(): void {
    for (const watches of this.#watches.values()) {
      for (const watch of watches.values()) watch.stop();
    }
    this.#watches.clear();
  }

  /** Called by a watch at each change, or when there may be one. */
  changed(watch: ZoneWatch, before: WatchState | undefined): void {
    const { secondary, apex, state } = watch;
    if (!state) return;
    const entry = this.#options.states.of(secondary, apex);
    entry.watch = state;
    const isSame = before && before.state === state.state && before.serial === state.serial &&
      before.ahead === state.ahead && watch.toldTransfer === entry.transfer;
    if (isSame) return;
    watch.toldTransfer = entry.transfer;
    this.#report(watch, before, state);
    if (state.state === "live") this.#options.notify.settle(secondary, apex);
    this.#tell({
      zone: apex,
      secondary: secondary.name,
      serial: state.serial,
      state: state.state,
      ahead: state.ahead,
      seenAt: state.seenAt ?? (secondary.watch.length === 0 ? entry.transfer?.at : undefined),
      lastNotifyAt: entry.notify?.sentAt,
      lastTransferAt: entry.transfer?.at,
      kind: entry.transfer?.kind,
    });
  }

  renotify({ secondary, version }: ZoneWatch): void {
    this.#options.notify.announceAgain(secondary, version);
  }

  lags({ secondary, apex }: ZoneWatch): void {
    this.#options.notify.lags(secondary, apex);
  }

  #watchesOf(version: ZoneVersion): Map<Secondary, ZoneWatch> {
    const watches = new Map<Secondary, ZoneWatch>();
    for (const [secondary, peers] of this.#peers) {
      const watch = new ZoneWatch(
        secondary,
        version,
        this,
        (watching) =>
          peers.map((peer) => new ServerWatch(peer, watching, this.clock, this.#rings.get(peer)!)),
      );
      watches.set(secondary, watch);
    }
    return watches;
  }

  #tell(event: SecondaryEvent): void {
    try {
      this.#options.onSecondary?.(event);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      this.#options.log.error("secondary event failed", { error: cause });
    }
  }

  /** Says in the log what an operator should know; one line of each kind and secondary now and then. */
  #report(watch: ZoneWatch, before: WatchState | undefined, now: WatchState): void {
    const fields = {
      secondary: watch.secondary.name,
      zone: formatName(watch.apex),
      serial: watch.wanted,
      shown: now.serial,
    };
    const held = (kind: string) => this.#limiter.pass(`${kind} ${watch.secondary.name}`);
    const { log } = this.#options;
    if (now.ahead !== undefined && now.ahead !== before?.ahead) {
      const alike = held("ahead");
      if (alike === undefined) return;
      const hint = "it takes no version of ours until our serial is above its own";
      log.warn("secondary is ahead", { ...fields, shown: now.ahead, hint, alike });
    } else if (now.state === "behind" && before?.state !== "behind") {
      const alike = held("behind");
      if (alike === undefined) return;
      const wentBack = before?.state === "live" && now.serial !== before.serial;
      log.warn(wentBack ? "secondary went back" : "secondary is behind", {
        ...fields,
        lagMs: now.lagSince === undefined ? undefined : this.clock.now() - now.lagSince,
        answer: answersOf(watch),
        hint: "is it up, does it have the zone with this server as primary, may it transfer?",
        alike,
      });
    } else if (before?.state === "behind" && now.state !== "behind") {
      const alike = held("caught up");
      if (alike !== undefined) log.info("secondary caught up", { ...fields, alike });
    } else if (now.state === "live" && before?.state !== "live") {
      log.debug("secondary is live", fields);
    }
  }
}

/** What the servers that do not show the serial answer, for the log. */
function answersOf({ servers }: ZoneWatch): string | undefined {
  const answers = servers.filter(({ confirmed }) => !confirmed).map(({ last }) =>
    !last ? "none" : last.serial !== undefined ? `serial ${last.serial}` : rcodeName(last.rcode)
  );
  return answers.join(" ") || undefined;
}
