/**
 * One life of the connection to Postgres: three connections that are made and
 * end together, and the heartbeat that proves them alive.
 *
 * One connection listens, one asks, one reads. The asking one sends a
 * notification on a channel nobody else knows, and the listening one must hear
 * it: that proves both the server and LISTEN. A server that is frozen, or whose
 * packets are lost, answers nothing; its deadline ends the session. Where LISTEN
 * cannot work (a standby, a transaction pooler) the session is "deaf" and lives on.
 *
 * Owns: three sockets and a timer, until {@link PostgresSession.end}.
 */
import type { Logger } from "../ops/mod.ts";
import { postgresError, SourceError, unreachable } from "./errors.ts";
import { connectPostgres, type PostgresClient, type Sql } from "./postgres_client.ts";

/** What the schema's triggers notify once they wrote to the change feed. */
export const FEED_CHANNEL = "dns_zone_changed";
const FEED_PAYLOAD = "feed";

/** Between two heartbeats, in ms: with the deadlines below a dead server is known within 7 s. */
const HEARTBEAT_MS = 3000;
/** A heartbeat's answer must come within this, in ms, unless another connection shows life. */
const ANSWER_MS = 3000;
/** ... which helps at most this long: the asking connection itself may be the dead one. */
const ANSWER_LIMIT_MS = 20_000;
/** The notification must be heard this soon after its sending was confirmed, in ms; below ANSWER_MS. */
const ECHO_MS = 2000;
/** For each of connecting, greeting and the first questions, in ms. */
const OPEN_MS = 5000;
/**
 * Longest silence of the reading connection within a query, in ms, looked at with each heartbeat:
 * views may compute for long.
 */
const READ_SILENCE_MS = 60_000;
/** The oldest server whose functions suffice (`pg_current_snapshot`). */
const MIN_SERVER_VERSION = 130000;

export interface SessionOptions {
  readonly url: string;
  /** Without secrets, for messages. */
  readonly description: string;
  /** Channel of LISTEN; the one of the schema's triggers is listened on in any case. */
  readonly channel: string;
  readonly log: Logger;
  /** @param fed  whether the change feed was written to, says the schema's trigger */
  readonly onNotification: (fed: boolean) => void;
  /** Called when it is found out, or no longer true, that notifications do not arrive. */
  readonly onDeaf: (why: string | undefined) => void;
}

/** Who this server is; what the role may not see is undefined. */
export interface ServerIdentity {
  readonly database: string;
  readonly system: string | undefined;
  readonly timeline: number | undefined;
  readonly standby: boolean;
  /** When it was started, in seconds since the epoch, as text. */
  readonly startedAt: string;
}

