/** The battery every RR type passes: golden octets, both ways, cut, too long, unknown form. */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  checkRdata,
  decompressRdata,
  formatRdata,
  parseName,
  parseRdata,
  RdataError,
  ROOT,
  TYPE,
  typeCode,
  typeName,
  typesWithLayout,
} from "../../../lib/dns/mod.ts";
import { fromHex, toHex } from "../../support/octets.ts";
import { RDATA_VECTORS } from "../../vectors/rdata.ts";
import { SVCB_VECTORS } from "../../vectors/svcb.ts";

const ORIGIN = parseName("example.com.");

/** Each vector as type number, printed text and octets. */
const ALL = [
  ...RDATA_VECTORS.map(([type, text, hex]) => ({ type, text, hex })),
  ...SVCB_VECTORS.map(({ type, printed, hex }) => ({ type, text: printed, hex })),
].map(({ type, text, hex }) => ({
  name: `${type} ${text.length > 60 ? text.slice(0, 60) + "…" : text}`,
  type: typeCode(type),
  text,
  rdata: fromHex(hex),
}));

/** RDATA in the form of RFC 3597 §5, as zonecast prints it. */
function unknownForm(rdata: Uint8Array): string {
  return `\\# ${rdata.length} ${toHex(rdata).toUpperCase()}`.trimEnd();
}

Deno.test("every type with a text form has a vector", () => {
  const covered = new Set(ALL.map((vector) => vector.type));
  assertEquals(typesWithLayout().filter((type) => !covered.has(type)).map(typeName), []);
});

Deno.test("every type: text → wire gives the golden octets", async (t) => {
  for (const { name, type, text, rdata } of ALL) {
    await t.step(name, () => assertEquals(toHex(parseRdata(type, text, ORIGIN)), toHex(rdata)));
  }
});

Deno.test("every type: wire → text → wire is the same octets, the text is the printed form", () => {
  for (const { name, type, text, rdata } of ALL) {
    checkRdata(type, rdata);
    assertEquals(formatRdata(type, rdata), text, name);
    assertEquals(toHex(parseRdata(type, formatRdata(type, rdata), ROOT)), toHex(rdata), name);
    const relative = formatRdata(type, rdata, ORIGIN);
    assertEquals(parseRdata(type, relative, ORIGIN).length, rdata.length, name);
  }
});

Deno.test("every type: blanks, line ends and parentheses between fields change nothing", () => {
  for (const { name, type, text, rdata } of ALL) {
    const spread = `\t( ${text}\r\n ) `;
    assertEquals(toHex(parseRdata(type, spread, ORIGIN)), toHex(rdata), name);
  }
});

/** Types whose RDATA may end anywhere behind a fixed part: cutting it can leave a shorter right one. */
function assertCutIsHarmless(type: number, cut: Uint8Array, name: string): void {
  try {
    checkRdata(type, cut);
  } catch (error) {
    assert(error instanceof RdataError, `${name}: ${error}`);
    assertEquals(formatRdata(type, cut), unknownForm(cut), name);
    return;
  }
  assertEquals(toHex(parseRdata(type, formatRdata(type, cut), ROOT)), toHex(cut), name);
}

Deno.test("every type: cut at every octet is a typed error, or right RDATA that round-trips", () => {
  for (const { name, type, rdata } of ALL) {
    for (let length = 0; length < rdata.length; length++) {
      assertCutIsHarmless(type, rdata.slice(0, length), `${name} cut to ${length}`);
    }
  }
});

/** What may hold any number of further octets; for all others one more octet is an error. */
const OPEN_ENDED = [
  TYPE.APL,
  TYPE.CAA,
  TYPE.CDNSKEY,
  TYPE.CERT,
  TYPE.DHCID,
  TYPE.DNSKEY,
  TYPE.KEY,
  TYPE.NSAP,
  TYPE.OPENPGPKEY,
  TYPE.RRSIG,
  TYPE.SIG,
  TYPE.SMIMEA,
  TYPE.TLSA,
  TYPE.URI,
  TYPE.ISDN,
  TYPE.TXT,
  TYPE.SPF,
  TYPE.SSHFP,
  TYPE.DS,
  TYPE.CDS,
  TYPE.DLV,
  TYPE.ZONEMD,
] as number[];

