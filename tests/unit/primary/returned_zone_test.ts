/** A zone that is back in zones is judged again: what was held of it before it went still is. */
import { assertEquals } from "@std/assert";
import { formatName } from "../../../lib/dns/mod.ts";
import { nullLogger } from "../../../lib/ops/mod.ts";
import { Holding } from "../../../lib/primary/holding.ts";
import { zoneVersion } from "../../support/zone_version.ts";

Deno.test("a zone that has returned is looked at again, with what was held of it", async () => {
  const version = zoneVersion("example.org.", 1);
  const again: string[] = [];
  const holding = new Holding({
    settings: { limits: { maxShrink: 0.3, maxChange: 0.5 }, windowMs: 1000 },
    store: { keepGuard: () => Promise.resolve() },
    log: nullLogger,
    now: () => 1000,
    changed: (apex) => again.push(formatName(apex)),
  });
  await holding.hasReturned(version); // it never was gone
  assertEquals(again, []);
  assertEquals(await holding.holdsRemoval(version), true);
  await holding.hasReturned(version);
  assertEquals([...holding.holds()], []);
  assertEquals(again, ["example.org."]);
  holding.close();
});
