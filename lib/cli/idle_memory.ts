/**
 * When a server gives memory back: soon after its start, and after each read of everything.
 *
 * Owns: a timer.
 */
import type { SystemCalls } from "../ops/mod.ts";

/**
 * How long after the work, ms: at once, as it takes a millisecond or two; and again when the
 * runtime, which waits for half a second of quiet, has given its garbage back.
 */
const AFTER_MS = [300, 2_500];

export class IdleMemory {
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  /** @param calls  undefined: nothing can be given back */
  constructor(readonly calls: SystemCalls | undefined) {}

  /** Large work is done. */
  workIsDone(): void {
    this.close();
    if (!this.calls) return;
    for (const ms of AFTER_MS) this.#timers.add(setTimeout(() => this.calls?.giveBack(), ms));
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
