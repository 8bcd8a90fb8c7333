/** What `zonecast held ZONE` says in words: one owner is one. */
import { assertEquals } from "@std/assert";
import { heldLines, type HeldStatus } from "../../../lib/cli/held_status.ts";

function lines(reason: string, owners: number, removed: number): string {
  const held = {
    zone: "a.",
    id: "1f",
    since: new Date(0).toISOString(),
    why: "why",
    reasons: [reason],
    owners,
    removed,
    added: 2,
    release: "zonecast approve a. 1f",
  } as HeldStatus;
  return [...heldLines(held, undefined, 0)][1];
}

Deno.test("held: numbers and their nouns agree", () => {
  assertEquals(
    lines("ns-set", 1, 1),
    "1 owner is served as before: 1 record would go, 2 would come",
  );
  assertEquals(
    lines("change", 3, 4),
    "3 owners are served as before: 4 records would go, 2 would come",
  );
  assertEquals(lines("zone-removed", 1, 3), "all of it would go: 1 owner, 3 records");
});
