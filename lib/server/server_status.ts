/** How the server stands: what it tells of itself. Types only. */
import type { TransferCounts } from "./answer_counts.ts";
import type { ServerCounts } from "./dns_service.ts";
import type { ServerLimits } from "./limits.ts";
import type { SecondaryZone } from "./secondary_state.ts";

/** How the server stands, in numbers. */
export interface ServerFigures {
  /** As bound, `IP:PORT`. */
  readonly listen: readonly string[];
  /** The same for TLS. */
  readonly listenTls: readonly string[];
  readonly connections: number;
  /** Connections closed whose last write the peer has never taken. */
  readonly zombies: number;
  /** Connections that waited, closed for others, since the start. */
  readonly evicted: number;
  /** Connections for which there was no place, since the start. */
  readonly refused: number;
  /** Transfers that move, that hardly do (or left a socket behind), and that wait. */
  readonly transfers: { readonly moving: number; readonly slow: number; readonly waiting: number };
  /** Octets of messages being received and answers not yet sent over TCP. */
  readonly bufferOctets: number;
  /** NOTIFY messages not yet acknowledged. */
  readonly notifyOutstanding: number;
  /** SOA queries sent to watched servers. */
  readonly watchQueries: number;
  readonly counts: Readonly<ServerCounts>;
  /** Answers by RCODE. */
  readonly responses: Readonly<Record<string, number>>;
  readonly transferCounts: TransferCounts;
  /** As they are in force. */
  readonly limits: ServerLimits;
}

/** How the server stands. Times are ms since the epoch. */
export interface ServerStatus extends ServerFigures {
  readonly secondaries: readonly SecondaryStatus[];
}

export interface SecondaryStatus {
  readonly name: string;
  /** `IP:PORT`. */
  readonly address: string;
  readonly notify: boolean;
  /** Names of its TSIG keys, in presentation format. */
  readonly keys: readonly string[];
  readonly zones: readonly SecondaryZone[];
}
