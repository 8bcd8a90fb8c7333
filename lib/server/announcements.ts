/**
 * Versions to tell the secondaries of, in slices: ten thousand at a start do not
 * hold the event loop.
 *
 * Owns: the versions that wait. One alone is told of at once.
 */
import { SLICE_MS } from "../ops/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Clock } from "./clock.ts";

export class Announcements {
  readonly #clock: Clock;
  readonly #tell: (version: ZoneVersion) => void;
  /** By apex key, the longest waiting first: a newer version takes the older one's place. */
  readonly #waiting = new Map<string, ZoneVersion>();
  /** When the slice that was begun last ends, ms of the monotonic clock. */
  #sliceEnds = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, tell: (version: ZoneVersion) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Tells of a version now, or soon where many came before it. */
  add(version: ZoneVersion): void {
    this.#waiting.set(version.apexKey, version);
    if (this.#cancelTimer) return;
    const now = performance.now();
    if (now >= this.#sliceEnds) this.#sliceEnds = now + SLICE_MS;
    this.#run();
  }

  /** Forgets a zone. */
  drop(apexKey: string): void {
    this.#waiting.delete(apexKey);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waiting.clear();
  }

  #run(): void {
    for (const [apexKey, version] of this.#waiting) {
      this.#waiting.delete(apexKey);
      this.#tell(version);
      if (performance.now() >= this.#sliceEnds) break;
    }
    if (this.#waiting.size === 0 && performance.now() < this.#sliceEnds) return;
    this.#cancelTimer = this.#clock.after(0, () => {
      this.#cancelTimer = undefined;
      this.#sliceEnds = performance.now() + SLICE_MS;
      this.#run();
    });
  }
}
