/**
 * What `zonecast status` tells, as JSON: the shape, and putting it together.
 *
 * Times are ISO 8601 in UTC. Pure.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../ops/mod.ts";
import type { HeldStatus } from "./held_status.ts";

/** The server itself; absent when the state file was read instead. */
export interface ServerStatus extends JsonObject {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly listen: string[];
  /** The same for TLS; absent from older servers. */
  readonly listenTls?: string[];
  /** By how much the event loop was late in the last ten seconds; an older server does not tell. */
  readonly loopDelay?: { readonly medianMs: number; readonly longestMs: number };
  readonly source: SourceStatus;
  /** Why the state file keeps nothing, so that nothing is published; absent while it does. */
  readonly unkept?: { readonly since: string; readonly reason: string; readonly hint?: string };
  /** The journals of all zones; absent where the state file does not tell, and from older servers. */
  readonly journal?: JournalStatus;
  readonly load?: LoadStatus;
}

/** What the journals of all zones hold. */
export interface JournalStatus extends JsonObject {
  readonly differences: number;
  readonly octets: number;
  /** When the oldest was published; absent without any. */
  readonly oldestAt?: string;
}

/** What clients make the server do. */
export interface LoadStatus extends JsonObject {
  /** TCP connections, zombies included. */
  readonly connections: number;
  /** Connections closed whose last write the peer has never taken. */
  readonly zombies: number;
  /** Connections that waited and were closed for others, since the start. */
  readonly evicted: number;
  /** Octets of messages being received and answers not yet sent over TCP. */
  readonly bufferOctets: number;
  /** Transfers that move, that hardly do, and that wait. */
  readonly transfers: {
    readonly moving: number;
    readonly slow: number;
    readonly waiting: number;
  };
  /** Totals since the start, by what is counted. */
  readonly counts: JsonObject;
}

/** The connection to the source. */
export interface SourceStatus extends JsonObject {
  readonly description: string;
  readonly up: boolean;
  /** When it came up or went down. */
  readonly since: string;
  /** Why it is down. */
  readonly reason?: string;
  /** When it was last read to the end. */
  readonly lastReadAt?: string;
  /** Reads since the start: of everything, and of what the feed named. */
  readonly reads: { readonly full: number; readonly feed: number };
  /** Why the last read, or publishing what it found, failed. */
  readonly failure?: string;
  /** When it was last told what became of its records; absent where there is nobody to tell. */
  readonly writtenBackAt?: string;
  /** Why it cannot be told. */
  readonly writeBackFailure?: string;
}

/** A zone as it is served. */
export interface ZoneStatus extends JsonObject {
  readonly zone: string;
  readonly serial: number;
  /** The SOA counted. */
  readonly records: number;
  /** Of its pages. */
  readonly octets: number;
  readonly publishedAt?: string;
}

/** A secondary, and each zone it was told of or asked for. */
export interface SecondaryStatus extends JsonObject {
  readonly name: string;
  /** Where NOTIFY goes. */
  readonly address: string;
  /** Whether it is sent NOTIFY. */
  readonly notify: boolean;
  /** Names of its TSIG keys; of an older server undefined. */
  readonly keys?: string[];
  readonly zones: SecondaryZoneStatus[];
}

/** What is known of one secondary and one zone. */
export interface SecondaryZoneStatus extends JsonObject {
  readonly zone: string;
  /** "unknown", "notified", "transferred", "live" or "behind": how far it is with the current version. */
  readonly state: string;
  /**
   * The serial its watched servers show, the one farthest behind; with nothing
   * watched, the one last transferred.
   */
  readonly serial?: number;
  /** When that was seen. */
  readonly seenAt?: string;
  /** Since when it lacks a version announced. */
  readonly lagSince?: string;
  /** A serial it shows that is ahead of ours. */
  readonly ahead?: number;
  readonly notify?: NotifyStatus;
  readonly transfer?: TransferStatus;
  /** When it last asked for the SOA. */
  readonly soaQueryAt?: string;
}

export interface NotifyStatus extends JsonObject {
  readonly serial: number;
  readonly attempts: number;
  readonly sentAt?: string;
  readonly acknowledgedAt?: string;
  /** RCODE of the last answer. */
  readonly rcode?: number;
}

export interface TransferStatus extends JsonObject {
  readonly kind: string;
  /** "udp", "tcp" or "tls". */
  readonly transport?: string;
  readonly serial: number;
  readonly octets: number;
  readonly durationMs: number;
  readonly at: string;
}

/** A row or a zone that cannot be published as it is. */
export interface ProblemStatus extends JsonObject {
  readonly zone: string;
  /** "error": not served as written; "warning": served. */
  readonly severity: string;
  /** Of the row or owner; empty where the zone is meant. */
  readonly name: string;
  /** Empty where the owner or the zone is meant. */
  readonly type: string;
  /** Empty where no one row is meant. */
  readonly content: string;
  readonly code: string;
  readonly reason: string;
  readonly hint?: string;
  /** ISO 8601 in UTC. */
  readonly since: string;
}

/** All of it. */
export interface StatusReport extends JsonObject {
  readonly server?: ServerStatus;
  readonly zones: ZoneStatus[];
  readonly secondaries: SecondaryStatus[];
  readonly problems: ProblemStatus[];
  readonly held: HeldStatus[];
}

/**
 * One answer of the control socket's `status`: a part of the report. The zones
 * of one secondary may come in several.
 */
export type StatusPart =
  | { readonly server: ServerStatus }
  | { readonly zone: ZoneStatus }
  | { readonly secondary: SecondaryStatus }
  | { readonly problem: ProblemStatus }
  | { readonly held: HeldStatus };

/**
 * The report its parts make up; parts not known are left out.
 *
 * Our own server wrote them, so their fields are taken as they are.
 */
export async function assembleReport(
  parts: AsyncIterable<JsonValue> | Iterable<JsonValue>,
): Promise<StatusReport> {
  let server: ServerStatus | undefined;
  const zones: ZoneStatus[] = [];
  const secondaries = new Map<string, SecondaryStatus>();
  const problems: ProblemStatus[] = [];
  const held: HeldStatus[] = [];
  for await (const part of parts) {
    if (!isJsonObject(part)) continue;
    if (isJsonObject(part.server)) server = part.server as ServerStatus;
    if (isJsonObject(part.zone)) zones.push(part.zone as ZoneStatus);
    if (isJsonObject(part.problem)) problems.push(part.problem as ProblemStatus);
    if (isJsonObject(part.held)) held.push(part.held as HeldStatus);
    if (isJsonObject(part.secondary)) {
      const secondary = part.secondary as SecondaryStatus;
      const known = secondaries.get(secondary.name);
      if (known) known.zones.push(...secondary.zones);
      else secondaries.set(secondary.name, { ...secondary, zones: [...secondary.zones] });
    }
  }
  zones.sort(byZone);
  for (const secondary of secondaries.values()) secondary.zones.sort(byZone);
  held.sort(byZone);
  return { server, zones, secondaries: [...secondaries.values()], problems, held };
}

function byZone(a: { readonly zone: string }, b: { readonly zone: string }): number {
  return compare(a.zone, b.zone);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
