/**
 * What bounds the server: connections, time, octets. Every bound with its reason.
 */
import { MAX_UDP_OCTETS } from "../wire/mod.ts";

/** Bounds that a deployment may set; {@link DEFAULT_LIMITS} has the defaults. */
export interface ServerLimits {
  /**
   * Octets of a UDP answer, and of the queries clients are told we take: more than a path's MTU
   * carries comes in fragments, or not at all (RFC 9715 §3.1).
   */
  readonly udpOctets: number;
  /** TCP connections in all. Each costs a file descriptor; 1,024 is systemd's soft default, so stay below. */
  readonly connections: number;
  /** Of these, connections of addresses that may not transfer: strangers never lock secondaries out. */
  readonly strangerConnections: number;
  /** TCP connections of one address that may transfer; Knot and NSD open one for each zone. */
  readonly connectionsPerSecondary: number;
  /** TCP connections of one other address (IPv6: of one /64, which is one machine's to choose from). */
  readonly connectionsPerStranger: number;
  /** Time for a TLS handshake, ms: four round trips around the world, on a busy machine. */
  readonly handshakeMs: number;
  /** Time for the first message after the connection opened, ms. */
  readonly firstMessageMs: number;
  /** Time between messages, ms (RFC 7766 §6.2.3: a few seconds up; secondaries reuse connections). */
  readonly idleMs: number;
  /**
   * Time for 64 KiB to leave, ms: a client slower than 2 KiB/s has stopped reading.
   * What it has not read stays in the kernel (~4 MB) until it goes.
   */
  readonly writeMs: number;
  /** Transfers that move at a time; more wait in a queue, a client with the fewest first. */
  readonly transfers: number;
  /** Transfers of one client at a time, those that hardly move included. */
  readonly transfersPerClient: number;
  /** Octets that messages being received and answers not yet sent may take over TCP, in all. */
  readonly bufferOctets: number;
  /**
   * UDP answers of one {@link RATE_CLASSES class} to one /24 (IPv6: /56) in a second; Infinity for
   * no limit. The world asks the secondaries, a resolver that comes by asks little: 200 are many,
   * and small as an amplifier.
   */
  readonly answersPerSecond: number;
  /** Of the UDP answers above that, each so-manieth is sent truncated, so that a real client asks over TCP; 0: none. */
  readonly slip: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  udpOctets: MAX_UDP_OCTETS,
  connections: 900,
  strangerConnections: 400,
  connectionsPerSecondary: 256,
  connectionsPerStranger: 32,
  handshakeMs: 5_000,
  firstMessageMs: 10_000,
  idleMs: 30_000,
  writeMs: 30_000,
  transfers: 64,
  transfersPerClient: 16,
  bufferOctets: 64 * 1024 * 1024,
  answersPerSecond: 200,
  slip: 2,
};

/**
 * The limits that so many file descriptors allow: half of them, or all but
 * {@link RESERVED_DESCRIPTORS}, for connections, in the same shares.
 *
 * @param free  descriptors that can be opened
 */
export function limitsWithin(limits: ServerLimits, free: number): ServerLimits {
  const room = Math.max(free - RESERVED_DESCRIPTORS, Math.floor(free / 2), 1);
  if (room >= limits.connections) return limits;
  const share = (part: number) => Math.max(1, Math.floor(part * room / limits.connections));
  return {
    ...limits,
    connections: room,
    strangerConnections: share(limits.strangerConnections),
    connectionsPerSecondary: Math.min(limits.connectionsPerSecondary, Math.ceil(room / 2)),
    connectionsPerStranger: Math.min(
      limits.connectionsPerStranger,
      Math.ceil(share(limits.strangerConnections) / 2),
    ),
  };
}

/** Prefixes whose UDP answers are not limited: nobody elsewhere can send in this machine's own name. */
export const DEFAULT_RATE_EXEMPT: readonly string[] = ["127.0.0.0/8", "::1"];

/** Slots of the table that remembers whom UDP answers went to, a power of two; 8 octets each. */
export const RATE_SLOTS = 1 << 16;

/**
 * File descriptors kept free for all that is no accepted connection: the source, the state
 * file's own, the control socket, what we ask over TCP.
 */
export const RESERVED_DESCRIPTORS = 64;

/**
 * TLS handshakes in a second of clients that may not transfer: each costs about a millisecond of
 * the processor (an RSA key twice that), and the world asks the secondaries.
 */
export const STRANGER_HANDSHAKES = 50;

