import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { PRESET, presetSecondaries } from "../../../lib/cli/preset_flag.ts";
import { PRESETS } from "../../../lib/cli/preset_table.ts";
import { parseCidr, parseSocketAddress } from "../../../lib/ops/mod.ts";

const V4 = [parseSocketAddress("198.51.100.1:53", 53)];
const V6 = [parseSocketAddress("[2001:db8::1]:53", 53)];

function secondaries(text: string, listen = V4) {
  return presetSecondaries(PRESET.parse(text), listen);
}

Deno.test("presets: each has a name of its own, a date, a title, and addresses that are some", async (t) => {
  assertEquals(new Set(PRESETS.map(({ name }) => name)).size, PRESETS.length);
  for (const { name, title, asOf, servers, transfer, tsig } of PRESETS) {
    await t.step(name, () => {
      assertMatch(name, /^[a-z][a-z0-9-]*$/);
      assertMatch(asOf, /^20\d\d-(?:0[1-9]|1[0-2])$/);
      assertMatch(title + tsig, /\S/);
      for (const server of servers) {
        for (const one of [...server.notify, ...server.watch]) {
          parseSocketAddress(one.includes(":") ? `[${one}]` : one, 53);
        }
        for (const one of [...server.transfer, ...transfer]) parseCidr(one);
      }
      for (const listen of [V4, V6, []]) {
        for (const secondary of secondaries(name, listen)) {
          assertMatch(secondary.name, new RegExp(`^${name}(-\\d)?$`));
        }
      }
    });
  }
});

Deno.test("presets: all three lists, of Hurricane Electric", () => {
  const [he, ...others] = secondaries("he,key=he-1.example.org");
  assertEquals(others, []);
  assertEquals([he.name, he.ip, he.port, he.notify], ["he", "216.218.130.2", 53, true]);
  assertEquals(he.from, [parseCidr("216.218.133.2"), parseCidr("2001:470:600::2")]);
  assertEquals(he.watch.map(({ ip }) => ip), [
    "216.218.130.2",
    "216.218.131.2",
    "216.218.132.2",
    "216.66.1.2",
    "216.66.80.18",
  ]);
  assertEquals(he.keys.length, 1);
});

Deno.test("presets: each server of Hetzner is one secondary, over the family we listen on", () => {
  const of = (listen: typeof V4) =>
    secondaries("hetzner", listen).map(({ name, ip, watch, from }) => [
      name,
      ip,
      watch.map((one) => one.ip).join(),
      from.length,
    ]);
  assertEquals(of(V4), [
    ["hetzner-1", "213.239.242.238", "213.239.242.238", 2],
    ["hetzner-2", "213.133.100.103", "213.133.100.103", 2],
    ["hetzner-3", "193.47.99.3", "193.47.99.3", 2],
  ]);
  assertEquals(of(V6), [
    ["hetzner-1", "2a01:4f8:0:a101::a:1", "2a01:4f8:0:a101::a:1", 2],
    ["hetzner-2", "2a01:4f8:0:1::5ddc:2", "2a01:4f8:0:1::5ddc:2", 2],
    ["hetzner-3", "2001:67c:192c::add:a3", "2001:67c:192c::add:a3", 2],
  ]);
  assertEquals(of([...V6, ...V4]), of(V4));
});

Deno.test("presets: what nobody knows is off, and can be said", () => {
  const [dnsimple] = secondaries("dnsimple");
  assertEquals([dnsimple.notify, dnsimple.watch], [false, []]);
  const [cloudflare] = secondaries("cloudflare,watch=192.0.2.1+192.0.2.2:5353");
  assertEquals(cloudflare.watch, [{ ip: "192.0.2.1", port: 53 }, { ip: "192.0.2.2", port: 5353 }]);
  const [via] = secondaries("hetzner,via=2001:db8::1,notify=off,no-ixfr");
  assertEquals([via.ip, via.via, via.notify, via.ixfr], [
    "2a01:4f8:0:a101::a:1",
    "2001:db8::1",
    false,
    false,
  ]);
});

Deno.test("presets: a name or an option that is none says what is", () => {
  assertThrows(() => PRESET.parse("hetzne"), Error, "did you mean hetzner?");
  assertThrows(() => PRESET.parse("he,from=192.0.2.1"), Error, '"from=192.0.2.1" is no option');
  assertThrows(() => PRESET.parse("he,watch=here"), Error, '"here" is a name, not an IP');
});
