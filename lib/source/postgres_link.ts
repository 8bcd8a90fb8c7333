/**
 * The link to Postgres, kept up in the background: sessions one after another,
 * with backoff between them, and the wake-ups that come of them.
 *
 * Wakes: at each new session once it listens (so nothing committed before is
 * missed), at each notification, and at each poll. Owns: the current session,
 * two timers.
 */
import type { ZonecastError } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import { postgresError, unreachable } from "./errors.ts";
import { pause, PostgresSession } from "./postgres_session.ts";
import type { SourceLink, WakeReason } from "./source.ts";

/** First pause before connecting again, in ms; doubled at each failure. */
const BACKOFF_FIRST_MS = 100;
/** Longest pause before connecting again, in ms. */
const BACKOFF_LIMIT_MS = 5000;
/** A session that lived this long, in ms, was a good one: the next pause is the first again. */
const GOOD_SESSION_MS = 10_000;
/** Between polls where notifications do not arrive, in ms. */
const DEAF_POLL_MS = 200;

export interface LinkOptions {
  readonly url: string;
  /** Without secrets. */
  readonly description: string;
  /** Channel of LISTEN. */
  readonly channel: string;
  readonly pollIntervalMs: number;
  readonly log: Logger;
}

/** The pause before a further attempt, in ms; spread, so that many clients do not come at once. */
function backoffMs(failures: number): number {
  const whole = Math.min(BACKOFF_FIRST_MS * 2 ** failures, BACKOFF_LIMIT_MS);
  return whole * (0.5 + Math.random() / 2);
}

export class PostgresLink {
  #state: SourceLink = { up: false, since: Date.now(), reason: "not connected yet" };
  #session: PostgresSession | undefined;
  /** Why the last session, or the attempt at one, ended. */
  #failure: ZonecastError | undefined;
  #wake: (reason: WakeReason) => void = () => {};
  #changed: (link: SourceLink) => void = () => {};
  /** Why notifications do not arrive; undefined while they do, or it is not known. */
  #deaf: string | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(readonly options: LinkOptions) {}

  get state(): SourceLink {
    return this.#state;
  }

  /** The session of now. @throws {SourceError} code "source-unreachable" while there is none */
  get session(): PostgresSession {
    if (this.#session?.alive) return this.#session;
    throw this.#failure ?? unreachable(this.options.description, "not connected yet");
  }

  /** Connects in the background; returns at once. */
  start(wake: (reason: WakeReason) => void, changed: (link: SourceLink) => void): void {
    this.#wake = wake;
    this.#changed = changed;
    this.#running ??= this.#run();
  }

  /** Says why the source cannot be read though it is connected; undefined: it can be. */
  setTrouble(reason: string | undefined): void {
    if (this.#state.up) this.#setState(true, reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#poll);
    this.#session?.end("closing");
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let everUp = false;
    while (!this.#closing.signal.aborted) {
      const began = performance.now();
      const reason = await this.#live(everUp ? "reconnect" : "start");
      everUp ||= this.#state.up;
      this.#failure = reason;
      if (this.#closing.signal.aborted) break;
      this.#setState(false, reason.message, reason.hint);
      if (performance.now() - began >= GOOD_SESSION_MS && this.#session) failures = 0;
      this.#session = undefined;
      await pause(backoffMs(failures++), this.#closing.signal);
    }
    this.#setState(false, "closed");
  }

  /** One session from its opening to its end. Returns why it ended. */
  async #live(greeting: WakeReason): Promise<ZonecastError> {
    const { url, description, channel, log } = this.options;
    try {
      const session = await PostgresSession.open({
        url,
        description,
        channel,
        log,
        onNotification: (fed) => this.#wake(fed ? "feed" : "notification"),
        onDeaf: (why) => this.#setDeaf(why),
      }, this.#closing.signal);
      this.#session = session;
      this.#setState(true, undefined);
      this.#wake(greeting);
      this.#schedulePoll();
      return await session.ended;
    } catch (error) {
      return postgresError(error, description);
    } finally {
      clearTimeout(this.#poll);
    }
  }

  #schedulePoll(): void {
    clearTimeout(this.#poll);
    const { pollIntervalMs } = this.options;
    this.#poll = setTimeout(() => {
      if (!this.#session?.alive) return;
      this.#schedulePoll();
      this.#wake("poll");
    }, this.#deaf ? Math.min(DEAF_POLL_MS, pollIntervalMs) : pollIntervalMs);
  }

  #setDeaf(why: string | undefined): void {
    if (Boolean(why) === Boolean(this.#deaf)) return;
    this.#deaf = why;
    const { description, pollIntervalMs, log } = this.options;
    if (why) {
      log.warn("source cannot notify", {
        source: description,
        reason: why,
        pollMs: Math.min(DEAF_POLL_MS, pollIntervalMs),
        hint: "connect straight to the primary server for changes within milliseconds",
      });
    } else log.info("source notifies again", { source: description });
    if (this.#session?.alive) this.#schedulePoll();
  }

  #setState(up: boolean, reason: string | undefined, hint?: string): void {
    if (up === this.#state.up && reason === this.#state.reason) return;
    const since = up === this.#state.up ? this.#state.since : Date.now();
    this.#state = { up, since, reason, hint };
    this.#changed(this.#state);
  }
}
