import { assert, assertEquals } from "@std/assert";
import { canonicalKey, parseName } from "../../../lib/dns/mod.ts";
import { equalSettings, sourceZones } from "../../../lib/zone/source_zones.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";

const named = (name: string) => ({ ...ZONE_SETTINGS, name });

Deno.test("zones are found by apex; those that are no name or stand twice are problems", () => {
  const list = [named("a.example"), named("A.Example."), named("bad..name"), named("b.example.")];
  const { byApex, nameless, problems } = sourceZones(list);
  const keyOf = (name: string) => canonicalKey(parseName(name));
  assertEquals([...byApex.keys()], [keyOf("a.example."), keyOf("b.example.")]);
  assert(byApex.get(keyOf("a.example.")) === list[0]);
  assertEquals(problems.map(({ zone }) => zone), ["A.Example.", "bad..name"]);
  assertEquals(problems[0].code, "zone-twice");
  assertEquals(nameless, ["bad..name"]);
  assert(sourceZones(list) === sourceZones(list), "the same list is read once");
});

Deno.test("settings are equal when every field is", () => {
  assert(equalSettings(ZONE_SETTINGS, { ...ZONE_SETTINGS }));
  assert(equalSettings({ ...ZONE_SETTINGS, refresh: NaN }, { ...ZONE_SETTINGS, refresh: NaN }));
  assert(!equalSettings(undefined, ZONE_SETTINGS));
  for (const [field, value] of Object.entries(ZONE_SETTINGS)) {
    const other = typeof value === "number" ? value + 1 : `${value}x`;
    assert(!equalSettings({ ...ZONE_SETTINGS, [field]: other }, ZONE_SETTINGS), field);
  }
});
