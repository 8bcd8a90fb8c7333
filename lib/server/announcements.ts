/**
 * Versions to tell the secondaries of: ten thousand at a start neither hold the
 * event loop nor are all begun long before their NOTIFY can go.
 *
 * Owns: the versions that wait. One alone is told of at once.
 */
import { SLICE_MS } from "../ops/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Clock } from "./clock.ts";
import { PACE_WINDOW_MS } from "./limits.ts";

/** Whom the versions are told. */
export interface Audience {
  tell(version: ZoneVersion): void;
  /** Whether one more could go out soon. */
  hasRoom(): boolean;
}

export class Announcements {
  readonly #clock: Clock;
  readonly #audience: Audience;
  /** By apex key, the longest waiting first: a newer version takes the older one's place. */
  readonly #waiting = new Map<string, ZoneVersion>();
  /** When the slice that was begun last ends, ms of the monotonic clock. */
  #sliceEnds = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, audience: Audience) {
    this.#clock = clock;
    this.#audience = audience;
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
    let pauseMs = 0;
    for (const [apexKey, version] of this.#waiting) {
      if (!this.#audience.hasRoom()) {
        pauseMs = PACE_WINDOW_MS / 2;
        break;
      }
      this.#waiting.delete(apexKey);
      this.#audience.tell(version);
      if (performance.now() >= this.#sliceEnds) break;
    }
    if (this.#waiting.size === 0 && performance.now() < this.#sliceEnds) return;
    this.#cancelTimer = this.#clock.after(pauseMs, () => {
      this.#cancelTimer = undefined;
      this.#sliceEnds = performance.now() + SLICE_MS;
      this.#run();
    });
  }
}
