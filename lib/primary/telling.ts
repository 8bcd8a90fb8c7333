/**
 * What is told of each turn to whoever the source's users hear it from, in an order
 * that they can rely on: names, versions, what is held, how far was read, problems.
 *
 * Owns nothing. Without a {@link Teller} nothing is told.
 */
import type { Reading } from "../source/mod.ts";
import type { Publication } from "../store/mod.ts";
import type { ProblemChange } from "../zone/mod.ts";
import type { Outcome } from "./building.ts";
import type { Holding } from "./holding.ts";
import type { Teller } from "./parts.ts";

export class Telling {
  constructor(readonly teller: Teller | undefined, readonly holding: Holding) {}

  /**
   * A read has led to this, which is durable and announced.
   *
   * @param problems  what has changed of them
   */
  turned(outcome: Outcome, reading: Reading, problems: ProblemChange): void {
    const { teller } = this;
    if (!teller) return;
    const { publications, pending, held, settled, again } = outcome;
    const names = new Map(settled.map((build) => [build.apexKey, build.settings.name]));
    for (const [apexKey, zone] of names) teller.named(apexKey, zone);
    for (const publication of publications) {
      teller.published(names.get(publication.version.apexKey)!, publication, reading);
    }
    this.held();
    const readNothing = reading.scope !== "everything" && reading.scope.size === 0;
    if (!readNothing && again.size === 0) { // else the read that follows at once tells
      teller.covered(reading, [...pending.keys()].filter((zone) => !held.has(zone)));
    }
    teller.problems(problems);
  }

  /** All that is held, where that has changed. */
  held(): void {
    if (this.teller && this.holding.takeNews()) this.teller.held(this.holding.holds());
  }

  /** A serial was raised. */
  raised(publication: Publication): void {
    this.teller?.raised(publication);
  }

  /** The source can be reached again. */
  linkUp(): void {
    this.teller?.linkUp();
  }
}
