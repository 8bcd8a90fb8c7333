/** What each kind of field takes and refuses in presentation format. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  formatRdata,
  NameError,
  parseName,
  parseRdata,
  RdataError,
  typeCode,
} from "../../../lib/dns/mod.ts";
import { toHex } from "../../support/octets.ts";
import { SVCB_FAILURES, SVCB_VECTORS } from "../../vectors/svcb.ts";

const ORIGIN = parseName("example.com.");

const parse = (type: string, text: string) => parseRdata(typeCode(type), text, ORIGIN);

/** Type, text as someone may write it, the form zonecast prints. */
const ACCEPTED: readonly (readonly [string, string, string])[] = [
  ["AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["AAAA", "::FFFF:C000:201", "::ffff:192.0.2.1"],
  ["AAAA", "1::", "1::"],
  ["AAAA", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["AAAA", "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["AAAA", "1:0:0:4:5:0:0:8", "1::4:5:0:0:8"],
  ["CNAME", "target", "target.example.com."],
  ["CNAME", "a\\.b\\046c.d.", "a\\.b\\.c.d."],
  ["NS", " ns1 ", "ns1.example.com."],
  [
    "SOA",
    "ns1 hostmaster 1 1h 15M 1w2d 0",
    "ns1.example.com. hostmaster.example.com. 1 3600 900 777600 0",
  ],
  ["TXT", "two words", '"two" "words"'],
  ["TXT", '"a""b"', '"a" "b"'],
  ["TXT", 'a\\;b\\ c\\"', '"a;b c\\""'],
  ["TXT", "\\065\\066", '"AB"'],
  ["TXT", '""', '""'],
  ["TXT", "é", '"\\195\\169"'],
  ["TXT", "\\é😀", '"\\195\\169\\240\\159\\152\\128"'],
  ["HINFO", "a b", '"a" "b"'],
  ["CAA", "0 issue ca.example", '0 issue "ca.example"'],
  [
    "DS",
    "1 RSASHA256 1 2BB183AF5F22588179A5 3b0a98631fad1a292118",
    "1 8 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
  ],
  ["DNSKEY", "257 3 ED25519 AA AA", "257 3 15 AAAA"],
  ["CERT", "PKIX 1 RSASHA256 AAAA", "1 1 8 AAAA"],
  [
    "RRSIG",
    "a 8 2 1h 1577836800 20200101000000 1 @ AAAA",
    "A 8 2 3600 20200101000000 20200101000000 1 example.com. AAAA",
  ],
  ["NSEC", "b TYPE1 MX a TYPE65280 mx", "b.example.com. A MX TYPE65280"],
  [
    "NSEC3",
    "1 0 1 aa 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
    "1 0 1 AA 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR",
  ],
  ["LOC", "42 N 71 W 0", "42 0 0.000 N 71 0 0.000 W 0.00m 1.00m 10000.00m 10.00m"],
  [
    "LOC",
    "42 21 n 71 06 18.5 w -24.5m 25m",
    "42 21 0.000 N 71 6 18.500 W -24.50m 20.00m 10000.00m 10.00m",
  ],
  ["LOC", "0 S 0 E 1.1 0 0 0", "0 0 0.000 N 0 0 0.000 E 1.10m 0.00m 0.00m 0.00m"],
  ["NSAP", "0x47.0005.80", "0x47000580"],
  ["APL", "1:192.0.2.128/25", "1:192.0.2.128/25"],
  ["SVCB", "1 svc key3=\\000\\053", "1 svc.example.com. port=53"],
  ["SVCB", "1 . ech=AAAA dohpath=/q{?dns} ohttp", '1 . ech=AAAA dohpath="/q{?dns}" key8'],
  ["SVCB", "1 . key9", "1 . key9"],
  [
    "HTTPS",
    "1 . ipv6hint=::1 no-default-alpn alpn=h3",
    '1 . alpn="h3" no-default-alpn ipv6hint=::1',
  ],
  ["NID", "1 1:2:3:4", "1 0001:0002:0003:0004"],
  [
    "RRSIG",
    "7077 8 0 0 19620425015935 0 1 . AAAA",
    "TYPE7077 8 0 0 20980531082751 19700101000000 1 . AAAA",
  ],
  ["EUI48", "00-00-5E-00-53-2A", "00-00-5e-00-53-2a"],
];

Deno.test("text in many spellings is read, and printed in one", async (t) => {
  for (const [type, text, printed] of ACCEPTED) {
    await t.step(`${type} ${text}`, () => {
      assertEquals(formatRdata(typeCode(type), parse(type, text)), printed);
      assertEquals(toHex(parse(type, printed)), toHex(parse(type, text)));
    });
  }
});

/** Type, text, code, field or undefined, token or undefined, offset. */
const REFUSED: readonly (readonly [string, string, string, string?, string?, number?])[] = [
  ["A", "", "field-missing", "address", undefined, 0],
  ["A", "192.0.2", "address", "address", "192.0.2", 0],
  ["A", "192.0.2.256", "address", "address", "192.0.2.256", 0],
  ["A", "192.0.2.01", "address", "address", "192.0.2.01", 0],
  ["A", "192.0.2.1.", "address", "address", "192.0.2.1.", 0],
  ["A", "1.2.3.4.5", "address", "address", "1.2.3.4.5", 0],
  ["A", "1..3.4", "address", "address", "1..3.4", 0],
  ["A", "+1.2.3.4", "address", "address", "+1.2.3.4", 0],
  ["A", '"192.0.2.1"', "field-quoted", "address", "192.0.2.1", 0],
  ["A", " 192.0.2.1  extra", "field-extra", "content", "extra", 12],
  ["AAAA", "192.0.2.1", "address", "address"],
  ["AAAA", "2001:db8::1::", "address", "address"],
  ["AAAA", "2001:db8", "address", "address"],
  ["AAAA", ":::", "address", "address"],
  ["AAAA", ":1:2:3:4:5:6:7", "address", "address"],
  ["AAAA", "1:2:3:4:5:6:7:8:9", "address", "address"],
  ["AAAA", "1:2:3:4:5:6:7:8::", "address", "address"],
  ["AAAA", "1:2:3:4:5:6:7:1.2.3.4", "address", "address"],
  ["AAAA", "12345::", "address", "address"],
  ["AAAA", "fe80::1%eth0", "address", "address"],
  ["AAAA", "1:", "address", "address"],
  ["CNAME", "a..b", "name-empty-label", "name", "a..b", 0],
  ["CNAME", "bücher", "name-not-ascii", "name", "bücher", 0],
  ["CNAME", "a\\25", "name-escape", "name", "a\\25", 0],
  ["CNAME", "x".repeat(64), "label-too-long", "name"],
  ["CNAME", "x.".repeat(127) + "x", "name-too-long", "name"],
  ["MX", "mail", "number-range", "preference", "mail", 0],
  ["MX", "10", "field-missing", "exchange", undefined, 2],
  ["MX", "65536 mail", "number-range", "preference", "65536", 0],
  ["MX", "-1 mail", "number-range", "preference"],
  ["MX", "1e1 mail", "number-range", "preference"],
  ["MX", "10 mail other", "field-extra", "content", "other", 8],
  ["SOA", "ns hm 4294967296 1 1 1 1", "number-range", "serial", "4294967296", 6],
  ["SOA", "ns hm 1 1 1 1x 1", "number-range", "expire", "1x", 12],
  ["SOA", "ns hm 1 1 1 1", "field-missing", "minimum"],
  ["TXT", "", "field-missing", "strings"],
  ["TXT", `"${"x".repeat(256)}"`, "string-too-long", "strings"],
  ["TXT", '"open', "quote-open", undefined, '"open', 0],
  ["TXT", '"a\nb"', "quote-open", undefined, '"a', 0],
  ["TXT", "v=DKIM1; k=rsa", "comment", undefined, ";", 7],
  ["TXT", "( a", "parenthesis-open", undefined, "(", 0],
  ["TXT", "(( a ))", "parenthesis-open", undefined, "(", 1],
  ["TXT", "a )", "parenthesis-close", undefined, ")", 2],
  ["TXT", "a\\", "escape-open", undefined, "a\\", 1],
  ["TXT", "\\256", "string-escape", "strings", "\\256", 0],
  ["TXT", '"\\1a"', "string-escape", "strings"],
  ["TXT", 'a"b"', "field-quoted", "strings", 'a"b"', 0],
  ["TXT", "\ud800", "string-encoding", "strings"],
  ["X25", "31a1", "address", "address", "31a1", 0],
  ["ISDN", "1 2 3", "field-extra", "content", "3"],
  ["CAA", "256 issue x", "number-range", "flags"],
  ["CAA", "0 is_sue x", "caa-tag", "tag", "is_sue", 2],
  ["CAA", "0 issue", "field-missing", "value"],
  ["CAA", "0 issue a b", "field-extra", "content", "b"],
  ["URI", '1 1 ""', "field-empty", "target", "", 4],
  ["DS", "1 8 1 00", "rdata-malformed"],
  ["DS", "1 NOSUCH 2 00", "number-range", "algorithm", "NOSUCH", 2],
  ["DS", "1 8 9 0", "encoding", "digest", "0", 6],
  ["DS", "1 8 9", "field-missing", "digest"],
  ["DNSKEY", "257 3 8 AAA", "encoding", "key", "AAA"],
  ["DNSKEY", "257 3 8 AAB=", "encoding", "key", "AAB="],
  ["DNSKEY", "257 3 8 A=AA", "encoding", "key"],
  ["SSHFP", "1 2 00", "rdata-malformed"],
  ["ZONEMD", "1 1 9 00", "rdata-malformed"],
  ["RRSIG", "A 8 2 1 20200230000000 20200101000000 1 . AAAA", "time-range", "expiration"],
  ["RRSIG", "A 8 2 1 21750101000000 20200101000000 1 . AAAA", "time-range", "expiration"],
  ["RRSIG", "A 8 2 1 2020 2020-01-01 1 . AAAA", "time-format", "inception"],
  ["NSEC", "b", "field-missing", "types"],
  ["NSEC", "b NOSUCH", "type-unknown", "types", "NOSUCH", 2],
  ["NSEC", "b TYPE65536", "type-unknown", "types", "TYPE65536", 2],
  ["NSEC3", "1 0 1 a 2T", "encoding", "salt"],
  ["NSEC3", "1 0 1 - W0", "encoding", "next"],
  ["NSEC3", "1 0 1 - 1", "encoding", "next"],
  ["LOC", "91 N 0 E 0", "loc-range", "latitude"],
  ["LOC", "90 0 0.001 N 0 E 0", "loc-range", "latitude"],
  ["LOC", "0 60 N 0 E 0", "loc-angle", "latitude"],
  ["LOC", "N 0 E 0", "loc-angle", "latitude"],
  ["LOC", "0 0 0 0 N 0 E 0", "loc-angle", "latitude"],
  ["LOC", "0 N 181 E 0", "loc-range", "longitude"],
  ["LOC", "0 N 0 E", "field-missing", "altitude"],
  ["LOC", "0 N 0 E -100000.01", "loc-range", "altitude"],
  ["LOC", "0 N 0 E 0 90000001m", "loc-range", "size"],
  ["LOC", "0 N 0 E 0 -1m", "loc-range", "size"],
  ["LOC", "0 N 0 E 0 1 1 1 1", "field-extra", "content"],
  ["APL", "3:1/2", "address", "items"],
  ["APL", "1:192.0.2.0/33", "address", "items"],
  ["NSAP", "47000580", "encoding", "address"],
  ["NSAP", "0x", "encoding", "address"],
  ["EUI48", "00:00:5e:00:53:2a", "address", "address"],
  ["NID", "1 1:2:3:45678", "address", "id"],
  ["HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx", "type-without-text", "content", "2"],
];

Deno.test("malformed text is refused with code, field, token and offset", async (t) => {
  for (const [type, text, code, field, token, offset] of REFUSED) {
    await t.step(`${type} ${text.slice(0, 50)}`, () => {
      const error = assertThrows(() => parse(type, text), RdataError);
      assertEquals([error.code, error.field], [code, field]);
      if (token !== undefined) assertEquals(error.token, token);
      if (offset !== undefined) assertEquals(error.offset, offset);
      if (field && field !== "content") assertStringIncludes(error.message, field);
      assertStringIncludes(error.message, "Cannot read");
    });
  }
});

Deno.test("errors say what the type takes", () => {
  const error = assertThrows(() => parse("SRV", "1 2 x sip"), RdataError);
  assertEquals(error.message, 'Cannot read SRV port "x": it is no whole number from 0 to 65535');
  assertEquals(error.hint, "SRV takes: priority weight port target");
});

Deno.test("a name's error gives the punycode and keeps its cause", () => {
  const error = assertThrows(() => parse("CNAME", "bücher.example."), RdataError);
  assertStringIncludes(error.hint ?? "", "xn--bcher-kva.example.");
  assertEquals(error.cause instanceof NameError, true);
});

Deno.test("SVCB: the vectors of RFC 9460 Appendix D", async (t) => {
  for (const { section, type, texts, hex, printed } of SVCB_VECTORS) {
    await t.step(section, () => {
      for (const text of texts) assertEquals(toHex(parse(type, text)), hex);
      assertEquals(formatRdata(typeCode(type), parse(type, texts[0])), printed);
    });
  }
});

Deno.test("SVCB: what RFC 9460 forbids is refused", async (t) => {
  for (const text of SVCB_FAILURES) {
    await t.step(text, () => void assertThrows(() => parse("SVCB", text), RdataError));
  }
});

/** What BIND 9.18 accepts and refuses as NAPTR regexp, in presentation format. */
const REGEXPS_RIGHT = [
  ..."!^.*$!sip:x@y! | !a!b!i | !a!b!ii | !(a)!\\\\1! | !a\\\\!b!c! | ![]a]!c! | !()!c!".split(
    " | ",
  ),
  ..."!a\\\\d!c! | !\\\\(!c! | !a!\\\\x! | !^^a$$!c! | ![[:digit:]]!c! | !a{,3}!c! | !a)!c!".split(
    " | ",
  ),
  ..."/a/b/ | !a}!b! | !a]!b! | !a{x}!b! | ![[.a.]]!b! | ![^]a]!b! | ![a-]!b! | !a\\\\\\\\!b!"
    .split(" | "),
  ..."![a[b]!b! | !a!! | \\200a\\200b\\200 | ".split(" | "),
];
const REGEXPS_WRONG = [
  ..."!a!b!x | !a!b | !a | !!! | !!b! | 1a1b1 | iaibi | !(a!b! | !a!\\\\1! | !(a)!\\\\2!".split(
    " | ",
  ),
  ..."!*a!c! | ![a!c! | !a{2!c! | !a{2,1}!c! | !a**!c! | !a|!c! | \\\\a\\\\b\\\\ | !\\\\2!c!".split(
    " | ",
  ),
  ..."!a!\\\\0! | ![[:foo:]]!c! | ![z-a]!c! | !a{256}!c! | !a+?!c! | \\000a\\000b\\000".split(
    " | ",
  ),
  ..."!a!b\\000! | !a\\\\1!b! | !?!b! | !|a!b! | !(|a)!b! | !(*a)!b! | !a||b!b! | !^*!b!".split(
    " | ",
  ),
];

Deno.test("NAPTR: the regexps BIND takes are taken, those it refuses are refused", async (t) => {
  const text = (regexp: string) => `1 2 "u" "E2U" "${regexp}" .`;
  for (const regexp of REGEXPS_RIGHT) {
    await t.step(`takes ${regexp}`, () => void parse("NAPTR", text(regexp)));
  }
  for (const regexp of REGEXPS_WRONG) {
    await t.step(`refuses ${regexp}`, () => {
      const error = assertThrows(() => parse("NAPTR", text(regexp)), RdataError);
      assertEquals([error.code, error.field], ["naptr-regexp", "regexp"]);
    });
  }
});
