import { assertEquals } from "@std/assert";
import { parseName } from "../../../../lib/dns/mod.ts";
import { Propagation, type Stopwatch } from "../../../../lib/cli/http/propagation.ts";
import type { SecondaryEvent } from "../../../../lib/server/mod.ts";
import type { Publication } from "../../../../lib/store/mod.ts";
import { zoneVersion } from "../../../support/zone_version.ts";

const APEX = parseName("example.org.");
const SECONDARIES = { notified: ["a", "b"], watched: ["a"] };

/** A propagation whose measurements are lines. */
function measuring(): { propagation: Propagation; lines: string[] } {
  const lines: string[] = [];
  const stopwatch: Stopwatch = {
    published: ({ serial }, _changes, s) => lines.push(`${serial} published ${s ?? "?"}`),
    notified: (secondary, s) => lines.push(`${secondary} notified ${s}`),
    live: (secondary, s) => lines.push(`${secondary} live ${s}`),
  };
  return { propagation: new Propagation(SECONDARIES, stopwatch), lines };
}

function publication(serial: number): Publication {
  const version = zoneVersion("example.org.", serial);
  return { version, previous: undefined, diff: undefined, cause: "feed", publishedAt: 0 };
}

function live(secondary: string, serial: number): SecondaryEvent {
  return {
    zone: APEX,
    secondary,
    serial,
    state: "live",
    ahead: undefined,
    seenAt: 0,
    lastNotifyAt: 0,
    lastTransferAt: 0,
    kind: undefined,
  };
}

Deno.test("propagation: each step is timed from the change on, once", () => {
  const { propagation, lines } = measuring();
  const one = publication(1);
  propagation.published(one, { changedTick: 1_000 }, 1_002);
  propagation.notified("a", one.version, 1_003);
  propagation.notified("a", one.version, 1_500);
  propagation.secondary(live("a", 1), 2_000);
  propagation.secondary(live("a", 1), 3_000);
  propagation.notified("b", one.version, 1_010);
  assertEquals(lines, ["1 published 0.002", "a notified 0.003", "a live 1", "b notified 0.01"]);
  assertEquals(propagation.underWay, 0);
});

Deno.test("propagation: a NOTIFY that leaves before the publication is told of counts", () => {
  const { propagation, lines } = measuring();
  const one = publication(1);
  propagation.notified("a", one.version, 1_001);
  propagation.published(one, { changedTick: 1_000 }, 1_002);
  const two = publication(2);
  propagation.notified("a", two.version, 2_001);
  propagation.published(two, { changedTick: 2_000 }, 2_002);
  assertEquals(lines.filter((line) => line.includes("notified")), [
    "a notified 0.001",
    "a notified 0.001",
  ]);
});

Deno.test("propagation: a later serial shown counts for all versions before it", () => {
  const { propagation, lines } = measuring();
  for (const serial of [1, 2, 3]) {
    propagation.published(publication(serial), { changedTick: 1_000 * serial }, 1_000 * serial);
  }
  lines.length = 0;
  propagation.secondary(live("a", 2), 4_000);
  assertEquals(lines, ["a live 3", "a live 2"]);
  propagation.secondary({ ...live("a", 3), state: "behind" }, 4_500);
  propagation.secondary(live("a", 3), 5_000);
  assertEquals(lines.slice(2), ["a live 2"]);
});

Deno.test("propagation: what is under way is bounded, and forgotten with its zone", () => {
  const { propagation, lines } = measuring();
  for (let serial = 1; serial <= 100; serial++) {
    propagation.published(publication(serial), { changedTick: 0 }, 0);
  }
  assertEquals(propagation.underWay, 32);
  propagation.retire(publication(1).version.apexKey);
  assertEquals(propagation.underWay, 0);
  lines.length = 0;
  propagation.published(publication(101), {}, 5);
  assertEquals([lines, propagation.underWay], [["101 published ?"], 0]);
});
