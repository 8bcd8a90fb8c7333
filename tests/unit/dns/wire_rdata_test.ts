/** RDATA in wire format: what is malformed, names within, canonical form, compression expanded. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  canonicalRdata,
  checkRdata,
  decompressRdata,
  formatName,
  formatRdata,
  parseName,
  parseRdata,
  RdataError,
  rdataNames,
  ROOT,
  typeCode,
} from "../../../lib/dns/mod.ts";
import { fromHex, toHex } from "../../support/octets.ts";

/** Type, octets, what is wrong with them. */
const MALFORMED: readonly (readonly [string, string, string])[] = [
  ["NS", "40", "length octet 64"],
  ["NS", "c00c", "length octet 192"],
  ["NS", "0161", "needs 3 octets"],
  ["NS", `${"013a".repeat(127)}013a00`, "over 255"],
  ["TXT", "", "0 character-strings"],
  ["TXT", "0261", "needs 2 octets"],
  ["ISDN", "000000", "3 character-strings"],
  ["CAA", "000078", "letters and digits"],
  ["CAA", "0001 2e 78", "letters and digits"],
  ["NSEC", "00", "needs 1 octets"],
  ["NSEC", "00 0000", "window of 0"],
  ["NSEC", `00 0021${"01".repeat(33)}`, "window of 33"],
  ["NSEC", "00 000100", "zero octet"],
  ["NSEC", "00 000140 000140", "out of order"],
  ["NSEC", "00 010140 000140", "out of order"],
  ["NSEC3", "01 00 0001 00 00", "empty"],
  ["NSEC3", "01 00 0001 00 01 aa", "kind 1 has 20"],
  ["RRSIG", "0001 08 01 0000003c 00000000 00000000 0001 0161 0162 00 ff", "1 labels, its signer 2"],
  ["X25", "03 313233", "4 digits"],
  ["X25", "04 3132333a", "4 digits"],
  ["SVCB", "0001 00 0007 0001 2f", "no {?dns}"],
  ["LOC", "01121212 80000000 80000000 00989680", "only 0 is defined"],
  ["LOC", "00a21212 80000000 80000000 00989680", "base and power"],
  ["LOC", "001a1212 80000000 80000000 00989680", "base and power"],
  ["LOC", "00011212 80000000 80000000 00989680", "base and power"],
  ["LOC", "00121212 93504e01 80000000 00989680", "over 90 degrees"],
  ["LOC", "00121212 80000000 595f63ff 00989680", "over 180 degrees"],
  ["APL", "0001 18 04 c0000200", "zero octet"],
  ["APL", "0001 21 01 c0", "prefix of family 1"],
  ["APL", "0001 18 05 c000020001", "prefix of family 1"],
  ["DS", "0001 08 02 00", "32"],
  ["SVCB", "0001 00 0003 0002 0035 0003 0002 0035", "out of order or twice"],
  ["SVCB", "0001 00 0004 0004 c0000201 0003 0002 0035", "out of order or twice"],
  ["SVCB", "0001 00 0003 0001 35", "not two octets"],
  ["SVCB", "0001 00 0000 0000", "no list of keys"],
  ["SVCB", "0001 00 0000 0001 00", "no list of keys"],
  ["SVCB", "0001 00 0000 0002 0000", "names itself"],
  ["SVCB", "0001 00 0000 0002 0003", "names port, which is missing"],
  ["SVCB", "0001 00 0001 0000", "empty"],
  ["SVCB", "0001 00 0001 0001 00", "empty protocol id"],
  ["SVCB", "0001 00 0001 0002 0261", "cut short"],
  ["SVCB", "0001 00 0002 0000", "needs alpn"],
  ["SVCB", "0001 00 0004 0000", "list of addresses"],
  ["SVCB", "0001 00 0004 0005 c000020100", "list of addresses"],
  ["SVCB", "0001 00 0006 0004 c0000201", "list of addresses"],
  ["SVCB", "0001 00 0008 0001 00", "takes no value"],
];

Deno.test("malformed octets are refused, and still print as the unknown form", async (t) => {
  for (const [type, hex, message] of MALFORMED) {
    await t.step(`${type} ${hex.slice(0, 60)}`, () => {
      const rdata = fromHex(hex);
      assertThrows(() => checkRdata(typeCode(type), rdata), RdataError, message);
      const text = `\\# ${rdata.length} ${toHex(rdata).toUpperCase()}`.trimEnd();
      assertEquals(formatRdata(typeCode(type), rdata), text);
      assertThrows(() => parseRdata(typeCode(type), text, ROOT), RdataError, message);
    });
  }
});

Deno.test("an APL item of another family is right, and prints as the unknown form", () => {
  const rdata = fromHex("0003 08 01 7f");
  checkRdata(typeCode("APL"), rdata);
  assertEquals(formatRdata(typeCode("APL"), rdata), "\\# 5 000308017F");
});

/** Type, text, whether a sender may compress its names, whether the canonical form lowers them. */
const NAMES: readonly (readonly [string, string, boolean, boolean])[] = [
  ["NS", "Ns1.X.", true, true],
  ["CNAME", "A.b.", true, true],
  ["PTR", "A.b.", true, true],
  ["MB", "A.b.", true, true],
  ["SOA", "Ns1.X. Hm.X. 1 2 3 4 5", true, true],
  ["MINFO", "A.b. C.d.", true, true],
  ["MX", "10 A.b.", true, true],
  ["RP", "A.b. C.d.", false, true],
  ["AFSDB", "1 A.b.", false, true],
  ["RT", "1 A.b.", false, true],
  ["PX", "1 A.b. C.d.", false, true],
  ["KX", "1 A.b.", false, true],
  ["SRV", "1 2 3 A.b.", false, true],
  ["NAPTR", '1 2 "U" "E2U" "!A!B!" A.b.', false, true],
  ["DNAME", "A.b.", false, true],
  ["RRSIG", "A 8 2 60 20200101000000 20200101000000 1 A.b. AAAA", false, true],
  ["NSEC", "A.b. A", false, false],
  ["SVCB", "1 A.b. alpn=H2", false, false],
  ["HTTPS", "1 A.b.", false, false],
  ["LP", "1 A.b.", false, false],
];