/** Time for a connection over TLS to a secondary, each of its steps, ms. */
export const TLS_CONNECT_MS = 5_000;
/** Time such a connection is kept after the last NOTIFY, ms: longer than one is sent again in. */
export const TLS_SENDER_IDLE_MS = 20_000;
/** NOTIFY messages that wait for such a connection; the oldest go first, and are sent again. */
export const TLS_SENDER_QUEUE = 10_000;

/** Octets read from a connection at a time: some hundred pipelined queries. */
export const READ_OCTETS = 16 * 1024;
/** The same before a client has shown that it sends much: an idle connection costs this. */
export const FIRST_READ_OCTETS = 1_024;
/**
 * Messages of one connection being answered at a time; then nothing more is read from it. NSD
 * has up to 128 transfers on one connection.
 */
export const OUTSTANDING_PER_CONNECTION = 128;
/** Octets of answers gathered before they are written. */
export const ANSWER_BATCH_OCTETS = 64 * 1024;
/** Share of {@link ServerLimits.bufferOctets} that clients who may not transfer can take. */
export const STRANGERS_BUFFER_SHARE = 0.75;

/**
 * Time that the connections may take in one {@link WORK_WINDOW_MS} for reading and answering, ms:
 * what comes pipelined on hundreds of them leaves UDP and timers their half.
 */
export const WORK_SHARE_MS = 5;
/** See {@link WORK_SHARE_MS}, ms. */
export const WORK_WINDOW_MS = 10;
/** What reading a connection costs the system beside what is done with it, ms: each time, and an octet. */
export const READ_COST_MS = 0.01;
/** See {@link READ_COST_MS}: 0.15 ms for 16 KiB. Counts in that share. */
export const OCTET_COST_MS = 0.15 / 16_384;
/**
 * Time that accepting connections and sending transfers may go on before all other sockets are
 * looked at, ms: while the kernel has more to give or takes more, they never wait by themselves.
 * The look costs one or two.
 */
export const TURN_MS = 8;
/**
 * The same for bulk handed to the kernel by {@link BulkSender}, ms: it has no turn of the event loop
 * between two pieces, and the looks cost a third of a millisecond.
 */
export const BULK_MS = 4;
/** Turns of the event loop within which the runtime looks at its sockets, however busy: 61, and what comes then. */
export const LOOK_TURNS = 64;
/**
 * Octets handed to the kernel at a time: measured, 128 KiB are 3 to 7 % slower, and more is no
 * faster. What it has no room for is copied, so a transfer to a slow client holds as much: 48 MiB
 * with 64 fast and {@link SLOW_TRANSFERS} slow ones, where every zone is large.
 */
export const BULK_OCTETS = 256 * 1024;
/**
 * Octets of bulk that the kernel keeps of what it cannot send yet: else up to 4 MB, which are then
 * no longer in any cache when they leave, and stay with a client that has stopped reading.
 */
export const BULK_UNSENT_OCTETS = 1024 * 1024;
/** Octets of a zone from which its transfer is bulk: its connection's descriptor is then looked for. */
export const BULK_FROM_OCTETS = 256 * 1024;
/**
 * Descriptors looked at for a connection: more than are open at a time unless the limits were
 * raised far; then the runtime writes. None found costs five milliseconds.
 */
export const BULK_DESCRIPTORS = 8_192;
/**
 * Up to so many transfers do without, for the looks would make them a quarter slower: each stops
 * by itself when its socket is full, after 4 MB or so.
 */
export const TRANSFERS_AT_EASE = 16;

/**
 * A transfer whose client has not taken {@link SLOW_WRITE_OCTETS} for so long hardly moves, ms: it
 * goes on, and no longer counts as one of those that move. A larger write has longer.
 */
export const SLOW_WRITE_MS = 500;
export const SLOW_WRITE_OCTETS = 80 * 1024;
/** Time between two looks for such transfers while others wait, ms. */
export const SLOW_LOOK_MS = 100;
/**
 * Transfers that hardly move, and sockets of those that ended so; each holds some megabytes of
 * the kernel's, or about {@link BULK_UNSENT_OCTETS}. At so many, only clients without any are let in.
 */
export const SLOW_TRANSFERS = 128;
/** Transfers waiting in the queue; above that they are answered SERVFAIL at once. */
export const TRANSFERS_QUEUED = 10_000;
/** Time a transfer waits, ms, before it is answered SERVFAIL: secondaries wait no longer themselves. */
export const TRANSFER_QUEUE_MS = 30_000;

