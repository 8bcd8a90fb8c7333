/** What the DNS server is given. Types only. */
import type { Cidr, Logger, SocketAddress, SystemCalls } from "../ops/mod.ts";
import type { DifferenceReader, ZoneTable, ZoneVersion } from "../zone/mod.ts";
import type { TransferRule } from "./access.ts";
import type { Clock } from "./clock.ts";
import type { KeyRing } from "./key_ring.ts";
import type { ServerLimits } from "./limits.ts";
import type { TlsOptions } from "./listeners.ts";
import type { Secondary } from "./secondary.ts";
import type { OpenUdpSocket } from "./udp_socket.ts";
import type { SecondaryEvent } from "./watcher.ts";

export interface DnsServerOptions {
  readonly zones: ZoneTable;
  /** UDP and TCP each; port 0 lets the system choose one for both. */
  readonly listen: readonly SocketAddress[];
  readonly secondaries: readonly Secondary[];
  /** Who may transfer beside the secondaries. */
  readonly allowTransfer: readonly TransferRule[];
  /** The TSIG keys of secondaries and rules; default: none. */
  readonly keys?: KeyRing;
  /** Where clients are answered over TLS, and what with; undefined: nowhere. */
  readonly tls?: TlsOptions;
  /** Authorities that vouch for secondaries over TLS, in PEM, beside the runtime's own. */
  readonly tlsAuthorities?: readonly string[];
  /** Whether transfers leave over TLS alone. */
  readonly transfersOverTlsOnly?: boolean;
  /** Prefixes that may ask; undefined means everybody. */
  readonly allowQuery?: readonly Cidr[];
  /** Prefixes whose UDP answers are not limited; default: this machine alone. */
  readonly rateExempt?: readonly Cidr[];
  /** Which server this is; undefined: not told. */
  readonly serverId?: string;
  /** Its version; undefined: not told. */
  readonly chaosVersion?: string;
  /** Where IXFR's differences come from; without it every IXFR client gets the zone. */
  readonly differences?: DifferenceReader;
  readonly log: Logger;
  /** How long a secondary may lag before that is an alarm, ms; default one minute. */
  readonly lagAlarmMs?: number;
  /** Told at each change of how a secondary stands with a zone; must return soon. */
  readonly onSecondary?: (event: SecondaryEvent) => void;
  /** Told of each NOTIFY that goes to a secondary, given by its name; must return at once. */
  readonly onNotify?: (secondary: string, version: ZoneVersion) => void;
  readonly limits?: Partial<ServerLimits>;
  /**
   * What several UDP datagrams and large transfers are sent with; undefined: one datagram at a
   * time, and the runtime writes.
   */
  readonly systemCalls?: SystemCalls;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests. */
  readonly openUdpSocket?: OpenUdpSocket;
}
