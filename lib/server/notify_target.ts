/**
 * One secondary's NOTIFY messages: sent, repeated, answered.
 *
 * One is outstanding for each zone; a newer version takes its place. Owns: what is
 * outstanding, with its timers. Spec: RFC 1996 §3.
 *
 * Limitation: 16 bits of ID tell the outstanding messages apart; beyond some ten
 * thousand a reply may be missed, and its NOTIFY repeated.
 */
import type { Logger, SocketAddress } from "../ops/mod.ts";
import {
  answersNotify,
  FAST_TRIES,
  livelyRetryMs,
  notifyMessage,
  notifyRetryMs,
  notifyVerdict,
  readNotifyReply,
  SLOW_RETRY_MS,
} from "../transfer/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Clock } from "./clock.ts";
import { type KeyRing, RequestSigner, type Signed } from "./key_ring.ts";
import type { LogLimiter } from "./log_limiter.ts";
import { LIVELY_MS, NOTIFY_ANSWERABLE, NOTIFY_GAP_MS, PACE_WINDOW_MESSAGES } from "./limits.ts";
import { freeId } from "./message_ids.ts";
import { NotifyLog } from "./notify_log.ts";
import { Pacer } from "./pacer.ts";
import type { Secondary } from "./secondary.ts";
import type { SecondaryCounts, SecondaryStates, SecondaryZone } from "./secondary_state.ts";
import { TlsSender } from "./tls_sender.ts";
import { anyLocalIp, type UdpSocket } from "./udp_socket.ts";

/** One NOTIFY on its way. */
interface Outstanding {
  readonly version: ZoneVersion;
  readonly id: number;
  readonly state: SecondaryZone;
  tries: number;
  /** Tries with nothing seen of the secondary: the waits grow with them. */
  silentTries: number;
  /** When the secondary was last seen to lag, ms since the epoch. */
  lagSeenAt: number | undefined;
  /** When it is sent again, ms since the epoch. */
  retryAt: number;
  /** Whether it came through and was not accepted: sending it sooner is no use. */
  replied: boolean;
  /** The signatures of the messages last sent, the newest first: any may be acknowledged yet. */
  signed: readonly (Signed | undefined)[];
  /** True while it waits for its turn to be sent. */
  queued: boolean;
  cancelTimer: (() => void) | undefined;
}

/** What a target works with. */
export interface NotifySetting {
  readonly states: SecondaryStates;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limiter: LogLimiter;
  readonly keys: KeyRing;
  /** Told when a secondary acknowledges the NOTIFY for a version. */
  readonly onAcknowledged?: (secondary: Secondary, version: ZoneVersion) => void;
  /** Told of each NOTIFY that goes to a secondary. */
  readonly onSent?: (secondary: Secondary, version: ZoneVersion) => void;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

export class NotifyTarget {
  socket: UdpSocket | undefined;
  readonly #secondary: Secondary;
  readonly #states: SecondaryStates;
  readonly #clock: Clock;
  readonly #log: NotifyLog;
  /** By zone, in presentation format as the states have it. */
  readonly #byZone = new Map<string, Outstanding>();
  readonly #byId = new Map<number, Outstanding>();
  /** When the last message for a zone went, ms since the epoch. */
  readonly #sentAt = new Map<string, number>();
  readonly #pacer: Pacer;
  readonly #signer: RequestSigner;
  readonly #onAcknowledged: NotifySetting["onAcknowledged"];
  readonly #onSent: NotifySetting["onSent"];
  readonly #random: () => number;
  readonly #counts: SecondaryCounts;

  constructor(secondary: Secondary, setting: NotifySetting) {
    this.#secondary = secondary;
    this.#states = setting.states;
    this.#clock = setting.clock;
    this.#pacer = new Pacer(setting.clock);
    this.#log = new NotifyLog(secondary, setting.log, setting.limiter);
    this.#signer = new RequestSigner(setting.keys, secondary.keys);
    this.#onAcknowledged = setting.onAcknowledged;
    this.#onSent = setting.onSent;
    this.#random = setting.random ?? Math.random;
    this.#counts = setting.states.countsOf(secondary);
  }

