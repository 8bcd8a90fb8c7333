/**
 * The zones one server has whole, looked at again in turn: one that goes back or
 * expires is seen.
 *
 * Owns: one timer for all of a server's zones; the least lately asked comes first.
 */
import type { Clock } from "./clock.ts";
import { RECHECK_GAP_MS, RECHECK_MS } from "./limits.ts";
import type { ServerWatch } from "./server_watch.ts";

export class RecheckRing {
  /** When each was asked, oldest first: a Map keeps the order of insertion. */
  readonly #askedAt = new Map<ServerWatch, number>();
  #cancelTimer: (() => void) | undefined;
  #lastAt = -Infinity;

  constructor(readonly clock: Clock) {}

  /** Puts a server that has just been asked last. */
  add(server: ServerWatch): void {
    this.#askedAt.delete(server);
    this.#askedAt.set(server, this.clock.now());
    this.#schedule();
  }

  remove(server: ServerWatch): void {
    this.#askedAt.delete(server);
    if (this.#askedAt.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #schedule(): void {
    const first = this.#askedAt.values().next();
    if (this.#cancelTimer || first.done) return;
    const dueAt = Math.max(first.value + RECHECK_MS, this.#lastAt + RECHECK_GAP_MS);
    this.#cancelTimer = this.clock.after(Math.max(0, dueAt - this.clock.now()), () => {
      this.#cancelTimer = undefined;
      this.#askFirst();
      this.#schedule();
    });
  }

  /** Asks the first if it is still due: those due when the timer was set may have gone. */
  #askFirst(): void {
    const now = this.clock.now();
    for (const [server, askedAt] of this.#askedAt) {
      if (askedAt + RECHECK_MS > now) return;
      this.#lastAt = now;
      this.#askedAt.delete(server);
      server.ask();
      return;
    }
  }
}
