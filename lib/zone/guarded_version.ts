/**
 * A zone's next version with the guard in between: all of a change, or what of it
 * is not held.
 *
 * Pure. What is within the limits is built as it is counted, and costs nothing
 * more; only what exceeds is gone through again.
 */
import { GuardJudge, type GuardRules, holdsChange } from "./guard.ts";
import { collectHeld, type HeldPart } from "./held_part.ts";
import type { OwnerChange, Paused } from "./page_edit.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** What the guard let pass, and what not. */
export interface Guarded<R> {
  /** The result of building what passed. */
  readonly result: R;
  /** What is held. */
  readonly held?: HeldPart;
  /** What was held, and is approved: it is in the result. */
  readonly released?: HeldPart;
  /** What was held beside the change stays so, as it is. */
  readonly stays?: true;
}

/** A change that cannot be judged without what is held beside it: it is to be held with it. */
export const TOGETHER = "together";

/**
 * Builds what may be published of a change; yields as places to pause.
 *
 * @param changes  the change from its beginning; called up to four times
 * @param build  builds what it is given, to the end
 * @param isOne  whether no part of the change may be published without the others;
 *   asked once all of it was gone through
 */
export function* guardedVersion<R>(
  current: ZoneVersion,
  rules: GuardRules,
  changes: () => Paused<OwnerChange>,
  build: (changes: Iterable<OwnerChange | undefined>) => Generator<unknown, R>,
  isOne: () => boolean,
): Generator<unknown, Guarded<R> | typeof TOGETHER> {
  const judge = new GuardJudge(current, rules);
  const watched = judge.watch(changes());
  let whole: { result: R } | undefined;
  // Where something is held already, building all would most likely be in vain.
  if (rules.standing) { for (const _ of watched) yield; }
  else whole = { result: yield* build(watched) };
  const verdict = yield* judge.verdict();
  if (rules.beside && (verdict || judge.leavesOnlyHeldApex)) return TOGETHER;
  if (!verdict) {
    const all = whole ?? { result: yield* build(changes()) };
    return rules.beside ? { ...all, stays: true } : all;
  }
  whole = undefined;
  const all = isOne();
  const isHeld = (change: OwnerChange) => all || holdsChange(verdict, current.apexKey, change);
  const held = yield* collectHeld(verdict, part(changes(), isHeld, true), rules.room);
  if (!verdict.reasons.includes("no-ns") && rules.isApproved(held.id)) {
    return { result: yield* build(changes()), released: held };
  }
  return { result: yield* build(part(changes(), isHeld, false)), held };
}

/** The changes that are held, or those that are not. */
function* part(
  changes: Paused<OwnerChange>,
  isHeld: (change: OwnerChange) => boolean,
  held: boolean,
): Generator<OwnerChange | undefined> {
  for (const change of changes) yield change && isHeld(change) === held ? change : undefined;
}