Deno.test("names within RDATA: where they are, RFC 3597 §4 and RFC 4034 §6.2", async (t) => {
  for (const [type, text, compressible, lowered] of NAMES) {
    await t.step(type, () => {
      const rdata = parseRdata(typeCode(type), text, ROOT);
      const names = rdataNames(typeCode(type), rdata);
      assertEquals(
        names.map(({ at, length }) => formatName(rdata.subarray(at, at + length))),
        text.split(" ").filter((word) => /^[A-Z].*\.$/i.test(word)),
      );
      assertEquals(names.map((name) => name.compressible), names.map(() => compressible));
      const canonical = canonicalRdata(typeCode(type), rdata);
      if (!lowered) assertStrictEquals(canonical, rdata);
      const expected = rdata.slice();
      for (const { at, length } of lowered ? names : []) {
        for (let i = at; i < at + length; i++) {
          if (expected[i] >= 0x41 && expected[i] <= 0x5a) expected[i] += 0x20;
        }
      }
      assertEquals(canonical, expected);
      assertStrictEquals(canonicalRdata(typeCode(type), canonical), canonical);
    });
  }
});

Deno.test("types without names share one empty list", () => {
  const rdata = fromHex("c0000201");
  assertStrictEquals(rdataNames(typeCode("A"), rdata), rdataNames(typeCode("TYPE65280"), rdata));
  assertEquals(rdataNames(typeCode("A"), rdata), []);
});

/** A message of 12 octets header, then example.com. at 12, then the RDATA at 25. */
function messageWith(rdata: Uint8Array): Uint8Array {
  return Uint8Array.of(...new Uint8Array(12), ...parseName("example.com."), ...rdata);
}

/** Type, compressed octets, their text. Pointers may also point into the RDATA itself. */
const COMPRESSED: readonly (readonly [string, string, string])[] = [
  ["NS", "c00c", "example.com."],
  ["MX", "000a 046d61696c c00c", "10 mail.example.com."],
  ["MX", "000a 01 61 c014", "10 a.com."],
  [
    "SOA",
    "036e7331 c00c 02686d c019 00000001 00000002 00000003 00000004 00000005",
    "ns1.example.com. hm.ns1.example.com. 1 2 3 4 5",
  ],
  ["SRV", "0001 0002 0003 c00c", "1 2 3 example.com."],
  ["RP", "c00c 0174 c00c", "example.com. t.example.com."],
  ["NAPTR", "0001 0002 00 00 00 c00c", '1 2 "" "" "" example.com.'],
];

Deno.test("compression is expanded in the types of RFC 1035 and of RFC 3597 §4", async (t) => {
  for (const [type, hex, text] of COMPRESSED) {
    await t.step(type, () => {
      const rdata = fromHex(hex);
      const out = decompressRdata(typeCode(type), messageWith(rdata), 25, rdata.length);
      assertEquals(formatRdata(typeCode(type), out), text);
    });
  }
});

/** Type, octets at 25, RDLENGTH when it is not theirs. */
const BAD_COMPRESSION: readonly (readonly [string, string, number?])[] = [
  ["NS", "c019"], // to itself
  ["NS", "c01a"], // forward
  ["NS", "0161 c019"], // to the name it stands in
  ["NS", "c0"], // half a pointer
  ["NS", "c00c", 1], // RDLENGTH cuts the pointer
  ["NS", "c00c", 3], // RDLENGTH behind the message
  ["NS", "c00c 00", 3], // trailing octet
  ["NS", "0161", 2], // no end
  ["NS", "0361 00", 3], // label longer than RDLENGTH
  ["NS", "80"],
  ["NS", "4161"],
  ["NS", ""],
  ["MX", "00"],
  ["MX", "000a"],
  ["DNAME", "c00c"], // RFC 6672 §2.5: never compressed
  ["SVCB", "0001 c00c"],
  ["RRSIG", "0001 08 02 0000003c 00000000 00000000 0001 c00c 00"],
];

Deno.test("bad compression is a typed error", async (t) => {
  for (const [type, hex, length] of BAD_COMPRESSION) {
    await t.step(`${type} ${hex}`, () => {
      const rdata = fromHex(hex);
      assertThrows(
        () => decompressRdata(typeCode(type), messageWith(rdata), 25, length ?? rdata.length),
        RdataError,
      );
    });
  }
});

Deno.test("a chain of pointers that only go back ends; a name over 255 octets is refused", () => {
  const labels = fromHex(`${"013a".repeat(100)}00`); // 201 octets at 12
  const message = Uint8Array.of(
    ...new Uint8Array(12),
    ...labels,
    0x3f,
    ...new Uint8Array(63),
    0xc0,
    12,
  );
  const at = 12 + labels.length;
  assertThrows(
    () => decompressRdata(typeCode("NS"), message, at, 66),
    RdataError,
    "over 255 octets",
  );
  const chain = [0xc0, 12, 0xc0, 25, 0xc0, 27];
  const out = decompressRdata(typeCode("NS"), messageWith(Uint8Array.from(chain)), 29, 2);
  assertEquals(formatName(out), "example.com.");
});
