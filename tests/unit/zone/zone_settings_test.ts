import { assertEquals } from "@std/assert";
import { ZoneBuild } from "../../../lib/zone/mod.ts";
import { drain } from "../../support/random_zones.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";

/** What becomes of a zone with these settings, and its problems' codes. */
function build(settings: Partial<ConstructorParameters<typeof ZoneBuild>[0]>) {
  const zone = new ZoneBuild({ ...ZONE_SETTINGS, ...settings });
  zone.add({ name: "@", type: "NS", ttl: null, content: "ns1" });
  const rules = { policy: "increment", nowMs: 0, floors: [] } as const;
  return {
    kind: drain(zone.finish(undefined, rules)).kind,
    codes: zone.problems.listed.map((p) => p.code),
  };
}

Deno.test("zone settings out of range hold the zone, with a problem that names the setting", async (t) => {
  const cases: [Parameters<typeof build>[0], string][] = [
    [{ mname: "a..b" }, "soa-mname"],
    [{ rname: "a..b" }, "soa-rname"],
    [{ rname: "admin@example.org" }, "soa-rname"],
    [{ refresh: -1 }, "soa-refresh"],
    [{ minimum: 2 ** 31 }, "soa-minimum"],
    [{ expire: 1.5 }, "soa-expire"],
    [{ soaTtl: -1 }, "soa-soa-ttl"],
    [{ defaultTtl: -1 }, "soa-default-ttl"],
    // Rows without a TTL would be sent with it.
    [{ soaTtl: 300, defaultTtl: -1 }, "soa-default-ttl"],
    [{ serialFloor: -1 }, "soa-serial-floor"],
    [{ serialFloor: 2 ** 32 }, "soa-serial-floor"],
  ];
  for (const [settings, code] of cases) {
    await t.step(JSON.stringify(settings), () => {
      assertEquals(build(settings), { kind: "held", codes: [code] });
    });
  }
  assertEquals(build({ serialFloor: 2 ** 32 - 1 }).kind, "changed");
});