  /** The address its messages leave from. */
  get localIp(): string {
    return this.#secondary.via ?? anyLocalIp(this.#secondary.ip);
  }

  /** Messages not yet acknowledged or given up. */
  get outstanding(): number {
    return this.#byZone.size;
  }

  /** Whether no more messages wait their turn than go out in two windows of its pace. */
  get hasRoom(): boolean {
    return this.#pacer.waiting < 2 * PACE_WINDOW_MESSAGES;
  }

  is(secondary: Secondary): boolean {
    return this.#secondary === secondary;
  }

  /** Takes a way over TLS where the secondary is to be reached so; false where it is not. */
  openTls(authorities: readonly string[]): boolean {
    if (!this.#secondary.tls) return false;
    this.socket = new TlsSender(this.#secondary, authorities, (message) => this.received(message));
    return true;
  }

  /** Whether a datagram from an address is the secondary's. */
  isAt(address: SocketAddress): boolean {
    const { ip, port, tls } = this.#secondary;
    return !tls && address.port === port && address.ip === ip;
  }

  /** Tells of a version, in place of the one before. */
  announce(version: ZoneVersion): void {
    const state = this.#states.of(this.#secondary, version.apex);
    state.notify = {
      serial: version.serial,
      sentAt: undefined,
      attempts: 0,
      acknowledgedAt: undefined,
      rcode: undefined,
    };
    this.#begin(version, state);
  }

  /** Tells again of a version announced before. */
  announceAgain(version: ZoneVersion): void {
    const state = this.#states.of(this.#secondary, version.apex);
    if (state.notify?.serial === version.serial) this.#begin(version, state);
  }

  #begin(version: ZoneVersion, state: SecondaryZone): void {
    const before = this.#byZone.get(state.zone);
    this.#drop(before);
    const id = freeId(this.#byId);
    const outstanding: Outstanding = {
      version,
      id,
      state,
      tries: 0,
      silentTries: 0,
      lagSeenAt: before?.lagSeenAt, // its messages are lost, this one may be too
      retryAt: Infinity,
      replied: false,
      signed: [],
      queued: false,
      cancelTimer: undefined,
    };
    this.#byZone.set(state.zone, outstanding);
    this.#byId.set(id, outstanding);
    const sentAt = this.#sentAt.get(state.zone);
    const wait = sentAt === undefined ? 0 : sentAt + NOTIFY_GAP_MS - this.#clock.now();
    // A clock set back must not make it wait for longer.
    if (wait > 0 && wait <= NOTIFY_GAP_MS) this.#retryIn(outstanding, wait);
    else this.#enqueue(outstanding);
  }

  /** The secondary lags and shows its SOA: what it was sent is lost, so it is sent again soon. */
  lags(zone: string): void {
    const outstanding = this.#byZone.get(zone);
    // Over TLS nothing is lost while the connection stands.
    if (!outstanding || outstanding.tries === 0 || this.#secondary.tls) return;
    outstanding.lagSeenAt = this.#clock.now();
    const ms = this.#livelyRetryMs(outstanding);
    if (ms === undefined || outstanding.queued) return;
    const retryAt = this.#sentAt.get(zone)! + ms;
    if (retryAt >= outstanding.retryAt) return;
    this.#retryIn(outstanding, Math.max(0, retryAt - this.#clock.now()));
  }

  /** Stops telling of the version announced. */
  settle(zone: string): void {
    this.#drop(this.#byZone.get(zone));
  }

  /** Forgets a zone. Names of zones are in presentation format. */
  retire(zone: string): void {
    this.#drop(this.#byZone.get(zone));
    this.#sentAt.delete(zone);
  }

  close(): void {
    for (const outstanding of [...this.#byZone.values()]) this.#drop(outstanding);
    this.#pacer.clear();
    if (this.#secondary.tls) this.socket?.close();
    this.socket = undefined;
  }

  /** Handles a message from this secondary. */
  received(message: Uint8Array): void {
    const reply = readNotifyReply(message);
    const outstanding = reply && this.#byId.get(reply.id);
    if (!outstanding || outstanding.tries === 0) return;
    if (!answersNotify(reply, outstanding.id, outstanding.version.apex)) return;
    const [newest, ...earlier] = outstanding.signed;
    const fault = this.#signer.fault(message, newest, earlier);
    if (!fault) return this.#replied(outstanding, reply.rcode);
    // A reply that anybody may have sent changes nothing; it is asked again.
    this.#log.disbelieved(outstanding, reply.rcode, fault);
  }

  #replied(outstanding: Outstanding, rcode: number): void {
    const { state, version } = outstanding;
    const verdict = notifyVerdict(rcode);
    const now = this.#clock.now();
    outstanding.replied = true;
    const acknowledgedAt = verdict === "acknowledged" ? now : state.notify!.acknowledgedAt;
    state.notify = { ...state.notify!, rcode, acknowledgedAt };
    if (verdict === "acknowledged") {
      this.#counts.notifyAcknowledged++;
      this.#log.acknowledged(outstanding);
      this.#drop(outstanding);
      return this.#onAcknowledged?.(this.#secondary, version);
    }
    this.#counts.notifyRefused++;
    this.#log.notAccepted(outstanding, rcode, verdict);
    if (verdict === "unsupported") return this.#drop(outstanding);
    // SERVFAIL runs on by the timer that is set; a refusal waits for an operator.
    if (verdict === "refused") this.#retryIn(outstanding, SLOW_RETRY_MS);
  }

  #enqueue(outstanding: Outstanding): void {
    if (outstanding.queued) return;
    outstanding.queued = true;
    this.#pacer.add(() => {
      if (!outstanding.queued) return false; // dropped meanwhile
      outstanding.queued = false;
      this.#send(outstanding);
      return true;
    });
  }

  #send(outstanding: Outstanding): void {
    const { state, version } = outstanding;
    const now = this.#clock.now();
    outstanding.tries++;
    this.#sentAt.set(state.zone, now);
    state.notify = {
      ...state.notify!,
      sentAt: now,
      attempts: state.notify!.attempts + 1,
    };
    const to = { ip: this.#secondary.ip, port: this.#secondary.port };
    const { message, signed } = this.#signer.sign(notifyMessage(outstanding.id, version.soa));
    outstanding.signed = [signed, ...outstanding.signed].slice(0, NOTIFY_ANSWERABLE);
    this.socket?.send(message, to, (error) => this.#log.failed(error));
    this.#counts.notifySent++;
    this.#onSent?.(this.#secondary, version);
    this.#log.sent(outstanding);
    const retryMs = this.#livelyRetryMs(outstanding) ?? notifyRetryMs(++outstanding.silentTries);
    if (outstanding.silentTries === FAST_TRIES) this.#log.silent(outstanding);
    this.#retryIn(outstanding, retryMs);
  }

  /** Undefined where the secondary is not known to be alive and out of reach of NOTIFY alone. */
  #livelyRetryMs({ tries, lagSeenAt, replied }: Outstanding): number | undefined {
    if (replied || lagSeenAt === undefined) return undefined;
    if (this.#clock.now() - lagSeenAt > LIVELY_MS) return undefined;
    return livelyRetryMs(tries, this.#random());
  }

  #retryIn(outstanding: Outstanding, ms: number): void {
    outstanding.cancelTimer?.();
    outstanding.retryAt = this.#clock.now() + ms;
    outstanding.cancelTimer = this.#clock.after(ms, () => {
      outstanding.cancelTimer = undefined;
      this.#enqueue(outstanding);
    });
  }

  #drop(outstanding: Outstanding | undefined): void {
    if (!outstanding) return;
    outstanding.cancelTimer?.();
    outstanding.cancelTimer = undefined;
    outstanding.queued = false;
    const { zone } = outstanding.state;
    if (this.#byZone.get(zone) === outstanding) this.#byZone.delete(zone);
    if (this.#byId.get(outstanding.id) === outstanding) this.#byId.delete(outstanding.id);
  }
}
