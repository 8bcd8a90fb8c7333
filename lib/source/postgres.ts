/**
 * The Postgres source: the link that wakes, and the reads.
 *
 * Owns: the link's connections. Nothing here blocks: a server that does not
 * answer costs a rejected read and a link that is down.
 */
import type { Logger } from "../ops/mod.ts";
import { postgresError, SourceError } from "./errors.ts";
import { PostgresLink } from "./postgres_link.ts";
import { PostgresReader, type ReaderMemory } from "./postgres_read.ts";
import { FEED_CHANNEL, type PostgresSession } from "./postgres_session.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import type { Deliver, Reading, ReadRequest, Source, SourceLink, WakeReason } from "./source.ts";

/** The channel the schema's triggers notify on. */
export const DEFAULT_CHANNEL = FEED_CHANNEL;
/** How often is looked for changes without a notification, in ms. */
export const DEFAULT_POLL_INTERVAL_MS = 2000;
/** Longest name of a channel, in octets (NAMEDATALEN - 1). */
const MAX_CHANNEL_OCTETS = 63;

export interface PostgresSourceOptions {
  /** postgres://USER:PASSWORD@HOST:PORT/DATABASE; the password is shown nowhere. */
  readonly url: string;
  /** Channel of LISTEN; {@link DEFAULT_CHANNEL} without. */
  readonly channel?: string;
  /** {@link DEFAULT_POLL_INTERVAL_MS} without. */
  readonly pollIntervalMs?: number;
  readonly log: Logger;
}

export class PostgresSource implements Source {
  readonly description: string;
  readonly #link: PostgresLink;
  readonly #log: Logger;
  readonly #memory: ReaderMemory = { said: undefined, ownersWrong: undefined };
  #reader: PostgresReader | undefined;
  #reading = false;

  /** @throws {SourceError} code "source-url" */
  constructor(options: PostgresSourceOptions) {
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
    this.#link.start(wake, linkChanged);
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
      const reading = await this.#readerOf(session).read(request, async (rows, zones) => {
        try {
          if (session.alive) await deliver(rows, zones);
        } catch (error) {
          failedHere = true; // the consumer's error, to be passed on as it is
          throw error;
        }
      });
      this.#link.setTrouble(undefined);
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

  close(): Promise<void> {
    return this.#link.close();
  }

  #readerOf(session: PostgresSession): PostgresReader {
    if (this.#reader?.session !== session) {
      this.#reader = new PostgresReader(session, this.#log, this.#memory);
    }
    return this.#reader;
  }
}
