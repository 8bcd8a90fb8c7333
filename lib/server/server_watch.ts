/**
 * One watched server and one zone: asked until it shows the serial wanted, then now
 * and then.
 *
 * Owns: one timer or one question at a time. At most one question is outstanding.
 */
import type { Name, Serial } from "../dns/mod.ts";
import { hasSerial, MAX_POLL_MS, pollMs } from "../transfer/mod.ts";
import type { Clock } from "./clock.ts";
import type { RecheckRing } from "./recheck_ring.ts";
import type { SoaAnswer, SoaPeer } from "./soa_client.ts";

/** Whose zone it is. */
export interface Watching {
  readonly apex: Name;
  /** The serial it should show. */
  readonly wanted: Serial;
  /** Longest wait between two questions, ms. */
  readonly longestPollMs: number;
  /** Told of each answer; of none in time by undefined. */
  answered(server: ServerWatch, answer: SoaAnswer | undefined): void;
}

export class ServerWatch {
  /** As last shown; undefined when it never answered, or last without a serial. */
  serial: Serial | undefined;
  /** When it last showed a serial, ms since the epoch. */
  seenAt: number | undefined;
  /** Whether its last answer had the serial wanted; false when the last question had none. */
  confirmed = false;
  /** What its last answer was, fit for the log. */
  last: SoaAnswer | undefined;
  readonly #owner: Watching;
  readonly #clock: Clock;
  readonly #ring: RecheckRing;
  /** Questions since {@link restart}. */
  #asked = 0;
  #dueAt = 0;
  #cancelTimer: (() => void) | undefined;
  #cancelQuestion: (() => void) | undefined;
  #asking = false;

  constructor(readonly peer: SoaPeer, owner: Watching, clock: Clock, ring: RecheckRing) {
    this.#owner = owner;
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Asks within some ms, and from then on in growing intervals. */
  restart(ms: number): void {
    this.#asked = 0;
    this.#ring.remove(this);
    this.#askIn(ms);
  }

  /** Asks within some ms, the intervals growing on as they were. */
  soon(ms: number): void {
    this.#askIn(ms);
  }

  /** Asks now; at once when its turn comes. */
  ask(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#asking) return;
    this.#asking = true;
    const cancel = this.peer.ask(this.#owner.apex, (answer) => this.#answered(answer));
    // The answer may be there already.
    if (this.#asking) this.#cancelQuestion = cancel;
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#cancelQuestion?.();
    this.#cancelQuestion = undefined;
    this.#asking = false;
    this.#ring.remove(this);
  }

  /** Asks in some ms; an earlier time that is set stays. */
  #askIn(ms: number): void {
    const dueAt = this.#clock.now() + ms;
    if (this.#asking || (this.#cancelTimer && this.#dueAt <= dueAt)) return;
    this.#cancelTimer?.();
    this.#dueAt = dueAt;
    this.#cancelTimer = this.#clock.after(ms, () => this.ask());
  }

  #answered(answer: SoaAnswer | undefined): void {
    this.#asking = false;
    this.#cancelQuestion = undefined;
    if (answer) {
      this.serial = answer.serial;
      if (answer.serial !== undefined) this.seenAt = this.#clock.now();
    }
    this.last = answer;
    this.confirmed = hasSerial(answer?.serial, this.#owner.wanted);
    if (this.confirmed) this.#ring.add(this);
    this.#owner.answered(this, answer);
    if (this.confirmed) return;
    const ms = pollMs(this.#asked++);
    // Told first, the owner knows whether it has been behind for long.
    this.#askIn(ms < MAX_POLL_MS ? ms : this.#owner.longestPollMs);
  }
}
