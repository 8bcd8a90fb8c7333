/**
 * Many times to wait for, one timer.
 *
 * A watch on 10,000 zones at four secondaries waits for some 100,000 times; a
 * timer of the system for each takes half a kilobyte, and all that fall due
 * together would hold the event loop. Owns: one timer of the clock below it, set
 * for the earliest time, and a binary heap of what waits.
 */
import { SLICE_MS } from "../ops/mod.ts";
import type { Clock } from "./clock.ts";

/** What waits for its time. */
interface Entry {
  /** ms since the epoch. */
  readonly dueAt: number;
  /** Of two that are due at the same time, the one added first goes first. */
  readonly order: number;
  readonly run: () => void;
  /** Where in the heap; -1 when it is not there any more. */
  at: number;
}

export class Schedule implements Clock {
  /** Binary heap: the entry at i is not after those at 2i + 1 and 2i + 2. */
  readonly #heap: Entry[] = [];
  #added = 0;
  /** Of the timer that is set; undefined while none is. */
  #timerAt: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #running = false;

  constructor(readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  after(ms: number, run: () => void): () => void {
    const entry: Entry = { dueAt: this.now() + ms, order: this.#added++, run, at: -1 };
    this.#place(entry, this.#heap.length);
    this.#setTimer();
    return () => {
      if (entry.at < 0) return;
      this.#remove(entry);
      this.#setTimer();
    };
  }

  /** Times not yet come. */
  get waiting(): number {
    return this.#heap.length;
  }

  /** Sets the timer for the earliest time. One that is set too early stays: it costs a look. */
  #setTimer(): void {
    if (this.#running) return; // done at the end of the slice
    const first = this.#heap[0];
    if (first && this.#timerAt !== undefined && this.#timerAt <= first.dueAt) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#timerAt = undefined;
    if (!first) return;
    this.#timerAt = first.dueAt;
    this.#cancelTimer = this.clock.after(Math.max(0, first.dueAt - this.now()), () => this.#due());
  }

  /** Runs what is due, for one slice; the rest after what else waits for the event loop. */
  #due(): void {
    this.#timerAt = this.#cancelTimer = undefined;
    const sliceEnds = performance.now() + SLICE_MS;
    this.#running = true;
    try {
      while (this.#heap.length > 0 && this.#heap[0].dueAt <= this.now()) {
        const [first] = this.#heap;
        this.#remove(first);
        first.run();
        if (performance.now() >= sliceEnds) break;
      }
    } finally {
      this.#running = false;
      this.#setTimer();
    }
  }

  #remove(entry: Entry): void {
    const last = this.#heap.pop()!;
    if (last !== entry) this.#place(last, entry.at);
    entry.at = -1;
  }

  /** Puts an entry at a free place, then where it belongs. */
  #place(entry: Entry, at: number): void {
    const heap = this.#heap;
    for (let above = at - 1 >> 1; at > 0 && isBefore(entry, heap[above]); above = at - 1 >> 1) {
      this.#set(heap[above], at);
      at = above;
    }
    for (let below = this.#firstBelow(at); below < heap.length; below = this.#firstBelow(at)) {
      if (!isBefore(heap[below], entry)) break;
      this.#set(heap[below], at);
      at = below;
    }
    this.#set(entry, at);
  }

  /** The earlier of the two below a place; beyond the heap when there is none. */
  #firstBelow(at: number): number {
    const left = 2 * at + 1;
    const right = left + 1;
    return right < this.#heap.length && isBefore(this.#heap[right], this.#heap[left])
      ? right
      : left;
  }

  #set(entry: Entry, at: number): void {
    this.#heap[at] = entry;
    entry.at = at;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueAt < b.dueAt || a.dueAt === b.dueAt && a.order < b.order;
}