/** The longest UDP query taken, octets; a longer one is cut and then answered FORMERR. */
export const UDP_QUERY_OCTETS = 4_096;
/** The longest UDP reply to what we ask ourselves, octets: small they are; a longer one is cut and not understood. */
export const UDP_REPLY_OCTETS = 1_232;
/** UDP answers handed to the kernel and not yet taken; above that they are dropped, as the network would. */
export const UDP_ANSWERS_PENDING = 4_096;
/**
 * Time that the UDP answers of one turn may take, ms: ordinary ones take a tenth of it, those from
 * RRsets of thousands of records ten times as much. Above it fewer are taken at a time.
 */
export const BATCH_MS = 2;

/** Pause after receiving over UDP failed, ms, so that a broken socket costs no processor time. */
export const RECEIVE_PAUSE_MS = 100;

/** Pause after accept() failed (no file descriptor left), ms. */
export const ACCEPT_PAUSE_MS = 100;

/** Time the journal has for an IXFR's differences, ms: condensing takes a second or two at most; secondaries wait 10 s and more. */
export const DIFFERENCE_READ_MS = 8_000;
/** Differences asked for over UDP and not yet answered; a client above that is told to use TCP. */
export const UDP_DIFFERENCE_READS = 64;

/** CNAME and DNAME links followed inside a zone; NSD and Knot stop near here too. */
export const MAX_CHAIN = 16;

/** A DNS cookie older than this is answered with a new one, s (RFC 9018 §4.3: half an hour). */
export const COOKIE_RENEWAL_S = 1_800;
/** Time a secret makes DNS cookies, ms: longer than the hour a cookie is good for (RFC 9018 §5). */
export const COOKIE_SECRET_MS = 24 * 3_600_000;

/** The longest text a server gives of itself, octets: with NSID, any answer still fits 512. */
export const MAX_IDENTITY_OCTETS = 63;

/** Names whose records are added to one answer: more help nobody. */
export const MAX_ADDITIONAL_NAMES = 32;

/** How long a secondary may lag before that is an alarm, ms: well above what those that pace themselves take. */
export const DEFAULT_LAG_ALARM_MS = 60_000;

/** Least time between two NOTIFY messages to one secondary for one zone, ms: a zone that changes faster is told of less often. */
export const NOTIFY_GAP_MS = 50;
/** Messages of one NOTIFY, sent again and again, of which each may be acknowledged yet: some seconds. */
export const NOTIFY_ANSWERABLE = 4;
/** Time for which a secondary that showed its SOA counts as alive, ms: the next is asked for sooner. */
export const LIVELY_MS = 6_000;
/** NOTIFY messages to one secondary in one {@link PACE_WINDOW_MS}. */
export const PACE_WINDOW_MESSAGES = 40;
/** SOA queries to one server in one {@link PACE_WINDOW_MS}: 1,000 a second. */
export const SOA_WINDOW_MESSAGES = 20;
/** The same of a survey, for whose answers zones wait that are not served yet: 2,000 a second. */
export const SURVEY_WINDOW_MESSAGES = 40;
/**
 * With the numbers above, 2,000 NOTIFY a second to each: a thousand zones wait half a second. A
 * socket's usual buffer (208 KiB, by the kernel's count some 250 small datagrams) holds more than
 * 80 ms of both, or 60 ms during a survey, in which the server does not come to read it.
 */
export const PACE_WINDOW_MS = 20;
/** Least time between SOA queries to a server that answers none, ms: 10 a second find out when it is back. */
export const SILENT_GAP_MS = 100;
/** Queries in a row without an answer after which a server counts as silent: more than loss explains. */
export const SILENT_AFTER = 20;
/** SOA queries to one server not yet answered: half a second's worth, more than a round trip's. */
export const SOA_QUERIES_IN_FLIGHT = 500;
/** Time a server has to answer an SOA query, ms: more than a round trip around the world. */
export const SOA_ANSWER_MS = 1_000;

/** Time between two looks at a secondary that has all, ms: one that goes back or expires is seen within two. */
export const RECHECK_MS = 60_000;
/** Least time between two such looks at one server, ms: 50 a second, so 10,000 zones take 200 s. */
export const RECHECK_GAP_MS = 20;
/** Tries of one survey of serials. */
export const SURVEY_TRIES = 3;
/** Time of one try, ms. */
export const SURVEY_TRY_MS = 1_600;
/** Time of a survey in all, ms. */
export const SURVEY_MS = 5_000;

/** Addresses of which it is remembered what they may do; strangers come and go. */
export const VERDICTS_REMEMBERED = 4_096;

/** Time between two lines of the log about the same trouble, ms. */
export const LOG_INTERVAL_MS = 10_000;
/** Kinds of trouble the log keeps apart. */
export const LOG_KEYS = 1_000;
