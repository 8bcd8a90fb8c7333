/**
 * What a fault befalls: Postgres with one zone, zonecast, a secondary that follows it, and somebody
 * who asks all the time.
 *
 * A scenario breaks and mends things, changes records, and waits for what the operator is to be
 * told; times and words are kept for the account.
 */
import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { axfr, type Server } from "../support/dns_client.ts";
import { type FakedClock, startFakedClock } from "../support/faked_clock.ts";
import { recordText } from "../support/ixfr.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { type Prober, startProber } from "../support/prober.ts";
import { type FollowingSecondary, startFollowing } from "../support/secondary_following.ts";
import { serveZones, sourceDatabase } from "../support/setup.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp_proxy.ts";
import { DEADLINE_MS, sleep, until } from "../support/wait.ts";
import type { Zonecast, ZonecastOptions } from "../support/zonecast.ts";
import type { LiveTime } from "./fault.ts";
import { type LogEvent, logEvents, type Told, toldOf } from "./told.ts";

/** The zone, as its row has it and as questions do. */
export const NAME = "night.example";
export const ZONE = `${NAME}.`;
/** The record that is there all the time. */
const STEADY = { name: `steady.${NAME}`, address: "192.0.2.1" };
/** Owners that stay as they are, so that a change of a few is a small one. */
const OWNERS = 40;

export interface NightOptions {
  /** postgresql.conf settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether it is broken from the beginning on, so that what is live counts at once. */
  readonly isBroken?: boolean;
  /** Whether zonecast reaches Postgres through {@link Night.proxy}. */
  readonly proxied?: boolean;
  /** Whether Postgres has a clock of its own, which {@link Night.setClock} sets. */
  readonly hasClock?: boolean;
  /** Further flags of `serve`. */
  readonly args?: readonly string[] | ((full: boolean) => readonly string[]);
  /** zonecast's source, where it is not the database itself; what it needs can be started in it. */
  readonly source?: (ground: Ground) => string | Promise<string>;
  /** How else zonecast is started; what it needs can be started in it. */
  readonly serve?: (ground: Ground) => ServeOptions | Promise<ServeOptions>;
}

/** What a night may change of how zonecast is started. */
export interface ServeOptions extends Pick<ZonecastOptions, "env" | "state" | "args"> {
  /** What stands between the two, given their addresses; each is told of the other's through it. */
  readonly between?: Between;
}

/** What stands between zonecast and its secondary. */
export interface Between {
  /** Where the secondary transfers from, given zonecast's address. */
  toPrimary(primary: Server): Server;
  /** Where zonecast sends NOTIFY, given the secondary's address. */
  toSecondary(secondary: Server): Server;
}

/** What is there before zonecast is. */
export interface Ground {
  readonly postgres: TestPostgres;
  /** Of the night's database, as superuser. */
  readonly url: string;
  readonly sql: postgres.Sql;
  /** A standby of it, and the way its replication takes, where {@link NightOptions.source} made them. */
  standby?: TestPostgres;
  /** Of Postgres, where {@link NightOptions.hasClock}. */
  readonly clock: FakedClock | undefined;
  stream?: TcpProxy;
  /** What is given to it ends with the night. */
  running: AsyncDisposableStack;
}

/** A change that was committed. */
export interface Change {
  readonly record: string;
  /** By performance.now(). */
  readonly committedAt: number;
}

export class Night implements AsyncDisposable {
  readonly liveTimes: LiveTime[] = [];
  readonly told: Told[] = [];
  /** What a secondary must never meet. */
  readonly wrong: string[] = [];
  /** Where changes are written, and what the zone is to become in the end. */
  sql: postgres.Sql;
  #changes = 0;
  #brokenAt = performance.now();
  /** The same by the clock, as the log has its times. */
  #brokenTime = Date.now();
  #mendedAt = 0;
  #isBroken: boolean;
  /** The length of the log when the fault began. */
  #logFrom = 0;

  private constructor(
    /** zonecast's source. */
    readonly source: string,
    /** Whether it lasts as long as `make fault` has it; else for seconds. */
    readonly full: boolean,
    readonly ground: Ground,
    readonly zonecast: Zonecast,
    readonly secondary: FollowingSecondary,
    readonly prober: Prober,
    private readonly ownProxy: TcpProxy | undefined,
    options: NightOptions,
  ) {
    this.sql = ground.sql;
    this.#isBroken = options.isBroken ?? false;
  }

