/**
 * The event loop shared out between connections and the rest of the server.
 *
 * Whatever the connections bring at once, they are read and answered for no more than
 * {@link WORK_SHARE_MS} in each {@link WORK_WINDOW_MS}; more waits its turn, first come first
 * served. Owns: who waits, a timer while somebody does; a timer until the next turn.
 */
import { setImmediate } from "node:timers";
import {
  BULK_MS,
  LOOK_TURNS,
  OCTET_COST_MS,
  READ_COST_MS,
  TURN_MS,
  WORK_SHARE_MS,
  WORK_WINDOW_MS,
} from "./limits.ts";

export class WorkShare {
  readonly #waiting: (() => void)[] = [];
  #windowAt = -Infinity;
  #spentMs = 0;
  #timer: number | undefined;
  /** When what goes on without waiting began; undefined: the event loop had its turn since. */
  #beganAt: number | undefined;
  #turnTimer: number | undefined;
  #closed = false;
  #nextTurn: Promise<void> | undefined;
  #look: Promise<void> | undefined;

  /** @param now  ms, of any origin; never goes back */
  constructor(readonly now: () => number = () => performance.now()) {}

  /**
   * Whether sockets and timers must have their turn before more is done: what follows one another
   * without waiting, as accepting and sending do while the kernel has more to give or takes more,
   * has lasted {@link TURN_MS}. Then {@link nextTurn} is to be waited for, and this asked again.
   */
  get isLongTurn(): boolean {
    return this.#lasts(TURN_MS);
  }

  /** The same for bulk that never leaves the event loop of itself, after {@link BULK_MS}; then {@link look}. */
  get isLongBulk(): boolean {
    return this.#lasts(BULK_MS);
  }

  #lasts(ms: number): boolean {
    if (this.#beganAt === undefined) {
      // A wait for the next turn takes a timer's millisecond or two: the first connection after a
      // pause is not made to wait for it, nor the two that come with it after a NOTIFY.
      this.#begins();
      return false;
    }
    return this.now() - this.#beganAt >= ms;
  }

  /** Begins to count; a turn of the event loop ends it. */
  #begins(): void {
    this.#beganAt = this.now();
    clearTimeout(this.#turnTimer);
    if (this.#closed) return;
    this.#turnTimer = setTimeout(() => {
      this.#beganAt = this.#turnTimer = undefined;
    }, 0);
  }

  /** Nothing follows any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#turnTimer);
  }

  /** The next turn of the event loop, with a look at the sockets before it. */
  nextTurn(): Promise<void> {
    // By a timer: setImmediate runs dozens of times before the sockets are looked at.
    this.#nextTurn ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#nextTurn = undefined;
        this.#begins();
        resolve();
      }, 0);
    });
    return this.#nextTurn;
  }

  /**
   * As many turns of the event loop as it takes until the sockets have been looked at: a third of a
   * millisecond, where {@link nextTurn} has the processor idle for two.
   */
  look(): Promise<void> {
    return this.#look ??= this.#haveLook().finally(() => this.#look = undefined);
  }

  async #haveLook(): Promise<void> {
    for (let turns = 0; turns < LOOK_TURNS; turns++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#begins();
  }

  /**
   * Does a piece of work, what was read from a connection once, in its turn.
   *
   * @param octets  that were read
   * @param work  synchronous
   */
  async run(octets: number, work: () => void): Promise<void> {
    if (this.#isSpent()) await this.#turn();
    const began = this.now();
    try {
      work();
    } finally {
      this.#spentMs += this.now() - began + READ_COST_MS + octets * OCTET_COST_MS;
      this.#resume();
    }
  }

  #isSpent(): boolean {
    const now = this.now();
    if (now - this.#windowAt >= WORK_WINDOW_MS) this.#begin(now);
    return this.#waiting.length > 0 || this.#spentMs >= WORK_SHARE_MS;
  }

  #begin(now: number): void {
    this.#windowAt = now;
    this.#spentMs = 0;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#resume();
    });
  }

  /** One after the other while there is time left, else at the next window. */
  #resume(): void {
    if (this.#waiting.length === 0 || this.#timer !== undefined) return;
    if (this.#spentMs < WORK_SHARE_MS) {
      this.#waiting.shift()!();
      return;
    }
    const rest = this.#windowAt + WORK_WINDOW_MS - this.now();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#begin(this.now());
      this.#resume();
    }, Math.max(1, rest));
  }
}
