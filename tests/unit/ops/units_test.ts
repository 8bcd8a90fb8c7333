import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  formatAge,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  UnitError,
} from "../../../lib/ops/mod.ts";

Deno.test("duration: every form is read as milliseconds", async (t) => {
  const forms: [string, number][] = [
    ["0", 0],
    ["0s", 0],
    ["100ms", 100],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["1h30m", 5_400_000],
    ["1d2h3m4s5ms", 93_784_005],
  ];
  for (const [text, ms] of forms) {
    await t.step(text, () => assertEquals(parseDuration(text), ms));
  }
});

Deno.test("duration: what is none is refused with the reason", async (t) => {
  const wrong: [string, string][] = [
    ["", "it is no duration"],
    ["100", "it has no unit"],
    ["1.5", "it has no unit"],
    ["-1s", "it is no duration"],
    ["1 s", "it is no duration"],
    ["1sx", "it is no duration"],
    ["2S", "it is no duration"],
    ["1e3s", "it is no duration"],
    ["1s2m", "its units must stand from large to small, each once"],
    ["1s1s", "its units must stand from large to small, each once"],
    ["99999999d", "it is over 100 years"],
  ];
  for (const [text, reason] of wrong) {
    await t.step(text, () => {
      assertThrows(() => parseDuration(text), UnitError, reason);
    });
  }
});

Deno.test("duration: format and parse are each other's inverse", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 11 }), (ms) => {
    assertEquals(parseDuration(formatDuration(ms)), ms);
  }));
});

Deno.test("duration: an age shows its two largest units", () => {
  assertEquals(
    [-5, 0, 999, 12_345, 61_000, 90_061_000].map(formatAge),
    ["0s", "0s", "0s", "12s", "1m1s", "1d1h"],
  );
});

Deno.test("size: every form is read as octets", async (t) => {
  const forms: [string, number][] = [
    ["0", 0],
    ["4096", 4096],
    ["1B", 1],
    ["10MiB", 10 * 1024 * 1024],
    ["10mib", 10 * 1024 * 1024],
    ["500kB", 500_000],
    ["1.5GiB", 1_610_612_736],
  ];
  for (const [text, octets] of forms) {
    await t.step(text, () => assertEquals(parseSize(text), octets));
  }
});

Deno.test("size: what is none is refused with the reason", async (t) => {
  const wrong: [string, string][] = [
    ["", "it is no size"],
    ["-1", "it is no size"],
    ["1 MiB", "it is no size"],
    ["MiB", "it is no size"],
    ["1M", `"M" is no unit of size`],
    ["99999999999999999999", "it is too large"],
  ];
  for (const [text, reason] of wrong) {
    await t.step(text, () => {
      assertThrows(() => parseSize(text), UnitError, reason);
    });
  }
});

Deno.test("size: written in the largest unit that fits", () => {
  assertEquals(
    [0, 1023, 1024, 1536, 10 * 1024 ** 2, 3 * 1024 ** 4].map(formatSize),
    ["0 B", "1023 B", "1 KiB", "1.5 KiB", "10 MiB", "3 TiB"],
  );
});
