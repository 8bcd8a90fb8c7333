/**
 * Sends NOTIFY to every secondary until it is acknowledged or superseded.
 *
 * Each secondary has its own pace, so one that is away or slow delays no other.
 * Owns: sockets; a {@link NotifyTarget} for each secondary. Spec: RFC 1996 §3.
 */
import { formatName, type Name } from "../dns/mod.ts";
import type { Logger, SocketAddress } from "../ops/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { KeyRing } from "./key_ring.ts";
import { LogLimiter } from "./log_limiter.ts";
import { NotifyTarget } from "./notify_target.ts";
import type { Secondary } from "./secondary.ts";
import type { SecondaryStates } from "./secondary_state.ts";
import { type OpenUdpSocket, openUdpSocket, type UdpSocket } from "./udp_socket.ts";

export interface NotifySenderOptions {
  readonly states: SecondaryStates;
  readonly log: Logger;
  /** Keys of the secondaries that have one. */
  readonly keys?: KeyRing;
  readonly clock?: Clock;
  readonly open?: OpenUdpSocket;
  /** Authorities that vouch for secondaries over TLS, in PEM, beside the runtime's own. */
  readonly authorities?: readonly string[];
  /** Told when a secondary acknowledges the NOTIFY for a version. */
  readonly onAcknowledged?: (secondary: Secondary, version: ZoneVersion) => void;
  /** Told of each NOTIFY that goes to a secondary. */
  readonly onSent?: (secondary: Secondary, version: ZoneVersion) => void;
  /** From 0 up to 1; for tests. */
  readonly random?: () => number;
}

export class NotifySender {
  readonly #targets: readonly NotifyTarget[];
  readonly #sockets = new Map<string, UdpSocket>();
  readonly #options: NotifySenderOptions;

  constructor(options: NotifySenderOptions) {
    this.#options = options;
    const { states, keys = new KeyRing([]), clock = SYSTEM_CLOCK } = options;
    const limiter = new LogLimiter(() => clock.now());
    const setting = { ...options, keys, clock, limiter };
    this.#targets = states.secondaries.filter(({ notify }) => notify).map((secondary) =>
      new NotifyTarget(secondary, setting)
    );
  }

  /**
   * Opens the sockets: one for each `via`, one for all that have none.
   *
   * @throws {ServerError} an address cannot be bound; nothing stays open
   */
  start(): void {
    const open = this.#options.open ?? openUdpSocket;
    try {
      for (const target of this.#targets) {
        if (target.openTls(this.#options.authorities ?? [])) continue;
        const local = target.localIp;
        let socket = this.#sockets.get(local);
        if (!socket) {
          socket = open(local, (message, from) => this.#received(message, from));
          this.#sockets.set(local, socket);
        }
        target.socket = socket;
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Tells all secondaries of a version. */
  announce(version: ZoneVersion): void {
    for (const target of this.#targets) target.announce(version);
  }

  /** Tells one secondary again of a version it has acknowledged and does not show. */
  announceAgain(secondary: Secondary, version: ZoneVersion): void {
    for (const target of this.#targets) if (target.is(secondary)) target.announceAgain(version);
  }

  /** One secondary lags and shows its SOA: what it was sent may be lost. */
  lags(secondary: Secondary, apex: Name): void {
    const zone = formatName(apex);
    for (const target of this.#targets) if (target.is(secondary)) target.lags(zone);
  }

  /** Stops telling one secondary about a zone: it shows the version. */
  settle(secondary: Secondary, apex: Name): void {
    const zone = formatName(apex);
    for (const target of this.#targets) if (target.is(secondary)) target.settle(zone);
  }

  /** Stops telling about a zone. */
  retire(apex: Name): void {
    const zone = formatName(apex);
    for (const target of this.#targets) target.retire(zone);
  }

  /** Whether a secondary, if there is any, could be told of one more version soon. */
  get hasRoom(): boolean {
    return this.#targets.length === 0 || this.#targets.some(({ hasRoom }) => hasRoom);
  }

  /** Number of NOTIFY messages not yet acknowledged or given up. */
  get outstanding(): number {
    return this.#targets.reduce((sum, target) => sum + target.outstanding, 0);
  }

  close(): void {
    for (const target of this.#targets) target.close();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #received(message: Uint8Array, from: SocketAddress): void {
    for (const target of this.#targets) if (target.isAt(from)) target.received(message);
  }
}
