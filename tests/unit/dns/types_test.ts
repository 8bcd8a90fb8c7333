/** RR types by mnemonic and number, and TTLs. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  isMetaType,
  parseTtl,
  RdataError,
  TtlError,
  TYPE,
  typeCode,
  typeName,
} from "../../../lib/dns/mod.ts";

Deno.test("every mnemonic and number come back", () => {
  for (const [name, code] of Object.entries(TYPE)) {
    assertEquals(typeCode(name), code);
    assertEquals(typeCode(name.toLowerCase()), code);
    assertEquals(typeName(code), name);
  }
  for (const code of [0, 1, 257, 65_280, 65_535]) assertEquals(typeCode(`type${code}`), code);
  assertEquals(typeName(65_280), "TYPE65280");
  assertEquals([typeCode("wks"), typeName(11)], [11, "TYPE11"]);
});

Deno.test("what is no type is refused with its token", () => {
  for (const text of ["", "AAA", "TYPE", "TYPE65536", "TYPE1x", "TYPE-1", "TYPE000001", "1"]) {
    const error = assertThrows(() => typeCode(text), RdataError);
    assertEquals([error.code, error.token], ["type-unknown", text]);
  }
});

Deno.test("meta types and QTYPEs are no zone data", () => {
  const meta = [0, 41, 128, 249, 250, 251, 252, 253, 254, 255];
  assertEquals(meta.filter((code) => !isMetaType(code)), []);
  assertEquals(Object.values(TYPE).filter((code) => isMetaType(code) && !meta.includes(code)), []);
  assertEquals([127, 256, 65_280].filter(isMetaType), []);
});

Deno.test("TTLs take seconds and units, 0 to 2^31 - 1", () => {
  const seconds: [string, number][] = [
    ["0", 0],
    ["3600", 3600],
    ["1h30m", 5400],
    ["1W2D3H4M5S", 788_645],
    ["2147483647", 2_147_483_647],
    ["000060", 60],
  ];
  for (const [text, value] of seconds) assertEquals(parseTtl(text), value);
  for (const text of ["", "-1", "1.5", "1h30", "h", "1y", " 1", "1 h", "0x10"]) {
    assertEquals(assertThrows(() => parseTtl(text), TtlError).code, "ttl-format");
  }
  for (const text of ["2147483648", "9".repeat(400), "4000w"]) {
    assertEquals(assertThrows(() => parseTtl(text), TtlError).code, "ttl-range");
  }
});
