/** What there is to see when a zone's name servers move. Types only; names absolute, lower case. */

/** A set of name servers, as some server gives it. */
export interface NameServerSet {
  /** Sorted. */
  readonly names: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

/** A server that was asked. */
export interface AskedPlace {
  /** "ns1.example.net. (192.0.2.1:53)". */
  readonly server: string;
  /** Why it could not be asked, or says nothing of the zone; undefined when it answered. */
  readonly fault: string | undefined;
}

/** A server of the parent zone. */
export interface ParentView extends AskedPlace {
  /** The delegation; undefined where there is none. */
  readonly delegation: NameServerSet | undefined;
  /** Addresses beside it, by name server. */
  readonly glue: ReadonlyMap<string, readonly string[]>;
  /** Key tags of the DS records. */
  readonly ds: readonly number[];
  /** Their TTL, seconds. */
  readonly dsTtl: number;
}

/** A server of the zone: one that the parent names, or named, or one that it is to name. */
export interface ZoneServerView extends AskedPlace {
  readonly name: string;
  /** "192.0.2.1:53". */
  readonly address: string;
  /** Whether it answers for the zone with authority. */
  readonly isAuthoritative: boolean;
  readonly serial: number | undefined;
  readonly nameServers: NameServerSet | undefined;
}

/** All of it, at one time. */
export interface CutoverFacts {
  /** ms since the epoch. */
  readonly now: number;
  /** Absolute. */
  readonly zone: string;
  /** The zone as it is published here. */
  readonly ours: {
    readonly serial: number;
    readonly nameServers: NameServerSet;
    /** Addresses that the zone itself has for its name servers. */
    readonly glue: ReadonlyMap<string, readonly string[]>;
    /** Key tags of its DNSKEY records. */
    readonly keys: readonly number[];
  };
  readonly parent: readonly ParentView[];
  /** The servers that answered for the zone before, and are none of ours. */
  readonly old: readonly ZoneServerView[];
  readonly fresh: readonly ZoneServerView[];
  /** RRsets that differ between an old server and what is published; undefined: not compared. */
  readonly differing: number | undefined;
}

/** A server of the zone and where it was, as the plan file keeps it. */
export interface OldServer {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
}

/** What earlier runs have seen. */
export interface CutoverMemory {
  readonly zone: string;
  readonly startedAt: number;
  readonly old: readonly OldServer[];
  /** The largest TTL of the name servers at the old provider, until it was lowered, s. */
  readonly oldTtlBefore: number;
  /** The same as last seen while it was the old provider's. */
  readonly oldTtl: number;
  /** The largest TTL of the parent's delegation to the old servers, s. */
  readonly parentTtl: number;
  /** The largest TTL of DS records seen; 0 when there never were any. */
  readonly dsTtl: number;
  /** When each step was first seen done, and has been since: ms since the epoch, by its id. */
  readonly seen: Readonly<Record<string, number>>;
}
