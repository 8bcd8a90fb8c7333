/**
 * RDATA of types without a text form: refused where NSD 4.6, Knot 3.2, BIND 9.18 or
 * PowerDNS 4.7 refuses a whole zone for it, as they did when they were given these.
 */
import { assertEquals } from "@std/assert";
import { checkRdata, RdataError } from "../../../lib/dns/mod.ts";
import { parseHex } from "../../../lib/dns/rdata/binary.ts";

const ALL = ["", "00", "ff", "0000000000", "ffffffffffffffff"];

/** Type, what all of them take, what one of them refuses. */
const TYPES: readonly [type: string, number: number, taken: string[], refused: string[]][] = [
  ["NULL", 10, ["00"], [""]],
  ["WKS", 11, ["0000000000", "0000000006"], ["", "00", "ff", "000000000600"]],
  ["NSAP-PTR", 23, ["00"], ["", "ff", "0000000000", "ffffffffffffffff"]],
  ["GPOS", 27, ["013101310131"], [...ALL, "0130013002"]],
  ["NXT", 30, ["000040", "0061", "0161000040"], [...ALL, "0000", "00004000", "0161008001"]],
  ["EID", 31, ["00"], [""]],
  ["NIMLOC", 32, ["00"], [""]],
  ["ATMA", 34, ["0000000000", "0000", "ff00", "ffff"], ["", "00", "ff", "01", "0100"]],
  ["A6", 38, ["8000", "00".repeat(17)], [...ALL, "8001"]],
  ["SINK", 40, ["0000000000", "000000"], ["", "00", "ff", "0000"]],
  ["IPSECKEY", 45, [], ["00", "0a0001"]],
  ["HIP", 55, [], ["00"]],
  ["NINFO", 56, ["00", "0000000000"], ["", "ff", "ffffffffffffffff"]],
  ["RKEY", 57, ["0000030100", "000000ff00"], ["", "00", "ff", "ffffffffffffffff", "0000"]],
  ["TALINK", 58, ["0000"], ALL],
  ["DSYNC", 66, ["000000000000"], ALL],
  ["HHIT", 67, ["00"], [""]],
  ["BRID", 68, ["00"], [""]],
  ["AVC", 258, ["00"], ["", "ff", "ffffffffffffffff"]],
  ["DOA", 259, ["00".repeat(10)], [...ALL, "00".repeat(9)]],
  ["AMTRELAY", 260, ["0000", "0a00", "0a80", "0a0300"], [
    "",
    "00",
    "ff",
    "0000000000",
    "0a02c0000201",
  ]],
  ["RESINFO", 261, ["00"], ["", "ff", "ffffffffffffffff"]],
  ["WALLET", 262, ["00"], ["", "ff", "ffffffffffffffff"]],
  ["TA", 32768, ["0000000000"], ["", "00", "ff", "00000000"]],
  ["of no name", 65280, ALL, []],
];

function isTaken(type: number, hex: string): boolean {
  try {
    checkRdata(type, parseHex(hex)!);
    return true;
  } catch (error) {
    if (error instanceof RdataError) return false;
    throw error;
  }
}

Deno.test("a type that has no text form is refused what another server refuses", async (t) => {
  for (const [name, type, taken, refused] of TYPES) {
    await t.step(`${name} (${type})`, () => {
      for (const hex of taken) assertEquals(isTaken(type, hex), true, hex);
      for (const hex of refused) assertEquals(isTaken(type, hex), false, hex);
    });
  }
});
