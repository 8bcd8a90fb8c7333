/**
 * The source as it is followed: its hints, its link's ups and downs, and the regular
 * proof by a read of everything.
 *
 * Owns: the proof's timer, and whether the link was up. Effects: log.
 */
import type { Logger } from "../ops/mod.ts";
import type { Source, SourceLink, WakeReason } from "../source/mod.ts";

export interface FollowingOptions {
  readonly source: Source;
  readonly log: Logger;
  /** A read proves everything at least this often, in ms. */
  readonly fullReadIntervalMs: number;
  /** Asks for a read. */
  readonly wake: (reason: WakeReason) => void;
  /** Called each time the link has come up. */
  readonly linkUp: () => void;
}

export class Following {
  readonly #options: FollowingOptions;
  #closed = false;
  #isUp = false;
  #proofTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  start(): void {
    const { source, wake, fullReadIntervalMs } = this.#options;
    source.start(wake, (link) => this.#linkChanged(link));
    this.#proofTimer = setInterval(() => wake("proof"), fullReadIntervalMs);
  }

  /** Asks for no more proofs; the source is closed next, and its link's end not told. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#proofTimer);
  }

  #linkChanged({ up, reason, hint }: SourceLink): void {
    const { source: { description }, log, linkUp } = this.#options;
    if (this.#closed) return; // it goes because we do
    if (!up) log.warn("source down", { source: description, reason, hint });
    else if (!this.#isUp) log.info("source up", { source: description });
    this.#isUp = up; // trouble while it is up is told by the read that failed
    if (up) linkUp();
  }
}