Deno.test("every type of closed form: an octet behind the last field is refused", () => {
  for (const { name, type, rdata } of ALL) {
    if (OPEN_ENDED.includes(type)) continue;
    const longer = Uint8Array.of(...rdata, 0);
    const error = assertThrows(() => checkRdata(type, longer), RdataError, undefined, name);
    assert(error.offset !== undefined, name);
    assertEquals(formatRdata(type, longer), unknownForm(longer), name);
  }
});

Deno.test("every type: the unknown form is read, and checked against the type", () => {
  for (const { name, type, rdata } of ALL) {
    const text = unknownForm(rdata);
    assertEquals(toHex(parseRdata(type, text, ORIGIN)), toHex(rdata), name);
    const wrongLength = `\\# ${rdata.length + 1} ${toHex(rdata)}`;
    assertThrows(() => parseRdata(type, wrongLength, ORIGIN), RdataError, undefined, name);
  }
  assertThrows(() => parseRdata(TYPE.A, "\\# 3 0a0000", ORIGIN), RdataError, "4 octets");
});

Deno.test("every type: RDATA over 65535 octets is refused", () => {
  for (const type of [...typesWithLayout(), 65_280]) {
    assertThrows(() => checkRdata(type, new Uint8Array(65_536)), RdataError, "65535");
  }
  const error = assertThrows(
    () => parseRdata(TYPE.TXT, `"${"x".repeat(255)}" `.repeat(257), ORIGIN),
    RdataError,
  );
  assertEquals(error.code, "rdata-too-long");
  assertEquals(parseRdata(TYPE.TXT, `"${"x".repeat(255)}" `.repeat(255), ORIGIN).length, 65_280);
});

Deno.test("every type: a text cut after any token is a typed error, or right RDATA", () => {
  for (const { name, type, text } of ALL) {
    for (let end = text.indexOf(" "); end >= 0; end = text.indexOf(" ", end + 1)) {
      try {
        checkRdata(type, parseRdata(type, text.slice(0, end), ORIGIN));
      } catch (error) {
        assert(error instanceof RdataError, `${name}: ${error}`);
      }
    }
  }
});

Deno.test("every type: an uncompressed RDATA comes out of a message as it is", () => {
  for (const { name, type, rdata } of ALL) {
    const message = new Uint8Array(12 + rdata.length + 3);
    message.set(rdata, 12);
    assertEquals(toHex(decompressRdata(type, message, 12, rdata.length)), toHex(rdata), name);
  }
});

Deno.test("unknown types have the form of RFC 3597 §5 only", () => {
  const rdata = parseRdata(731, "\\# 6 abcd (\n ef 01 23 45 )", ORIGIN);
  assertEquals(toHex(rdata), "abcdef012345");
  assertEquals(formatRdata(731, rdata), "\\# 6 ABCDEF012345");
  assertEquals(parseRdata(62_347, "\\# 0", ORIGIN).length, 0);
  assertEquals(formatRdata(62_347, new Uint8Array()), "\\# 0");
  assertEquals(toHex(parseRdata(TYPE.A, "\\# 4 0A000001", ORIGIN)), "0a000001");
  const error = assertThrows(() => parseRdata(731, "abc", ORIGIN), RdataError);
  assertEquals([error.code, error.token, error.offset], ["type-without-text", "abc", 0]);
  for (const bad of ["\\#", "\\# x", "\\# 1", "\\# 1 0", "\\# 1 0g", "\\# 65536", "\\# 1 00 00"]) {
    assertThrows(() => parseRdata(731, bad, ORIGIN), RdataError, undefined, bad);
  }
});

Deno.test("relative names in RDATA are completed by the origin", () => {
  assertEquals(
    formatRdata(TYPE.MX, parseRdata(TYPE.MX, "10 mail", ORIGIN)),
    "10 mail.example.com.",
  );
  assertEquals(formatRdata(TYPE.CNAME, parseRdata(TYPE.CNAME, "@", ORIGIN)), "example.com.");
  assertStrictEquals(
    formatRdata(TYPE.SRV, parseRdata(TYPE.SRV, "0 0 1 @", ORIGIN), ORIGIN),
    "0 0 1 @",
  );
});
