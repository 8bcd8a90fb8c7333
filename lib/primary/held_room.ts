/**
 * How much of what is held is named owner by owner, and kept to be shown: held
 * owners are no second copy of the zones. Pure.
 */
import type { HeldRoom } from "../zone/mod.ts";
import { heldNames, type Hold } from "./hold.ts";

/** Of one zone: owners, and octets of some ten thousand records. */
const MOST: HeldRoom = { owners: 10_000, octets: 1024 * 1024 };
/** Of all zones together; what is held of further ones is read with all of their zone. */
const MOST_OF_ALL: HeldRoom = { owners: 200_000, octets: 16 * 1024 * 1024 };

/** What holds take. */
export function sizeOf(holds: Iterable<Hold | undefined>): HeldRoom {
  let [named, octets] = [0, 0];
  for (const hold of holds) {
    if (!hold) continue;
    const { difference } = hold;
    const names = heldNames(hold);
    if (names !== "all") named += names.size;
    if (difference) octets += difference.removed.octets.length + difference.added.octets.length;
  }
  return { owners: named, octets };
}

/** What they take once one is another. */
export function withHold(
  all: HeldRoom,
  before: Hold | undefined,
  after: Hold | undefined,
): HeldRoom {
  const [less, more] = [sizeOf([before]), sizeOf([after])];
  return {
    owners: all.owners - less.owners + more.owners,
    octets: all.octets - less.octets + more.octets,
  };
}

/** The room there is for one of them. */
export function roomBeside(all: HeldRoom, own: HeldRoom): HeldRoom {
  const left = (key: keyof HeldRoom) =>
    Math.max(0, Math.min(MOST[key], MOST_OF_ALL[key] - all[key] + own[key]));
  return { owners: left("owners"), octets: left("octets") };
}
