/**
 * How the primary stands, for status and health.
 *
 * Owns: how many reads there were.
 */
import type { Source } from "../source/mod.ts";
import type { StateStore } from "../store/mod.ts";
import type { Current } from "./current.ts";
import type { Holding } from "./holding.ts";
import type { Loop } from "./loop.ts";
import type { PrimaryHealth, PrimaryStatus } from "./parts.ts";
import type { Quarantine } from "./quarantine.ts";
import { type Trouble, unkept } from "./trouble.ts";

export interface StandingOptions {
  readonly source: Source;
  readonly store: StateStore;
  readonly loop: Loop;
  readonly trouble: Trouble;
  readonly current: Current;
  readonly quarantine: Quarantine;
  readonly holding: Holding;
}

export class Standing {
  readonly #options: StandingOptions;
  readonly #reads = { everything: 0, part: 0 };

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** A read was made, and what it led to is done. */
  hasRead(everything: boolean): void {
    this.#reads[everything ? "everything" : "part"]++;
  }

  get hasReadAny(): boolean {
    return this.#reads.everything + this.#reads.part > 0;
  }

  /** Whether changes are read and published; costs the same however many zones there are. */
  health(): PrimaryHealth {
    const { source, store, trouble } = this.#options;
    const { failure, unkept: notKept = unkept(store.trouble) } = trouble;
    return { link: source.link, failure, unkept: notKept };
  }

  status(): PrimaryStatus {
    const { source, loop, current, quarantine, holding } = this.#options;
    return {
      ...this.health(),
      zones: current.status(),
      source: source.description,
      lastReadAt: loop.lastRead?.endedAt,
      lastReadMs: loop.lastRead?.ms,
      reads: { ...this.#reads },
      problems: quarantine.shown(),
      problemCounts: quarantine.counts(),
      held: [...holding.holds()],
    };
  }
}