/** Waits; early at an abort. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

export class PostgresSession {
  /** Who answers; set by {@link open}. */
  identity!: ServerIdentity;
  /** Fulfilled with the reason once the session has ended. */
  readonly ended: Promise<SourceError>;
  #settleEnded!: (reason: SourceError) => void;
  /** Why it ended; undefined while it lives. */
  #reason: SourceError | undefined;
  /** Rejects what waits for an answer. */
  readonly #guarded = new Set<(reason: SourceError) => void>();
  /** The reading queries not answered yet, by the monotonic clock, oldest first. */
  readonly #asked = new Set<{ readonly at: number }>();
  readonly #over = new AbortController();
  readonly #listener: PostgresClient;
  readonly #prober: PostgresClient;
  readonly #reader: PostgresClient;
  /** When any connection last showed life, by the monotonic clock. */
  #lastSign = 0;
  readonly #privateChannel = `zonecast_${crypto.randomUUID().replaceAll("-", "")}`;
  #beat = 0;
  #heard = 0;
  #hear: () => void = () => {};

  private constructor(readonly options: SessionOptions) {
    this.ended = new Promise((resolve) => this.#settleEnded = resolve);
    const connect = (onNotification?: (channel: string, payload: string) => void) =>
      connectPostgres(options.url, {
        connectMs: OPEN_MS,
        onNotification,
        onNotice: (notice) =>
          options.log.debug("source notice", { severity: notice.severity, text: notice.message }),
        onClose: () => this.end("the server closed the connection"),
      });
    this.#listener = connect((channel, payload) => this.#notified(channel, payload));
    this.#prober = connect();
    this.#reader = connect();
  }

  /**
   * A session that is connected, and listening where that is possible.
   *
   * @throws {SourceError} nobody answers in time, or the server refuses
   */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<PostgresSession> {
    const session = new PostgresSession(options);
    const abort = () => session.end("closing");
    signal.addEventListener("abort", abort);
    const timer = setTimeout(
      () => session.end(`no answer within ${2 * OPEN_MS / 1000} s`),
      2 * OPEN_MS,
    );
    try {
      session.identity = await session.guard(session.#identify(session.#prober.sql));
      await session.guard(session.#listen());
      session.#watch();
      return session;
    } catch (error) {
      session.end("it could not be opened");
      throw postgresError(error, options.description);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  get alive(): boolean {
    return !this.#over.signal.aborted;
  }

  /** @throws {SourceError} why the session has ended, if it has */
  mustLive(): void {
    if (this.#reason) throw this.#reason;
  }

  /** Whether notifications arrive: so far as is known, on connections that stay the same. */
  get hears(): boolean {
    return this.#heard > 0;
  }

  /** The connection reads are made on. Connects with its first query. */
  get reader(): PostgresClient {
    return this.#reader;
  }

  /** Ends the session and all that waits for it; the first reason counts. */
  end(reason: string): void {
    if (!this.alive) return;
    this.#over.abort();
    for (const client of [this.#listener, this.#prober, this.#reader]) client.destroy();
    this.#reason = unreachable(this.options.description, reason);
    for (const reject of this.#guarded) reject(this.#reason);
    this.#guarded.clear();
    this.#hear();
    this.#settleEnded(this.#reason);
  }

  /**
   * The promise's value; rejected with the reason as soon as the session ends.
   *
   * Not a race with {@link ended}: that would keep every value until the end.
   */
  guard<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#reason) reject(this.#reason);
      else this.#guarded.add(reject);
      promise.then(
        (value) => {
          this.#guarded.delete(reject);
          resolve(value);
        },
        (error) => {
          this.#guarded.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** A reading query's answer; silence beyond 60 s ends the session. */
  async answer<T>(query: PromiseLike<T>): Promise<T> {
    // No timer of its own: a change asks several, one after another.
    const asked = { at: performance.now() };
    this.#asked.add(asked);
    try {
      const rows = await this.guard(query);
      this.#lastSign = performance.now();
      return rows;
    } finally {
      this.#asked.delete(asked);
    }
  }

  #checkSilence(): void {
    const [oldest] = this.#asked;
    if (!oldest || performance.now() - oldest.at < READ_SILENCE_MS) return;
    this.end(`a query was not answered within ${READ_SILENCE_MS / 1000} s`);
  }

  async #identify(sql: Sql): Promise<ServerIdentity> {
    const [row] = await sql<
      { database: string; standby: boolean; startedAt: string; version: number }[]
    >`
      select current_database() as database, pg_is_in_recovery() as standby,
        extract(epoch from pg_postmaster_start_time())::text as "startedAt",
        current_setting('server_version_num')::integer as version`;
    if (row.version < MIN_SERVER_VERSION) {
      throw new SourceError(
        "source-version",
        `${this.options.description} is Postgres ${Math.floor(row.version / 10000)}`,
        "zonecast needs Postgres 13 or later",
      );
    }
    const optional = async <T>(query: PromiseLike<{ value: T }[]>): Promise<T | undefined> => {
      try {
        return (await query)[0]?.value;
      } catch {
        return undefined; // the role may not call it
      }
    };
    return {
      database: row.database,
      standby: row.standby,
      startedAt: row.startedAt,
      system: await optional(
        sql<{ value: string }[]>`select system_identifier::text as value from pg_control_system()`,
      ),
      // Of a standby just promoted the last checkpoint is still of the timeline before.
      timeline: await optional(
        row.standby
          ? sql<{ value: number }[]>`select timeline_id as value from pg_control_checkpoint()`
          : sql<{ value: number }[]>`
            select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
              as value`,
      ),
    };
  }

  async #listen(): Promise<void> {
    const { sql } = this.#listener;
    if (this.identity.standby) return this.options.onDeaf("the server is a standby");
    try {
      for (const channel of new Set([this.options.channel, FEED_CHANNEL, this.#privateChannel])) {
        await sql`listen ${sql(channel)}`;
      }
    } catch (error) {
      if (!(error instanceof Error && error.name === "PostgresError")) throw error;
      this.options.onDeaf(error.message);
    }
  }

  #notified(channel: string, payload: string): void {
    this.#lastSign = performance.now();
    const fed = channel === FEED_CHANNEL && payload === FEED_PAYLOAD;
    if (fed || channel === this.options.channel) this.options.onNotification(fed);
    if (channel !== this.#privateChannel) return;
    this.#heard = Number(payload);
    this.options.onDeaf(undefined);
    this.#hear();
  }

  /** Beats until the session ends; a missing answer ends it. */
  #watch(): void {
    const beat = async () => {
      while (this.alive) {
        const answered = this.identity.standby ? this.#askStandby() : this.#askEcho();
        await this.#withinDeadline(answered);
        await pause(HEARTBEAT_MS, this.#over.signal);
        this.#checkSilence();
      }
    };
    beat().catch((error) => this.end(postgresError(error, this.options.description).message));
  }

  /** A standby has no notifications; once promoted it has, for a new session. */
  async #askStandby(): Promise<void> {
    const [row] = await this.#prober.sql<{ standby: boolean }[]>`
      select pg_is_in_recovery() as standby`;
    if (!row.standby) this.end("the standby was promoted");
  }

  async #askEcho(): Promise<void> {
    const beat = ++this.#beat;
    const { sql } = this.#prober;
    await sql`select pg_notify(${this.#privateChannel}, ${String(beat)})`;
    this.#lastSign = performance.now();
    const late = new AbortController();
    this.#hear = () => {
      if (this.#heard >= beat || !this.alive) late.abort();
    };
    this.#hear();
    await pause(ECHO_MS, late.signal);
    if (this.#heard >= beat || !this.alive) return;
    if (this.#heard > 0) this.end("its notifications stopped arriving");
    else this.options.onDeaf("notifications do not arrive, as behind a transaction pooler");
  }

  /** Ends the session when neither the answer nor any sign of life comes in time. */
  async #withinDeadline(answered: Promise<void>): Promise<void> {
    const sent = performance.now();
    const check = () => {
      const now = performance.now();
      const deadline = Math.min(
        Math.max(sent, this.#lastSign) + ANSWER_MS,
        sent + ANSWER_LIMIT_MS,
      );
      if (now >= deadline) this.end(`no answer for ${((now - sent) / 1000).toFixed(1)} s`);
      else timer = setTimeout(check, deadline - now);
    };
    let timer = setTimeout(check, ANSWER_MS);
    try {
      await this.guard(answered);
    } finally {
      clearTimeout(timer);
    }
  }
}
