/** Changes in Postgres: single rows, many at once, settings of zones, zones that come and go. */
import type postgres from "postgres";
import type { RandomChanges } from "../interop/random_changes.ts";
import { query, type Server } from "../support/dns_client.ts";
import { until } from "../support/wait.ts";
import type { Load } from "./load.ts";
import type { Outages } from "./outages.ts";

/** A load of changes; one that Postgres' absence turns away is counted, and no finding. */
abstract class Changes implements Load {
  abstract readonly name: string;
  abstract readonly everyMs: number;
  made = 0;
  turnedAway = 0;

  constructor(readonly outages: Outages) {}

  protected abstract change(): Promise<unknown>;

  async turn(): Promise<void> {
    try {
      await this.change();
      this.made++;
    } catch (error) {
      if (!this.outages.isAway(error)) throw error;
      this.turnedAway++;
    }
  }

  summary(): string {
    return `${this.made} made, ${this.turnedAway} turned away while Postgres was gone`;
  }
}

/** One row or owner at a time, sometimes forty. */
export class RowChanges extends Changes {
  readonly name = "changes of rows";
  readonly everyMs = 600;

  constructor(outages: Outages, readonly changes: RandomChanges) {
    super(outages);
  }

  protected change(): Promise<unknown> {
    return this.changes.make();
  }
}

/** One record whose address counts up. */
export class CounterChanges extends Changes {
  readonly name = "changes of the counter";
  readonly everyMs = 900;
  /** The last value that may be in the table: its change was sent. */
  sent = 0;
  /** When each value's commit was acknowledged, ms of the monotonic clock; the last hundred. */
  readonly committedAt = new Map<number, number>();

  constructor(outages: Outages, readonly sql: postgres.Sql, readonly zone: string) {
    super(outages);
  }

  protected async change(): Promise<void> {
    const value = ++this.sent;
    await this.sql`update zonecast.records set content = ${addressOf(value)}
      where zone = ${this.zone} and name = 'counter'`;
    this.committedAt.set(value, performance.now());
    this.committedAt.delete(value - 100);
  }
}

/** The address that stands for a number, below 2^24. */
export function addressOf(value: number): string {
  return `10.${value >> 16 & 255}.${value >> 8 & 255}.${value & 255}`;
}

/** The number an address stands for. */
export function valueOf(address: string): number {
  return address.split(".").slice(1).reduce((value, octet) => value * 256 + Number(octet), 0);
}

/** All rows named `bulk…` at once: whoever sees one changed must see all. */
export class BulkChanges extends Changes {
  readonly name = "changes of 1,000 rows";
  readonly everyMs = 12_000;
  #generation = 0;

  constructor(outages: Outages, readonly sql: postgres.Sql, readonly zone: string) {
    super(outages);
  }

  protected async change(): Promise<void> {
    const generation = `"generation ${++this.#generation}"`;
    // By turns in place, and as new rows.
    if (this.#generation % 2) {
      await this.sql`update zonecast.records set content = ${generation}
        where zone = ${this.zone} and name like 'bulk%'`;
    } else {
      await this.sql`with gone as (
          delete from zonecast.records where zone = ${this.zone} and name like 'bulk%' returning name
        ) insert into zonecast.records (zone, name, type, content)
          select ${this.zone}, name, 'TXT', ${generation} from gone`;
    }
  }
}

/** Settings that change the SOA, and the TTL of every record. */
export class SettingChanges extends Changes {
  readonly name = "changes of zone settings";
  readonly everyMs = 9_000;

  constructor(outages: Outages, readonly sql: postgres.Sql, readonly zone: string) {
    super(outages);
  }

  protected async change(): Promise<void> {
    const ttl = 300 + this.made % 100;
    await this.sql`update zonecast.zones set default_ttl = ${ttl}, minimum = ${ttl}
      where name = ${this.zone}`;
  }
}

/** A zone is made, is served, is removed, and is served no more. */
export class ZoneChanges extends Changes {
  readonly name = "zones that come and go";
  readonly everyMs = 10_000;
  #number = 0;

  constructor(outages: Outages, readonly sql: postgres.Sql, readonly server: Server) {
    super(outages);
  }

  protected async change(): Promise<void> {
    const zone = `passing${this.#number++}.example`;
    // One message is one transaction; `begin` of postgres.js ends the process in an outage.
    await this.sql.unsafe(`insert into zonecast.zones (name, mname, rname)
        values ('${zone}', 'ns1.servers.example.', 'hostmaster.servers.example.');
      insert into zonecast.records (zone, name, type, content) values
        ('${zone}', '@', 'NS', 'ns1.servers.example.'), ('${zone}', 'www', 'A', '192.0.2.1')`)
      .simple();
    await this.#answers(zone, "NOERROR");
    // What a removal met by an outage leaves, the next one takes away.
    await this.sql.unsafe(`delete from zonecast.records where zone like 'passing%';
      delete from zonecast.zones where name like 'passing%'`).simple();
    await this.#answers(zone, "REFUSED");
  }

  async #answers(zone: string, rcode: string): Promise<void> {
    await until(async () => {
      const reply = await query(this.server, `www.${zone}`, "A", { resendMs: 1_000 });
      return reply.rcode === rcode;
    }, { what: `${zone} is answered ${rcode}`, intervalMs: 100 });
  }
}
