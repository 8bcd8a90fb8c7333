/** An approval that comes while the zone is being built without it is not lost. */
import { assertEquals } from "@std/assert";
import { nullLogger } from "../../../lib/ops/mod.ts";
import { Holding } from "../../../lib/primary/holding.ts";
import { type BuildResult, heldRemoval } from "../../../lib/zone/mod.ts";
import { zoneVersion } from "../../support/zone_version.ts";

Deno.test("an approval that comes while what it releases is built without it stays", async () => {
  const version = zoneVersion("example.org.", 1);
  const { apex, apexKey } = version;
  const holding = new Holding({
    settings: { limits: { maxShrink: 0.3, maxChange: 0.5 }, windowMs: 1000 },
    store: { keepGuard: () => Promise.resolve() },
    log: nullLogger,
    now: () => 1000,
    changed: () => {},
  });
  const held = { ...heldRemoval(version), reasons: ["shrink"] as const };
  const result: Extract<BuildResult, { kind: "unchanged" }> = { kind: "unchanged", held };
  const first = holding.newPlan();
  holding.judged(first, apex, apexKey, version, result);
  holding.keep(first);

  const second = holding.newPlan();
  const rules = holding.rulesOf(second, apexKey)!;
  assertEquals(rules.isApproved(held.id), false);
  const verdict = await holding.approve(apex, apexKey, held.id, 1); // before the build has ended
  holding.judged(second, apex, apexKey, version, result);
  holding.keep(second);
  assertEquals(verdict, undefined);
  assertEquals(holding.rulesOf(holding.newPlan(), apexKey)!.isApproved(held.id), true);
  holding.close();
});
