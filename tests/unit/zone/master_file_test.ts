/** Master files: what is read, what is refused and where, and that what is printed reads back. */
import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import {
  formatName,
  formatRdata,
  parseName,
  type ResourceRecord,
  typeName,
} from "../../../lib/dns/mod.ts";
import {
  formatProblem,
  MasterFileError,
  type MasterFileOptions,
  printMasterFile,
  readMasterFile,
} from "../../../lib/zone/mod.ts";

const ORIGIN = parseName("example.com.");
const OPTIONS: MasterFileOptions = { file: "zones/example.db", origin: ORIGIN };

/** Records as lines "owner TTL type RDATA". */
function lines(records: readonly ResourceRecord[]): string[] {
  return records.map(({ owner, ttl, type, rdata }) =>
    `${formatName(owner)} ${ttl} ${typeName(type)} ${formatRdata(type, rdata)}`
  );
}

const read = (text: string, options: Partial<MasterFileOptions> = {}) =>
  lines(readMasterFile(text, { ...OPTIONS, ...options }).records);

function problemsOf(text: string, options: Partial<MasterFileOptions> = {}): MasterFileError {
  return assertThrows(() => readMasterFile(text, { ...OPTIONS, ...options }), MasterFileError);
}

/** Text, the records it holds. */
const READ: readonly (readonly [string, string, readonly string[]])[] = [
  ["nothing", "", []],
  ["only comments and blanks", '; x\n\n   \n\t; ( " \n', []],
  ["no line end at the end", "a 1 A 192.0.2.1", ["a.example.com. 1 A 192.0.2.1"]],
  ["CRLF line ends", "a 1 A 192.0.2.1\r\n\r\n  AAAA ::1\r\n", [
    "a.example.com. 1 A 192.0.2.1",
    "a.example.com. 1 AAAA ::1",
  ]],
  [
    "TTL and class in either order, or left out",
    `
$TTL 1h
a 60 IN A 192.0.2.1
a IN 61 A 192.0.2.2
a in A 192.0.2.3
a 62 A 192.0.2.4
a CLASS1 A 192.0.2.5
a A 192.0.2.6
`,
    [60, 61, 3600, 62, 3600, 3600].map((ttl, i) => `a.example.com. ${ttl} A 192.0.2.${i + 1}`),
  ],
  ["the owner left out is the last one", "a 1 A 192.0.2.1\n\n; x\n\t2 A 192.0.2.2\n  A 192.0.2.3", [
    "a.example.com. 1 A 192.0.2.1",
    "a.example.com. 2 A 192.0.2.2",
    "a.example.com. 2 A 192.0.2.3",
  ]],
  [
    "a TTL left out is $TTL's, not the last one's",
    "$TTL 5\na 1 A 192.0.2.1\na A 192.0.2.2\n$TTL 1m\na A 192.0.2.3",
    [
      "a.example.com. 1 A 192.0.2.1",
      "a.example.com. 5 A 192.0.2.2",
      "a.example.com. 60 A 192.0.2.3",
    ],
  ],
  ["without $TTL, the SOA's MINIMUM", "@ SOA ns hm 1 2 3 4 5m\n@ NS ns", [
    "example.com. 300 SOA ns.example.com. hm.example.com. 1 2 3 4 300",
    "example.com. 300 NS ns.example.com.",
  ]],
  [
    "parentheses over lines, comments in them",
    `@ 1 IN SOA ns hm ( ; one
  7 ; serial )
  1h 15m 1w
  300 ) ; end
@ 1 TXT ( "a" )
( b 1
  A ) 192.0.2.1
`,
    [
      "example.com. 1 SOA ns.example.com. hm.example.com. 7 3600 900 604800 300",
      'example.com. 1 TXT "a"',
      "b.example.com. 1 A 192.0.2.1",
    ],
  ],
  ["quotes and escapes", 'a\\.b 1 TXT "x;y(z)" c\\;d \\"e "\\065"\n', [
    'a\\.b.example.com. 1 TXT "x;y(z)" "c;d" "\\"e" "A"',
  ]],
  [
    "@, relative and absolute names, $ORIGIN relative to $ORIGIN",
    `
@ 1 MX 1 @
$ORIGIN sub
@ 1 CNAME a
$ORIGIN deep.er
b 1 CNAME c.
$ORIGIN .
d 1 NS e
`,
    [
      "example.com. 1 MX 1 example.com.",
      "sub.example.com. 1 CNAME a.sub.example.com.",
      "b.deep.er.sub.example.com. 1 CNAME c.",
      "d. 1 NS e.",
    ],
  ],
  [
    "unknown types and the unknown form",
    "a 1 TYPE65280 \\# 2 (ab\n cd)\na 1 A \\# 4 c0000201\na 1 type16 x",
    [
      "a.example.com. 1 TYPE65280 \\# 2 ABCD",
      "a.example.com. 1 A 192.0.2.1",
      'a.example.com. 1 TXT "x"',
    ],
  ],
  ["types, classes and directives in any case", "$ttl 7\n$Origin B\nx in a 192.0.2.1", [
    "x.B.example.com. 7 A 192.0.2.1",
  ]],
  [
    "owners that look like something else",
    "IN 1 A 192.0.2.1\n60 1 A 192.0.2.1\nA 1 A 192.0.2.1\n\\$TTL 1 A 192.0.2.1\n\\@ 1 A 192.0.2.1",
    [
      ..."IN 60 A \\$TTL \\@".split(" ").map((owner) => `${owner}.example.com. 1 A 192.0.2.1`),
    ],
  ],
  ["a byte order mark", "\ufeffa 1 A 192.0.2.1", ["a.example.com. 1 A 192.0.2.1"]],
];

