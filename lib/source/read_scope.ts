/** Which owners a read is of. Pure. */
import type { OwnerScope, ReadRequest } from "./source.ts";

/** What was touched, with the pending owners of those zones and of those that are due. */
export function withPending(
  touched: ReadonlyMap<string, OwnerScope>,
  { pending, due }: ReadRequest,
): Map<string, OwnerScope> {
  const scope = new Map(touched);
  for (const [zone, owners] of pending) {
    const before = scope.get(zone);
    if (before === undefined && !due.has(zone)) continue;
    const all = before === "all" || owners === "all";
    scope.set(zone, all ? "all" : new Set([...before ?? [], ...owners]));
  }
  return scope;
}

/** Adds owners to a scope. */
export function addOwners(
  scope: Map<string, OwnerScope>,
  more: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [zone, owners] of more) {
    const before = scope.get(zone) ?? [];
    if (before !== "all") scope.set(zone, new Set([...before, ...owners]));
  }
}