  /** Starts all of it; the zone is published, and its secondary has it. */
  static async begin(options: NightOptions, full: boolean): Promise<Night> {
    await using running = new AsyncDisposableStack();
    const { args: further = [] } = options;
    const clock = options.hasClock ? await startFakedClock(running) : undefined;
    const postgres = running.use(
      await startPostgres({ settings: options.settings, env: clock?.env }),
    );
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    const rows = [
      { zone: NAME, name: "steady", type: "A", content: STEADY.address },
      ...Array.from({ length: OWNERS }, (_, i) => (
        { zone: NAME, name: `owner${i}`, type: "A", content: `192.0.2.${i + 2}` }
      )),
    ];
    await sql`insert into zonecast.records ${sql(rows)}`;
    const ground: Ground = { postgres, url, sql, running, clock };
    const proxy = options.proxied
      ? running.use(startTcpProxy({ addr: "127.0.0.1", port: postgres.port }))
      : undefined;
    const direct = await options.source?.(ground) ?? url;
    const source = proxy ? direct.replace(`:${postgres.port}/`, `:${proxy.port}/`) : direct;

    const primary = { addr: "127.0.0.1", port: freePort() };
    const { between, args = [], ...serve } = await options.serve?.(ground) ?? {};
    const follow = between?.toPrimary(primary) ?? primary;
    const secondary = running.use(startFollowing(follow, { zone: NAME }));
    const zonecast = running.use(
      await serveZones({
        source,
        zones: [ZONE],
        port: primary.port,
        secondaries: [between?.toSecondary(secondary) ?? secondary],
        ...serve,
        args: [
          ...["--allow-transfer", "127.0.0.1", "--log-format", "json"],
          ...args,
          ...typeof further === "function" ? further(full) : further,
        ],
      }),
    );
    await until(() => secondary.serial !== undefined, { what: "the secondary has the zone" });
    const prober = running.use(startProber(zonecast, ZONE, STEADY));
    ground.running = running.move();
    const night = new Night(source, full, ground, zonecast, secondary, prober, proxy, options);
    night.#watchSecondary();
    return night;
  }

  /** What is given to it ends with the night. */
  get running(): AsyncDisposableStack {
    return this.ground.running;
  }

  get postgres(): TestPostgres {
    return this.ground.postgres;
  }

  get proxy(): TcpProxy {
    if (!this.ownProxy) throw new Error("This night has no proxy: proxied is not set");
    return this.ownProxy;
  }