Deno.test("master files are read as RFC 1035 §5 has it", async (t) => {
  for (const [name, text, expected] of READ) {
    await t.step(name, () => {
      assertEquals(read(text), expected);
      assertEquals(
        lines(readMasterFile(new TextEncoder().encode(text), OPTIONS).records),
        expected,
      );
    });
  }
});

Deno.test("case is kept as written", () => {
  assertEquals(read("WwW 1 CNAME Target", { origin: parseName("Example.COM.") }), [
    "WwW.Example.COM. 1 CNAME Target.Example.COM.",
  ]);
});

Deno.test("the SOA and the last $TTL are given back", () => {
  const file = readMasterFile("$TTL 9\n@ 1 SOA ns hm 1 2 3 4 5\n$TTL 10", OPTIONS);
  assertEquals([file.soa?.ttl, file.defaultTtl], [1, 10]);
  assertEquals(readMasterFile("", OPTIONS), { records: [], soa: undefined, defaultTtl: undefined });
  assertEquals(read("a A 192.0.2.1", { defaultTtl: 8 }), ["a.example.com. 8 A 192.0.2.1"]);
});

Deno.test("$INCLUDE: path beside the including file, own origin, both restored", () => {
  const files: Record<string, string | Uint8Array> = {
    "zones/sub/one.db": "@ 1 A 192.0.2.1\n$ORIGIN lost\n$INCLUDE two.db\n$INCLUDE /abs.db Other.",
    "zones/sub/two.db": new TextEncoder().encode("b 1 TXT é\n"),
    "/abs.db": "c 1 A 192.0.2.3\n$TTL 77",
  };
  const opened: string[] = [];
  const text =
    'a 1 A 192.0.2.0\n$INCLUDE sub/one.db in\n  A 192.0.2.9\n$INCLUDE "/abs.db"\nd A 192.0.2.4';
  const records = read(text, {
    open(path) {
      opened.push(path);
      return files[path];
    },
  });
  assertEquals(records, [
    "a.example.com. 1 A 192.0.2.0",
    "in.example.com. 1 A 192.0.2.1",
    'b.lost.in.example.com. 1 TXT "\\195\\169"',
    "c.Other. 1 A 192.0.2.3",
    "a.example.com. 77 A 192.0.2.9",
    "c.example.com. 1 A 192.0.2.3",
    "d.example.com. 77 A 192.0.2.4",
  ]);
  assertEquals(opened, ["zones/sub/one.db", "zones/sub/two.db", "/abs.db", "/abs.db"]);
});

Deno.test("$INCLUDE: what cannot be opened, circles, and files not allowed are refused", () => {
  const missing = problemsOf("\n$INCLUDE x.db", {
    open() {
      throw new Error("not there");
    },
  });
  assertEquals([missing.code, missing.line, missing.token], ["include", 2, "x.db"]);
  assertStringIncludes(missing.message, "zones/x.db cannot be opened: not there");
  const circle = problemsOf("$INCLUDE example.db", { open: () => "$INCLUDE example.db" });
  assertStringIncludes(circle.message, "16 deep");
  assertEquals(circle.problems.length, 1);
  assertStringIncludes(problemsOf("$INCLUDE x").message, "not included here");
  const inside = problemsOf("$INCLUDE x.db", { open: () => "\n\na 1 A bad" });
  assertEquals(formatProblem(inside.problems[0]).slice(0, 13), "zones/x.db:3:");
});

