/**
 * What the pipeline is made of, put together.
 */
import { canonicalKey, type Name } from "../dns/mod.ts";
import { Building } from "./building.ts";
import { Current } from "./current.ts";
import { Holding } from "./holding.ts";
import type { PrimaryParts } from "./parts.ts";
import { Quarantine } from "./quarantine.ts";
import { Raising } from "./raising.ts";
import { Reporting } from "./reporting.ts";
import { SerialGuard } from "./serials.ts";
import { Settling } from "./settling.ts";
import { Telling } from "./telling.ts";
import { Trouble } from "./trouble.ts";
import { Waiting } from "./waiting.ts";

/** One of each, for all zones. */
export interface Rooms {
  /** What was read and is not published. */
  readonly waiting: Waiting;
  /** Which zones need not be built. */
  readonly settling: Settling;
  /** A zone's next version. */
  readonly building: Building;
  /** Which serial it gets. */
  readonly serials: SerialGuard;
  /** What the guard holds. */
  readonly holding: Holding;
  /** What of the source is not served as written. */
  readonly quarantine: Quarantine;
  /** Serials raised at an operator's word. */
  readonly raising: Raising;
  /** What is visible and announced. */
  readonly current: Current;
  /** What is told, logged, and wrong. */
  readonly telling: Telling;
  readonly reporting: Reporting;
  readonly trouble: Trouble;
}

/**
 * @param now  ms since the epoch
 * @param readAgain  has a zone looked at again, by its apex's key
 */
export function makeRooms(
  { announcer, config, log, store, teller, zones }: PrimaryParts,
  now: () => number,
  readAgain: (apexKey: string) => void,
): Rooms {
  const changed = (apex: Name) => readAgain(canonicalKey(apex));
  const waiting = new Waiting();
  const holding = new Holding({ settings: config.guard, store, log, now, changed });
  const quarantine = new Quarantine(log, now);
  const serials = new SerialGuard({
    announcer,
    watched: config.watchedSecondaries,
    policy: config.serialPolicy,
    serialFloor: config.serialFloor,
    log,
    changed,
  });
  return {
    waiting,
    settling: new Settling(waiting, serials, readAgain),
    building: new Building({ zones, config, now, waiting, holding, serials, quarantine }),
    serials,
    holding,
    quarantine,
    raising: new Raising(),
    current: new Current(zones, announcer, serials),
    telling: new Telling(teller, holding),
    reporting: new Reporting(log),
    trouble: new Trouble(log),
  };
}
