/**
 * The Postgres source: the link that wakes, and the reads.
 *
 * Owns: the link's connections. Nothing here blocks: a server that does not
 * answer costs a rejected read and a link that is down.
 */
import type { ZonecastError } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import { postgresError, SourceError } from "./errors.ts";
import { PostgresLink } from "./postgres_link.ts";
import { prune } from "./postgres_prune.ts";
import { PostgresReader, type ReaderMemory } from "./postgres_read.ts";
import { FEED_CHANNEL, type PostgresSession } from "./postgres_session.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import { PostgresWriter } from "./postgres_write.ts";
import type { Deliver, Reading, ReadRequest, Source, SourceLink, WakeReason } from "./source.ts";
import type { WriteBack } from "./write_back.ts";

/** The channel the schema's triggers notify on. */
export const DEFAULT_CHANNEL = FEED_CHANNEL;
/** How often is looked for changes without a notification, in ms. */
export const DEFAULT_POLL_INTERVAL_MS = 2000;
/** How long changes stay in the feed for readers that are away, in ms. */
export const DEFAULT_FEED_RETENTION_MS = 7 * 86_400_000;
/** Longest pause between two prunings, in ms ... */
const MAX_PRUNING_MS = 3_600_000;
/** ... of which there are so many within the retention. */
const PRUNINGS_A_RETENTION = 20;
/** Longest name of a channel, in octets (NAMEDATALEN - 1). */
const MAX_CHANNEL_OCTETS = 63;

export interface PostgresSourceOptions {
  /** postgres://USER:PASSWORD@HOST:PORT/DATABASE; the password is shown nowhere. */
  readonly url: string;
  /** Channel of LISTEN; {@link DEFAULT_CHANNEL} without. */
  readonly channel?: string;
  /** {@link DEFAULT_POLL_INTERVAL_MS} without. */
  readonly pollIntervalMs?: number;
  /** Changes and what was written back are pruned when older; {@link DEFAULT_FEED_RETENTION_MS} without. */
  readonly feedRetentionMs?: number;
  readonly log: Logger;
}

export class PostgresSource implements Source {
  readonly description: string;
  readonly #link: PostgresLink;
  readonly #log: Logger;
  readonly #memory: ReaderMemory = {
    said: undefined,
    isRestarted: false,
    ownersWrong: undefined,
  };
  #reader: PostgresReader | undefined;
  readonly #writer: PostgresWriter;
  #reading = false;
  #wake: (reason: WakeReason) => void = () => {};
  /** Who writes back; undefined before the first time. */
  #instance: string | undefined;
  #pruning: ReturnType<typeof setTimeout> | undefined;
  #pruningFailure: string | undefined;
  #closed = false;

  /** @throws {SourceError} code "source-url" */
  constructor(readonly options: PostgresSourceOptions) {
    const { url, log, channel = DEFAULT_CHANNEL } = options;
    this.description = parsePostgresUrl(url).description;
    const octets = new TextEncoder().encode(channel).length;
    if (octets === 0 || octets > MAX_CHANNEL_OCTETS) {
      throw new SourceError(
        "source-url",
        `Cannot listen on channel "${channel}": its name has ${octets} octets`,
        `1 to ${MAX_CHANNEL_OCTETS} are allowed`,
      );
    }
    this.#log = log;
    this.#writer = new PostgresWriter(url, log);
    this.#link = new PostgresLink({
      url,
      description: this.description,
      channel,
      pollIntervalMs: options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS,
      log,
    });
  }

  get link(): SourceLink {
    return this.#link.state;
  }

  start(wake: (reason: WakeReason) => void, linkChanged: (link: SourceLink) => void): void {
    this.#wake = wake;
    this.#link.start(wake, linkChanged);
    this.#schedulePruning();
  }

  async read(
    request: ReadRequest,
    deliver: Deliver,
  ): Promise<Reading> {
    if (this.#reading) throw new Error("a read is under way: one at a time");
    const session = this.#link.session;
    this.#reading = true;
    let failedHere = false;
    try {
      const reading = await this.#readerOf(session).read(
        request,
        async (rows, zones, everything) => {
          session.mustLive(); // a read that has failed delivers no more
          try {
            await deliver(rows, zones, everything);
          } catch (error) {
            failedHere = true; // the consumer's error, to be passed on as it is
            throw error;
          }
        },
      );
      this.#link.setTrouble(undefined);
      // An older copy of its disk may have come with it, which the feed does not show.
      if (this.#memory.isRestarted) this.#wake("restart");
      return reading;
    } catch (error) {
      if (failedHere) throw error;
      const failure = postgresError(error, this.description);
      if (session.alive) this.#link.setTrouble(failure.message);
      throw failure;
    } finally {
      this.#reading = false;
    }
  }

  /** @throws {SourceError} nothing was written; "source-read-only" on a standby */
  async writeBack(report: WriteBack): Promise<void> {
    this.#instance = report.instance;
    await this.#writable().writeBack(report);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pruning);
    this.#writer.close();
    await this.#link.close();
  }

  /** @throws {SourceError} there is no link now, or nothing can be written through it */
  #writable(): PostgresWriter {
    if (!this.#link.session.identity.standby) return this.#writer;
    throw new SourceError(
      "source-read-only",
      `Cannot write to ${this.description}: it is a standby`,
      "connect to the primary server to have it written",
    );
  }

  #schedulePruning(): void {
    const { feedRetentionMs = DEFAULT_FEED_RETENTION_MS } = this.options;
    const everyMs = Math.min(MAX_PRUNING_MS, feedRetentionMs / PRUNINGS_A_RETENTION);
    this.#pruning = setTimeout(async () => {
      try {
        const pruned = await prune(this.#writable(), feedRetentionMs, this.#instance);
        if (pruned > 0) this.#log.debug("feed pruned", { rows: pruned });
        this.#pruningFailure = undefined;
      } catch (error) {
        this.#pruningFailed(postgresError(error, this.description));
      }
      if (!this.#closed) this.#schedulePruning();
    }, everyMs);
    Deno.unrefTimer(this.#pruning);
  }

  /** Says it once; a server that is away, or a standby, is no news. */
  #pruningFailed({ code, message, hint }: ZonecastError): void {
    const news = code !== "source-unreachable" && code !== "source-read-only" &&
      this.#pruningFailure !== message;
    if (!news || this.#closed) return;
    this.#pruningFailure = message;
    this.#log.warn("feed cannot be pruned", { reason: message, hint });
  }

  #readerOf(session: PostgresSession): PostgresReader {
    if (this.#reader?.session !== session) {
      this.#reader = new PostgresReader(session, this.#log, this.#memory);
    }
    return this.#reader;
  }
}
