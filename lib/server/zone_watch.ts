/**
 * One zone at one secondary: how far it is, told at each change.
 *
 * ```
 * unknown ─acknowledged→ notified ─fetched it→ transferred ─all its servers show it→ live
 *    └────────────── not shown within the lag alarm ──────────────→ behind ─shown→ live
 * ```
 * A newer version begins again at unknown, but a secondary that is behind stays
 * behind until it shows something. One with nothing watched ends at transferred.
 *
 * Owns: a {@link ServerWatch} for each watched server, the timer of the alarm.
 */
import type { Name, Serial } from "../dns/mod.ts";
import {
  BEHIND_POLL_MS,
  farthestBehind,
  hasSerial,
  MAX_POLL_MS,
  pollMs,
  renotifyMs,
  UNACKNOWLEDGED_POLL_MS,
} from "../transfer/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Clock } from "./clock.ts";
import type { Secondary } from "./secondary.ts";
import type { TransferState, WatchState } from "./secondary_state.ts";
import { ServerWatch, type Watching } from "./server_watch.ts";
import type { SoaAnswer } from "./soa_client.ts";

/** What a zone's watch needs and whom it tells. */
export interface WatchSetting {
  readonly clock: Clock;
  readonly lagAlarmMs: number;
  /** Something in {@link ZoneWatch.state} has changed. */
  changed(watch: ZoneWatch, before: WatchState | undefined): void;
  /** The secondary lags though it has acknowledged: notify it again. */
  renotify(watch: ZoneWatch): void;
  /** The secondary lags, shows its SOA, and has not acknowledged: NOTIFY may be lost on its way. */
  lags(watch: ZoneWatch): void;
}

/** A version announced, sampled: how long it has not been shown is the lag. */
interface Mark {
  readonly serial: Serial;
  /** ms since the epoch. */
  readonly at: number;
}

/** Marks within the time of the alarm; with more the lag would not be known better. */
const MARKS = 30;

export class ZoneWatch implements Watching {
  readonly servers: readonly ServerWatch[];
  /** The last transfer that was told of; the setting's to keep. */
  toldTransfer: TransferState | undefined;
  readonly #setting: WatchSetting;
  #version: ZoneVersion;
  #state: WatchState | undefined;
  /** Versions not yet shown, oldest first. */
  #marks: Mark[] = [];
  #cancelAlarm: (() => void) | undefined;
  /** When the alarm goes off, ms since the epoch; undefined while none is set. */
  #alarmAt: number | undefined;
  /** Of the last transfer that ended. */
  #fetched: Serial | undefined;
  /** Whether a NOTIFY for the version is acknowledged and none is on its way. */
  #acknowledged = false;
  #renotified = 0;
  #renotifyAt = 0;
  #stopped = false;

  constructor(
    readonly secondary: Secondary,
    version: ZoneVersion,
    setting: WatchSetting,
    servers: (watching: Watching) => readonly ServerWatch[],
  ) {
    this.#setting = setting;
    this.#version = version;
    this.servers = servers(this);
  }

  get apex(): Name {
    return this.#version.apex;
  }

  get version(): ZoneVersion {
    return this.#version;
  }

  get wanted(): Serial {
    return this.#version.serial;
  }

  get longestPollMs(): number {
    return this.#lagMs() >= this.#setting.lagAlarmMs ? BEHIND_POLL_MS : MAX_POLL_MS;
  }

  /** Undefined before the first {@link announced}. */
  get state(): WatchState | undefined {
    return this.#state;
  }

  /** A version is served from now on. */
  announced(version: ZoneVersion): void {
    const isFirst = this.#state === undefined;
    this.#version = version;
    this.#acknowledged = false;
    this.#renotified = 0;
    for (const server of this.servers) {
      server.confirmed &&= hasSerial(server.serial, version.serial);
    }
    if (!this.#isDone()) {
      // With nothing watched only a transfer shows what it has: at the start there need be none.
      if (this.servers.length > 0 || !isFirst) this.#mark();
      this.#become(this.#state?.state === "behind" ? "behind" : "unknown");
    }
    this.#poll(this.secondary.notify ? UNACKNOWLEDGED_POLL_MS : pollMs(0));
    this.#judge();
  }

