/**
 * Spreads messages to one server over time, so that no burst is lost in a socket
 * buffer or taken for an attack.
 *
 * Owns: a queue and one timer. The first messages of a quiet time go at once.
 */
import type { Clock } from "./clock.ts";
import { PACE_WINDOW_MESSAGES, PACE_WINDOW_MS } from "./limits.ts";

/** Sends; false when it was not needed any more, and cost no turn. */
export type Turn = () => boolean;

export class Pacer {
  #urgent: Turn[] = [];
  #queue: Turn[] = [];
  #sent = 0;
  #cancelWindow: (() => void) | undefined;
  #running = false;

  /** @param mayRun  whether one more may go, after `sent` in this window; one that is urgent */
  constructor(
    readonly clock: Clock,
    readonly mayRun: (sent: number, urgent: boolean) => boolean = (sent) =>
      sent < PACE_WINDOW_MESSAGES,
  ) {}

  /** Turns not yet taken. */
  get waiting(): number {
    return this.#urgent.length + this.#queue.length;
  }

  /** Of these the urgent ones. */
  get waitingUrgent(): number {
    return this.#urgent.length;
  }

  /** Runs a turn now or when there is room; urgent ones before the others. */
  add(turn: Turn, urgent = false): void {
    (urgent ? this.#urgent : this.#queue).push(turn);
    this.#run();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#urgent = [];
    this.#queue = [];
    this.#cancelWindow?.();
    this.#cancelWindow = undefined;
  }

  #run(): void {
    if (this.#running) return; // a turn may add others
    this.#running = true;
    try {
      this.#take(this.#urgent, true);
      this.#take(this.#queue, false);
    } finally {
      this.#running = false;
    }
    if (this.#cancelWindow || (this.#sent === 0 && this.waiting === 0)) return;
    this.#cancelWindow = this.clock.after(PACE_WINDOW_MS, () => {
      this.#cancelWindow = undefined;
      this.#sent = 0;
      this.#run();
    });
  }

  #take(turns: Turn[], urgent: boolean): void {
    let next = 0;
    while (next < turns.length && this.mayRun(this.#sent, urgent)) {
      if (turns[next++]()) this.#sent++;
    }
    turns.splice(0, next);
  }
}