  #watchSecondary(): void {
    const steady = `${STEADY.name} 300 A ${JSON.stringify(STEADY.address)}`;
    this.secondary.onVersion = ({ serial, records }) => {
      if (!records.has(steady)) this.wrong.push(`serial ${serial} lacks ${steady}`);
    };
  }

  /** Has the fault begin: its time, and what the log says of it, count from here. */
  async breaks(fault: () => unknown): Promise<void> {
    this.#brokenAt = performance.now();
    this.#brokenTime = Date.now();
    this.#isBroken = true;
    this.#logFrom = this.zonecast.log().length;
    await fault();
  }

  /** Lets the fault last: so long in full, or else so long, in seconds. */
  async lasts({ full, short }: { full: number; short: number }): Promise<void> {
    await sleep((this.full ? full : short) * 1000);
  }

  /** Ends the fault. */
  async mends(end: () => unknown): Promise<void> {
    await end();
    this.#mendedAt = performance.now();
  }

  /** Sets the clock of Postgres so many hours fast; below 0, slow. */
  async setClock(hours: number): Promise<void> {
    await this.ground.clock!.set(hours);
    await until(async () => {
      const [{ fast }] = await this.sql<{ fast: number }[]>`
        select extract(epoch from clock_timestamp())::float8 - ${Date.now() / 1000} as fast`;
      return Math.abs(fast / 3600 - hours) < 0.1;
    }, { what: `the clock of Postgres is ${hours} hours fast` });
  }

  /** Commits a further record, as soon as Postgres takes it. */
  async change(sql = this.sql): Promise<Change> {
    const name = `change${this.#changes++}`;
    await until(async () => {
      // The answer to a commit may get lost: then it is there already.
      await sql`insert into zonecast.records (zone, name, type, content)
        select ${NAME}, ${name}, 'A', '198.51.100.1'
        where not exists (select from zonecast.records where zone = ${NAME} and name = ${name})`;
      return true;
    }, { what: `Postgres takes ${name}` });
    return {
      record: `${name}.${NAME} 300 A "198.51.100.1"`,
      committedAt: performance.now(),
    };
  }

  /** Waits until the secondary has a change, and keeps how long that took. */
  async live({ record, committedAt }: Change, timeoutMs?: number): Promise<void> {
    const cameAt = await until(() => this.secondary.cameAt(record), {
      what: `the secondary has ${record}`,
      timeoutMs,
      seen: () => this.zonecast.log().slice(-3000),
    });
    if (!this.#isBroken) return;
    const isOver = this.#mendedAt > this.#brokenAt;
    const when = !isOver ? "during" : committedAt < this.#mendedAt ? "meanwhile" : "afterwards";
    const from = when === "meanwhile" ? this.#mendedAt : committedAt;
    this.liveTimes.push({ when, ms: Math.max(0, cameAt - from) });
  }

  /** A change committed now comes to the secondary. */
  async changeIsLive(timeoutMs?: number): Promise<void> {
    await this.live(await this.change(), timeoutMs);
  }

  /** Waits until the secondary no longer has a change that Postgres has lost. */
  async gone({ record }: Change): Promise<void> {
    const from = Math.max(this.#brokenAt, this.#mendedAt);
    await until(() => this.secondary.cameAt(record) === undefined, {
      what: `the secondary has lost ${record}`,
      seen: () => this.zonecast.log().slice(-3000),
    });
    this.liveTimes.push({ when: "meanwhile", ms: performance.now() - from });
  }

  /**
   * Waits until the log tells of the fault, and keeps what it says.
   *
   * @param event  the line's event
   * @param wanted  what else must stand in the line
   */
  async says(event: string, wanted = /(?:)/, timeoutMs = DEADLINE_MS): Promise<LogEvent> {
    const look = () =>
      logEvents(this.zonecast.log().slice(this.#logFrom))
        .find((line) => line.event === event && wanted.test(JSON.stringify(line)));
    const line = await until(look, {
      what: `the log says "${event}" ${wanted}`,
      timeoutMs,
      seen: () => this.zonecast.log().slice(this.#logFrom).slice(-3000),
    });
    const waitedMs = performance.now() - this.#brokenAt;
    const byLogMs = Date.parse(line.time) - this.#brokenTime;
    // Where zonecast's clock is set wrong, the log's times say nothing.
    const isRight = byLogMs > -60_000 && byLogMs < waitedMs + 1_000;
    this.told.push(toldOf(line, isRight ? byLogMs : waitedMs));
    return line;
  }

  /** Keeps something else that the operator sees: an answer, an exit code. */
  shows(what: string): void {
    this.told.push({ what });
  }

  /** The zone's records as they stand in the tables, in the spelling of {@link recordText}; no SOA. */
  async table(): Promise<string[]> {
    const rows = await this.sql<{ owner: string; type: string; ttl: number; content: string }[]>`
      select owner, type, coalesce(ttl, 300) as ttl, content from zonecast.records
      where zone = ${NAME} and not disabled`;
    return rows.map(({ owner, type, ttl, content }) => {
      if (type !== "A" && type !== "NS") throw new Error(`A night's records are A and NS: ${type}`);
      const data = JSON.stringify(content.replace(/\.$/, ""));
      return `${owner.replace(/\.$/, "")} ${ttl} ${type} ${data}`;
    }).sort();
  }

  /** What zonecast serves, in the same spelling. */
  async served(): Promise<string[]> {
    const { records } = await axfr(this.zonecast, ZONE);
    return records.filter(({ type }) => type !== "SOA").map(recordText).sort();
  }

  /**
   * Waits until zonecast and its secondary have the zone as it is to be in the end.
   *
   * @param expected  the zone's records; those in the tables without
   */
  async settle(expected?: readonly string[]): Promise<void> {
    const wanted = expected ?? await until(() => this.table(), { what: "the tables can be read" });
    let [ours, theirs]: string[][] = [[], []];
    const isSettled = async () => {
      ours = await this.served();
      theirs = [...this.secondary.records].sort();
      return [ours, theirs].every((lines) => lines.join("\n") === wanted.join("\n")) &&
        await this.zonecast.serial(ZONE) === this.secondary.serial;
    };
    await until(isSettled, { what: "zonecast and the secondary have the zone", intervalMs: 50 })
      .catch((error) => {
        assertEquals(ours, wanted, "what zonecast serves");
        assertEquals(theirs, wanted, "what the secondary has");
        throw error;
      });
    this.wrong.push(...this.secondary.wrong);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ground.running.disposeAsync();
  }
}