/** Text, line, code, token. */
const REFUSED: readonly (readonly [string, number, string, string | undefined])[] = [
  ["$TTL 1\n A 192.0.2.1", 2, "owner-missing", "A"],
  ["a A 192.0.2.1", 1, "ttl-missing", "A"],
  ["a 1", 1, "type-missing", "1"],
  ["a 1 IN", 1, "type-missing", "IN"],
  ["a", 1, "type-missing", "a"],
  ["a 1 FOO 1", 1, "type-unknown", "FOO"],
  ["a 1 2 A 192.0.2.1", 1, "type-unknown", "2"],
  ["a IN IN A 192.0.2.1", 1, "type-unknown", "IN"],
  ['a 1 "A" 192.0.2.1', 1, "type-unknown", "A"],
  ["a 1 AXFR", 1, "type-unknown", "AXFR"],
  ["a 1 OPT \\# 0", 1, "type-unknown", "OPT"],
  ["a 1 TYPE250 \\# 0", 1, "type-unknown", "TYPE250"],
  ["a 1 CH TXT x", 1, "class", "CH"],
  ["a 1 CLASS32 TXT x", 1, "class", "CLASS32"],
  ["a 2147483648 A 192.0.2.1", 1, "ttl-range", "2147483648"],
  ["a 1x A 192.0.2.1", 1, "ttl-format", "1x"],
  ["\n\na 1 A 192.0.2", 3, "address", "192.0.2"],
  ["a 1 A", 1, "field-missing", "A"],
  ["a 1 MX ( 10 ; x\n\n  bad..name )", 3, "name-empty-label", "bad..name"],
  ["a 1 A 192.0.2.1 192.0.2.2", 1, "field-extra", "192.0.2.2"],
  ["a 1 DS 1 8 2 00", 1, "rdata-malformed", "DS"],
  ["a 1 A \\# 3 000000", 1, "rdata-truncated", "A"],
  ["a..b 1 A 192.0.2.1", 1, "name-empty-label", "a..b"],
  ['"a" 1 A 192.0.2.1', 1, "field-quoted", "a"],
  ["é 1 A 192.0.2.1", 1, "name-not-ascii", "é"],
  ['a 1 TXT "open\nb 1 A 192.0.2.1', 1, "quote-open", '"open'],
  ["a 1 TXT x\\\nb 1 A 192.0.2.1", 1, "escape-open", "x\\"],
  ["\na 1 TXT ( x\nb 1 A 192.0.2.1\n", 2, "parenthesis-open", "("],
  ["a 1 TXT x )\n", 1, "parenthesis-close", ")"],
  ["$GENERATE 1-9 a$ A 192.0.2.$", 1, "directive", "$GENERATE"],
  ["$FOO", 1, "directive", "$FOO"],
  ["$ORIGIN", 1, "directive", "$ORIGIN"],
  ["$ORIGIN a b", 1, "directive", "b"],
  ["$TTL x", 1, "ttl-format", "x"],
  ["$TTL", 1, "directive", "$TTL"],
  ["$INCLUDE", 1, "directive", "$INCLUDE"],
];

Deno.test("what is wrong is refused with file, line, code and token", async (t) => {
  for (const [text, line, code, token] of REFUSED) {
    await t.step(text, () => {
      const error = problemsOf(text);
      assertEquals([error.code, error.line, error.token], [code, line, token]);
      assertEquals(error.message.startsWith(`zones/example.db:${line}: `), true);
    });
  }
});

Deno.test("all problems are told, up to 20", () => {
  const error = problemsOf("a 1 A x\nb 1 A 192.0.2.1\nc 1 AAAA y\n 1 MX z\n");
  assertEquals(error.problems.map((problem) => problem.line), [1, 3, 4]);
  assertStringIncludes(error.message, "(and 2 more)");
  assertInstanceOf(error.cause, Error);
  assertEquals(problemsOf("a 1 A x\n".repeat(100)).problems.length, 20);
});

Deno.test("octets that are no UTF-8 are refused with their line", () => {
  const octets = Uint8Array.of(...new TextEncoder().encode("a 1 TXT x\nb 1 TXT "), 0xe9, 0x0a);
  const error = assertThrows(() => readMasterFile(octets, OPTIONS), MasterFileError);
  assertEquals([error.code, error.line], ["file-encoding", 2]);
});

Deno.test("a printed file is readable, and reads back to the same records", () => {
  const text = `$TTL 300
@ SOA ns hm 1 2 3 4 5
@ NS ns
www 60 A 192.0.2.1
*.x TXT "a b" ; c
\\@ TXT \\# 2 0161
`;
  const { records } = readMasterFile(text, OPTIONS);
  const printed = [...printMasterFile(ORIGIN, records, { comments: ["one\ntwo"] })];
  assertEquals(printed, [
    "; one",
    "; two",
    "$ORIGIN example.com.",
    "$TTL 300",
    "@\t300\tIN\tSOA\tns.example.com. hm.example.com. 1 2 3 4 5",
    "@\t300\tIN\tNS\tns.example.com.",
    "www\t60\tIN\tA\t192.0.2.1",
    '*.x\t300\tIN\tTXT\t"a b"',
    '\\@\t300\tIN\tTXT\t"a"',
  ]);
  // The printed $ORIGIN counts, whatever the reader starts from.
  const again = readMasterFile(printed.join("\n"), { file: "x", origin: parseName("other.") });
  assertEquals(again.records, records);
});

Deno.test("owners that spell the apex in another case keep it", () => {
  const { records } = readMasterFile(
    "EXAMPLE.com. 1 A 192.0.2.1\na.Example.com. 1 A 192.0.2.1\nb 1 A 192.0.2.1",
    OPTIONS,
  );
  const printed = [...printMasterFile(ORIGIN, records, { defaultTtl: 5 })].join("\n");
  assertStringIncludes(printed, "$TTL 5\nEXAMPLE.com.\t1");
  assertEquals(readMasterFile(printed, OPTIONS).records, records);
});