  /** The NOTIFY for a version has been acknowledged. */
  acknowledged(version: ZoneVersion): void {
    if (version.serial !== this.wanted) return;
    this.#acknowledged = true;
    this.#renotifyAt = this.#setting.clock.now() + renotifyMs(this.#renotified);
    if (this.#state?.state === "unknown") this.#become("notified");
    if (this.#renotified === 0) return this.#poll(pollMs(0));
    for (const server of this.servers) if (!server.confirmed) server.soon(pollMs(0));
  }

  /** A transfer of a serial to this secondary has ended well, or it says that it has it. */
  fetched(serial: Serial): void {
    this.#fetched = serial;
    const has = hasSerial(serial, this.wanted);
    const state = this.#state?.state;
    if (has && (state === "unknown" || state === "notified")) this.#become("transferred");
    else this.#tell();
    this.#poll(pollMs(0));
    if (this.servers.length === 0) this.#judge();
  }

  /** A server has answered, or has not in time. */
  answered(server: ServerWatch, answer: SoaAnswer | undefined): void {
    const wentBack = this.#state?.state === "live" && answer?.serial !== undefined &&
      !server.confirmed;
    if (wentBack) {
      this.#mark();
      this.#become("behind");
    }
    this.#judge();
    if (server.confirmed || !this.secondary.notify || this.#stopped) return;
    if (this.#acknowledged) this.#maybeRenotify();
    else if (answer?.serial !== undefined) this.#setting.lags(this);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    for (const server of this.servers) server.stop();
  }

  #poll(ms: number): void {
    for (const server of this.servers) if (!server.confirmed) server.restart(ms);
  }

  /** Whether the version is where it should be. */
  #isDone(): boolean {
    if (this.servers.length === 0) return hasSerial(this.#fetched, this.wanted);
    return this.servers.every(({ confirmed }) => confirmed);
  }

  /** Brings state and alarm up to date with what has been seen. */
  #judge(): void {
    const serial = this.#shown();
    const marks = this.#marks.length;
    this.#marks = this.#marks.filter((mark) => !hasSerial(serial, mark.serial));
    if (this.#isDone()) {
      this.#marks = [];
      // What is ahead of us is not what we serve: it will not take our versions either.
      const isAhead = this.#ahead() !== undefined;
      this.#become(this.servers.length === 0 ? "transferred" : isAhead ? "behind" : "live");
    } else if (this.#state !== undefined) {
      const isLate = this.#marks.length > 0 && this.#lagMs() >= this.#setting.lagAlarmMs;
      const follows = this.#marks.length < marks;
      if (this.servers.length > 0 && this.#marks.length === 0) this.#mark();
      if (isLate) this.#become("behind");
      else if (follows && this.#state.state === "behind") {
        this.#become(this.#acknowledged ? "notified" : "unknown");
      } else this.#tell();
    }
    this.#setAlarm();
  }

  #setAlarm(): void {
    const [oldest] = this.#marks;
    const isOff = this.#stopped || !oldest || this.#state?.state === "behind";
    const alarmAt = isOff ? undefined : oldest.at + this.#setting.lagAlarmMs;
    if (alarmAt === this.#alarmAt) return;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    this.#alarmAt = alarmAt;
    if (alarmAt === undefined) return;
    const inMs = Math.max(0, alarmAt - this.#setting.clock.now());
    this.#cancelAlarm = this.#setting.clock.after(inMs, () => {
      this.#cancelAlarm = undefined;
      this.#alarmAt = undefined;
      this.#judge();
    });
  }

  #mark(): void {
    const at = this.#setting.clock.now();
    const last = this.#marks[this.#marks.length - 1];
    if (last && at - last.at < this.#setting.lagAlarmMs / MARKS) return;
    this.#marks.push({ serial: this.wanted, at });
    if (this.#marks.length > 2 * MARKS) this.#marks.splice(1, 1); // the oldest is the lag
  }

  #lagMs(): number {
    const [oldest] = this.#marks;
    return oldest ? this.#setting.clock.now() - oldest.at : 0;
  }

  #maybeRenotify(): void {
    if (this.#setting.clock.now() < this.#renotifyAt) return;
    this.#acknowledged = false; // until it acknowledges this one
    this.#renotified++;
    this.#setting.renotify(this);
  }

  #shown(): Serial | undefined {
    if (this.servers.length === 0) return this.#fetched;
    return farthestBehind(this.servers.map(({ serial }) => serial));
  }

  /** A serial shown that is ahead of the one we serve. */
  #ahead(): Serial | undefined {
    const shown = this.servers.map(({ serial }) => serial).filter((serial) =>
      serial !== undefined && serial !== this.wanted && hasSerial(serial, this.wanted)
    );
    return shown[0];
  }

  #become(state: WatchState["state"]): void {
    this.#tell(state);
  }

  #tell(state = this.#state?.state ?? "unknown"): void {
    const before = this.#state;
    const seen = this.servers.map(({ seenAt }) => seenAt).filter((at) => at !== undefined);
    this.#state = {
      state,
      serial: this.#shown(),
      seenAt: seen.length === 0 ? undefined : Math.min(...seen),
      lagSince: this.#marks[0]?.at,
      ahead: this.#ahead(),
    };
    this.#setting.changed(this, before);
  }
}
